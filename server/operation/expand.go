package operation

import (
	"context"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// expand lists the codes of a value set.
// https://hl7.org/fhir/R4/valueset-operation-expand.html
func (e *Env) expand() Operation {
	return Operation{
		Name: "expand", Definition: "http://hl7.org/fhir/OperationDefinition/ValueSet-expand",
		Type: true, Instance: true, Types: []string{"ValueSet"}, Run: e.runExpand,
	}
}

func (e *Env) runExpand(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	set, canonical, err := e.valueSet(ctx, c, in)
	if err != nil {
		return nil, err
	}
	req := terminology.ExpandRequest{ValueSet: canonical, Resource: set, Filter: in.Text("filter"), Language: in.Text("displayLanguage"),
		ActiveOnly: in.Text("activeOnly") == "true", Designations: in.Text("includeDesignations") == "true",
		Nested: in.Text("excludeNested") != "true"}
	for name, to := range map[string]*int{"offset": &req.Offset, "count": &req.Count} {
		if text := in.Text(name); text != "" {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 {
				return nil, interaction.Refuse(interaction.BadRequest, fhir.Value, "parameter-invalid", fhir.Messagef(
					"the value of the parameter %s is not valid", "パラメータ %s の値が正しくありません", name))
			}
			*to = n
		}
	}
	terms, err := e.terms(ctx, c, set, canonical)
	if err != nil {
		return nil, err
	}
	x, err := terms.Expand(ctx, req)
	if err != nil {
		return nil, termsProblem(err)
	}
	return &interaction.Reply{Resource: e.expansion(set, x, in.Text("count") != "")}, nil
}

// valueSet returns the value set asked for: stored, sent, or by canonical.
func (e *Env) valueSet(ctx context.Context, c interaction.Call, in Input) (*fhir.Element, string, error) {
	if in.ID != "" {
		set, err := e.read(ctx, c, in)
		return set, "", err
	}
	if set := in.Resource("valueSet"); set != nil && set.ResourceType() == "ValueSet" {
		return asRoot(set), "", nil
	}
	if canonical := in.Text("url"); canonical != "" {
		if v := in.Text("valueSetVersion"); v != "" {
			canonical += "|" + v
		}
		return nil, canonical, nil
	}
	return nil, "", missing("url")
}

// expansion puts an expansion into a ValueSet.
func (e *Env) expansion(set *fhir.Element, x terminology.Expansion, paged bool) *fhir.Element {
	r := fhir.NewResource("ValueSet").Set("url", x.URL).Set("version", x.Version).Set("status", "active")
	if set != nil {
		r.Set("name", set.Text("name")).Set("title", set.Text("title"))
	}
	exp := r.Add("expansion").Set("identifier", "urn:uuid:"+e.NewID())
	exp.Set("timestamp", e.Now().UTC().Format("2006-01-02T15:04:05Z")).Set("total", strconv.Itoa(x.Total))
	if paged || x.Offset > 0 {
		exp.Set("offset", strconv.Itoa(x.Offset))
	}
	for _, s := range x.Systems {
		exp.Add("parameter").Set("name", "used-codesystem").Set("valueUri", s)
	}
	contain(exp, x.Contains)
	return r
}

func contain(to *fhir.Element, list []terminology.Contained) {
	for _, c := range list {
		e := to.Add("contains").Set("system", c.System).Set("version", c.Version).Set("code", c.Code).Set("display", c.Display)
		if c.Abstract {
			e.Set("abstract", "true")
		}
		if c.Inactive {
			e.Set("inactive", "true")
		}
		for _, d := range c.Designations {
			e.Add("designation").Set("language", d.Language).Set("value", d.Value)
		}
		contain(e, c.Contains)
	}
}
