package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// translate finds what a code is in another system.
// https://hl7.org/fhir/R4/conceptmap-operation-translate.html
func (e *Env) translate() Operation {
	return Operation{
		Name: "translate", Definition: "http://hl7.org/fhir/OperationDefinition/ConceptMap-translate",
		Type: true, Instance: true, Types: []string{"ConceptMap"}, Run: e.runTranslate,
	}
}

func (e *Env) runTranslate(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	list := codings(in)
	if len(list) == 0 {
		return nil, missing("code")
	}
	req := terminology.TranslateRequest{URL: in.Text("url"), Coding: list[0], Source: in.Text("source"), Target: in.Text("target"),
		TargetSystem: in.Text("targetsystem"), Reverse: in.Text("reverse") == "true"}
	if sent := in.Resource("conceptMap"); sent != nil && sent.ResourceType() == "ConceptMap" {
		req.Resource = asRoot(sent)
	}
	if in.ID != "" {
		stored, err := e.read(ctx, c, in)
		if err != nil {
			return nil, err
		}
		req.Resource = stored
	}
	terms, err := e.terms(ctx, c, nil, req.URL)
	if err != nil {
		return nil, err
	}
	t, err := terms.Translate(ctx, req)
	if err != nil {
		return nil, termsProblem(err)
	}
	r := newResult().add("result", "valueBoolean", yesNo(t.Found))
	for _, m := range t.Matches {
		p := r.Add("parameter").Set("name", "match")
		p.Add("part").Set("name", "equivalence").Set("valueCode", m.Equivalence)
		concept := p.Add("part").Set("name", "concept").Add("valueCoding")
		concept.Set("system", m.Coding.System).Set("code", m.Coding.Code).Set("display", m.Coding.Display)
		if m.Source != "" {
			p.Add("part").Set("name", "source").Set("valueUri", m.Source)
		}
	}
	return r.reply(), nil
}
