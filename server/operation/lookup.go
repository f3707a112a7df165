package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// lookup tells what a code means.
// https://hl7.org/fhir/R4/codesystem-operation-lookup.html
func (e *Env) lookup() Operation {
	return Operation{
		Name: "lookup", Definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-lookup",
		Type: true, Types: []string{"CodeSystem"}, Run: e.runLookup,
	}
}

func (e *Env) runLookup(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	list := codings(in)
	if len(list) == 0 {
		return nil, missing("code")
	}
	if list[0].System == "" {
		return nil, missing("system")
	}
	terms, err := e.terms(ctx, c, nil, list[0].System)
	if err != nil {
		return nil, err
	}
	found, err := terms.Lookup(ctx, terminology.LookupRequest{System: list[0].System, Version: list[0].Version,
		Code: list[0].Code, Language: in.Text("displayLanguage")})
	if err != nil {
		return nil, termsProblem(err)
	}
	r := newResult().add("name", "valueString", found.SystemName).add("version", "valueString", found.Version)
	r.add("display", "valueString", found.Display)
	for _, d := range found.Designations {
		p := r.Add("parameter").Set("name", "designation")
		if d.Language != "" {
			p.Add("part").Set("name", "language").Set("valueCode", d.Language)
		}
		p.Add("part").Set("name", "value").Set("valueString", d.Value)
	}
	property := func(code, value, property string) {
		if value != "" {
			p := r.Add("parameter").Set("name", "property")
			p.Add("part").Set("name", "code").Set("valueCode", code)
			p.Add("part").Set("name", "value").Set(property, value)
		}
	}
	property("definition", found.Definition, "valueString")
	if found.Inactive {
		property("inactive", "true", "valueBoolean")
	}
	for _, p := range found.Properties {
		switch p.Type {
		case "code":
			property(p.Code, p.Value, "valueCode")
		case "boolean":
			property(p.Code, p.Value, "valueBoolean")
		case "integer":
			property(p.Code, p.Value, "valueInteger")
		case "decimal":
			property(p.Code, p.Value, "valueDecimal")
		case "dateTime":
			property(p.Code, p.Value, "valueDateTime")
		default:
			property(p.Code, p.Value, "valueString")
		}
	}
	return r.reply(), nil
}
