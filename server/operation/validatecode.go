package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// validateCode tells whether a code is in a value set or code system.
// https://hl7.org/fhir/R4/valueset-operation-validate-code.html
// https://hl7.org/fhir/R4/codesystem-operation-validate-code.html
func (e *Env) validateCode(resourceType string) Operation {
	return Operation{
		Name: "validate-code", Definition: "http://hl7.org/fhir/OperationDefinition/" + resourceType + "-validate-code",
		Type: true, Instance: true, Types: []string{resourceType}, Run: e.runValidateCode,
	}
}

func (e *Env) runValidateCode(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	req := terminology.ValidateRequest{Codings: codings(in), Language: in.Text("displayLanguage"), InferSystem: in.Text("system") == ""}
	if len(req.Codings) == 0 {
		return nil, missing("code")
	}
	var err error
	if in.Type == "ValueSet" {
		req.Resource, req.ValueSet, err = e.valueSet(ctx, c, in)
	} else {
		err = e.onSystem(ctx, c, in, req.Codings)
	}
	if err != nil {
		return nil, err
	}
	wanted := []string{req.ValueSet}
	for _, code := range req.Codings {
		wanted = append(wanted, code.System)
	}
	terms, err := e.terms(ctx, c, req.Resource, wanted...)
	if err != nil {
		return nil, err
	}
	v, err := terms.Validate(ctx, req)
	if err != nil {
		return nil, termsProblem(err)
	}
	return verdict(v, c.Language), nil
}

// onSystem gives the codings the code system a CodeSystem operation is about.
func (e *Env) onSystem(ctx context.Context, c interaction.Call, in Input, list []terminology.Coding) error {
	system := in.Text("url")
	if in.ID != "" {
		r, err := e.read(ctx, c, in)
		if err != nil {
			return err
		}
		system = r.Text("url")
	}
	for i := range list {
		if list[i].System == "" {
			list[i].System = system
		}
	}
	return nil
}

func verdict(v terminology.Validation, lang fhir.Language) *interaction.Reply {
	r := newResult()
	r.Add("parameter").Set("name", "result").Set("valueBoolean", yesNo(v.Verdict == terminology.Yes))
	if len(v.Issues) > 0 {
		text := v.Issues[0].Message.En
		if lang == fhir.Japanese {
			text = v.Issues[0].Message.Ja
		}
		r.add("message", "valueString", text)
	} else if v.Verdict == terminology.Unknown {
		r.add("message", "valueString", "the server does not hold what is needed to tell")
	}
	return r.add("display", "valueString", v.Match.Display).reply()
}

// codings reads code+system, coding or codeableConcept.
func codings(in Input) []terminology.Coding {
	if code := in.Text("code"); code != "" {
		return []terminology.Coding{{System: in.Text("system"), Version: in.Text("version"), Code: code, Display: in.Text("display")}}
	}
	var list []terminology.Coding
	read := func(c *fhir.Element) {
		list = append(list, terminology.Coding{System: c.Text("system"), Version: c.Text("version"), Code: c.Text("code"), Display: c.Text("display")})
	}
	if c := in.Element("coding"); c != nil {
		read(c)
	}
	if concept := in.Element("codeableConcept"); concept != nil {
		for c := range concept.All("coding") {
			read(c)
		}
	}
	return list
}
