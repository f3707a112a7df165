package graphql

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

const (
	listSuffix       = "List"
	connectionSuffix = "Connection"
)

// isSearch reports whether a field is a search: PatientList, PatientConnection.
func isSearch(name string) bool {
	_, _, ok := searchType(name)
	return ok
}

func searchType(name string) (resourceType string, connection, ok bool) {
	for _, suffix := range []string{listSuffix, connectionSuffix} {
		if base, cut := strings.CutSuffix(name, suffix); cut && isResourceType(base) {
			return base, suffix == connectionSuffix, true
		}
	}
	return "", false, false
}

func isResourceType(name string) bool {
	t, ok := r4.TypeByName(name)
	return ok && t.Kind == r4.Resource && !t.Abstract
}

// rootField answers a field at system level: Patient(id: …), a list or a
// connection. https://hl7.org/fhir/R4/graphql.html#searching
func (x *executor) rootField(f *field, s scope) error {
	if isSearch(f.name) {
		return x.search(f, nil, s)
	}
	if !isResourceType(f.name) {
		return refuse("field-unknown", "there is no field %q at this level", "この階層にフィールド %q はありません", f.name)
	}
	id, err := x.argument(f.arguments, "id")
	if err == nil && id == "" {
		id, err = x.argument(f.arguments, "_id")
	}
	if err != nil {
		return err
	}
	if id == "" {
		return refuse("argument", "%s needs the argument id", "%s には引数 id が必要です", f.name)
	}
	found, err := x.req.Source.Resolve(x.ctx, f.name+"/"+id)
	if err != nil || found == nil {
		return err
	}
	return x.emit(f, []*fhir.Element{found}, false, s)
}

// resolve answers the field resource of a Reference.
func (x *executor) resolve(f *field, e *fhir.Element, s scope) error {
	optional, err := x.argument(f.arguments, "optional")
	if err != nil {
		return err
	}
	only, err := x.argument(f.arguments, "type")
	if err != nil {
		return err
	}
	reference := e.Text("reference")
	if reference == "" {
		return nil
	}
	found := x.contained(reference)
	if found == nil {
		if found, err = x.req.Source.Resolve(x.ctx, reference); err != nil {
			return err
		}
	}
	switch {
	case found == nil && optional == "true":
		return nil
	case found == nil:
		return fhir.Issues{{Severity: fhir.Error, Code: fhir.NotFound, ID: "graphql-reference",
			Message: fhir.Messagef("a reference cannot be resolved", "参照先を取得できません")}}
	case only != "" && found.Type.Name != only:
		return nil
	}
	return x.emit(f, []*fhir.Element{found}, false, s)
}

// contained finds "#id" in the focus.
func (x *executor) contained(reference string) *fhir.Element {
	id, ok := strings.CutPrefix(reference, "#")
	if !ok {
		return nil
	}
	for c := range x.req.Focus.All("contained") {
		if c.ID() == id {
			return c
		}
	}
	return nil
}

// search answers a list or a connection; inside a resource the argument
// _reference names the parameter that points back to it.
func (x *executor) search(f *field, from *fhir.Element, s scope) error {
	resourceType, connection, _ := searchType(f.name)
	params, err := x.searchParams(f.arguments, from)
	if err != nil {
		return err
	}
	found, err := x.req.Source.Search(x.ctx, resourceType, params)
	if err != nil {
		return err
	}
	if !connection {
		return x.emit(f, found.Resources, true, s)
	}
	out := newResult()
	if err := x.connection(f.selection, found, out); err != nil {
		return err
	}
	return x.put(f, s, false, out)
}

func (x *executor) searchParams(args []argument, from *fhir.Element) ([]Param, error) {
	var params []Param
	pointsBack := false
	for _, a := range args {
		texts, err := x.texts(a.value)
		if err != nil {
			return nil, err
		}
		if a.name == "_reference" && from != nil {
			if len(texts) != 1 {
				return nil, refuse("argument", "_reference needs the name of one search parameter", "_reference には検索パラメータ名が一つ必要です")
			}
			params = append(params, Param{texts[0], from.ResourceType() + "/" + from.ID()})
			pointsBack = true
			continue
		}
		params = append(params, Param{parameterName(a.name), strings.Join(texts, ",")})
	}
	if from != nil && !pointsBack {
		return nil, refuse("argument", "a search inside a resource needs the argument _reference", "リソース内の検索には引数 _reference が必要です")
	}
	return params, nil
}

// parameterName undoes GraphQL's spelling: hyphens of names are underscores.
func parameterName(name string) string {
	if rest, ok := strings.CutPrefix(name, "_"); ok {
		return "_" + strings.ReplaceAll(rest, "_", "-")
	}
	return strings.ReplaceAll(name, "_", "-")
}

// connection answers the fields of a page.
func (x *executor) connection(set []selection, p Page, out *Result) error {
	for i := range set {
		sel := &set[i]
		if include, err := x.included(sel.allDirectives()); err != nil {
			return err
		} else if !include {
			continue
		}
		f := sel.field
		if f == nil {
			return refuse("fragment", "fragments have no place in a connection", "コネクション内でフラグメントは使えません")
		}
		if f.name == "edges" {
			if err := x.edges(f, p, out); err != nil {
				return err
			}
			continue
		}
		value, known := connectionValue(f.name, p)
		if !known {
			return refuse("field-unknown", "a connection has no field %q", "コネクションにフィールド %q はありません", f.name)
		}
		if value != nil {
			out.add(f.alias, false, value)
		}
	}
	return nil
}

func connectionValue(name string, p Page) (value json.RawMessage, known bool) {
	number := func(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }
	link := func(s string) json.RawMessage {
		if s == "" {
			return nil
		}
		return quoted(s)
	}
	switch name {
	case "count":
		if p.Total < 0 {
			return nil, true
		}
		return number(p.Total), true
	case "offset":
		return number(p.Offset), true
	case "pagesize":
		return number(p.Size), true
	case "first":
		return link(p.First), true
	case "previous":
		return link(p.Previous), true
	case "next":
		return link(p.Next), true
	case "last":
		return link(p.Last), true
	}
	return nil, false
}

func (x *executor) edges(f *field, p Page, out *Result) error {
	out.empty(f.alias)
	for _, found := range p.Resources {
		edge := newResult()
		for i := range f.selection {
			inner := f.selection[i].field
			switch {
			case inner == nil:
				return refuse("fragment", "fragments have no place in an edge", "エッジ内でフラグメントは使えません")
			case inner.name == "mode":
				edge.add(inner.alias, false, quoted("match"))
			case inner.name == "score":
				// the server does not rank matches
			case inner.name == "resource":
				if err := x.emit(inner, []*fhir.Element{found}, false, scope{out: edge}); err != nil {
					return err
				}
			default:
				return refuse("field-unknown", "an edge has no field %q", "エッジにフィールド %q はありません", inner.name)
			}
		}
		out.add(f.alias, true, edge)
	}
	return nil
}
