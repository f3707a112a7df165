package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir/terminology"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// subsumes tells how two codes of one system stand to each other.
// https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
func (e *Env) subsumes() Operation {
	return Operation{
		Name: "subsumes", Definition: "http://hl7.org/fhir/OperationDefinition/CodeSystem-subsumes",
		Type: true, Instance: true, Types: []string{"CodeSystem"}, Run: e.runSubsumes,
	}
}

func (e *Env) runSubsumes(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	req := terminology.SubsumesRequest{System: in.Text("system"), Version: in.Text("version"), A: in.Text("codeA"), B: in.Text("codeB")}
	if a, b := in.Element("codingA"), in.Element("codingB"); a != nil && b != nil {
		req.System, req.A, req.B = a.Text("system"), a.Text("code"), b.Text("code")
	}
	if in.ID != "" {
		r, err := e.read(ctx, c, in)
		if err != nil {
			return nil, err
		}
		req.System = r.Text("url")
	}
	for name, value := range map[string]string{"system": req.System, "codeA": req.A, "codeB": req.B} {
		if value == "" {
			return nil, missing(name)
		}
	}
	terms, err := e.terms(ctx, c, nil, req.System)
	if err != nil {
		return nil, err
	}
	outcome, err := terms.Subsumes(ctx, req)
	if err != nil {
		return nil, termsProblem(err)
	}
	return newResult().add("outcome", "valueCode", string(outcome)).reply(), nil
}
