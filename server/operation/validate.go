package operation

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// validate checks a resource without storing it: the one sent or, at the
// instance level, the one stored.
// https://hl7.org/fhir/R4/resource-operation-validate.html
func (e *Env) validate() Operation {
	return Operation{
		Name: "validate", Definition: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
		System: true, Type: true, Instance: true, Run: e.runValidate,
	}
}

func (e *Env) runValidate(ctx context.Context, c interaction.Call, in Input) (*interaction.Reply, error) {
	mode := in.Text("mode")
	switch mode {
	case "", "create", "update", "profile", "delete":
	default:
		return nil, interaction.Refuse(interaction.BadRequest, fhir.Value, "mode", fhir.Messagef(
			"mode is create, update, delete or profile", "mode は create・update・delete・profile のいずれかです"))
	}
	resource := in.Resource("resource")
	if in.ID != "" && (resource == nil || mode == "delete" || mode == "profile") {
		stored, err := e.read(ctx, c, in)
		if err != nil {
			return nil, err
		}
		if resource == nil {
			resource = stored
		}
	}
	if resource == nil {
		return nil, missing("resource")
	}
	resource = asRoot(resource)
	issues := e.identity(in, mode, resource)
	if mode != "delete" {
		issues = append(issues, e.Validator.Validate(ctx, resource, validate.Options{Profiles: in.Texts("profile")})...)
	}
	if len(issues) == 0 {
		issues = fhir.Issues{{Severity: fhir.Information, Code: fhir.Informational, ID: "valid",
			Message: fhir.Messagef("no issues found", "問題は見つかりませんでした")}}
	}
	return &interaction.Reply{Resource: fhir.Outcome(issues, c.Language)}, nil
}

// identity checks type and id against the URL.
func (e *Env) identity(in Input, mode string, resource *fhir.Element) fhir.Issues {
	var issues fhir.Issues
	wrong := func(m fhir.Message) {
		issues = append(issues, fhir.Issue{Severity: fhir.Error, Code: fhir.Invalid, ID: "identity", Message: m, Expression: resource.ResourceType()})
	}
	if in.Type != "" && resource.ResourceType() != in.Type {
		wrong(fhir.Messagef("the resource is a %s, the URL says %s", "リソースは %s ですが、URL は %s です", resource.ResourceType(), in.Type))
	}
	if mode == "update" && in.ID != "" && resource.ID() != in.ID {
		wrong(fhir.Messagef("an update needs the id of the URL in the resource", "更新ではリソースに URL と同じ id が必要です"))
	}
	return issues
}

// asRoot returns the resource of a parameter as a root of its own.
func asRoot(e *fhir.Element) *fhir.Element {
	root := *e
	root.Name, root.Def, root.List = "", nil, false
	return &root
}
