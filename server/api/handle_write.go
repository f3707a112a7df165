package api

import (
	"mime"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

func create(x *exchange) error {
	if isOperation(x.Param("type")) {
		return x.operation(interaction.OperationRequest{Name: x.Param("type")})
	}
	if err := x.knownType(); err != nil {
		return err
	}
	resource, err := x.resource()
	if err != nil {
		return err
	}
	var criteria *string
	if q := x.GetHeader("If-None-Exist"); q != "" {
		criteria = &q
	}
	return x.written(x.api.cfg.Service.Create(x.Request.Context(), x.call, x.Param("type"), resource, criteria))
}

// knownType refuses an unknown type before the body is looked at.
func (x *exchange) knownType() error {
	if interaction.IsResourceType(x.Param("type")) {
		return nil
	}
	return interaction.Refuse(interaction.Unknown, fhir.NotSupported, "type-unknown", fhir.Messagef(
		"%q is not a resource type of FHIR R4", "%q は FHIR R4 のリソース型ではありません", x.Param("type")))
}

func (x *exchange) written(w interaction.Written, err error) error {
	if err != nil {
		return err
	}
	return x.sendWritten(w)
}

// sent reads body and conditions of an update.
func (x *exchange) sent() (*fhir.Element, interaction.Condition, error) {
	if err := x.knownType(); err != nil {
		return nil, interaction.Condition{}, err
	}
	cond, err := x.condition()
	if err != nil {
		return nil, cond, err
	}
	resource, err := x.resource()
	return resource, cond, err
}

func update(x *exchange) error {
	resource, cond, err := x.sent()
	if err != nil {
		return err
	}
	return x.written(x.api.cfg.Service.Update(x.Request.Context(), x.call, x.key(), resource, cond))
}

func updateMatching(x *exchange) error {
	resource, cond, err := x.sent()
	if err != nil {
		return err
	}
	return x.written(x.api.cfg.Service.UpdateMatching(x.Request.Context(), x.call, x.Param("type"), x.rawQuery(), resource, cond))
}

// sentPatch reads the patch in the body and the conditions.
func (x *exchange) sentPatch() (interaction.Patch, interaction.Condition, error) {
	if err := x.knownType(); err != nil {
		return nil, interaction.Condition{}, err
	}
	cond, err := x.condition()
	if err != nil {
		return nil, cond, err
	}
	if formatOf(x.GetHeader("Content-Type")) != noFormat {
		params, err := x.resource()
		if err != nil {
			return nil, cond, err
		}
		p, err := interaction.PatchOf(params)
		return p, cond, err
	}
	name, _, err := mime.ParseMediaType(x.GetHeader("Content-Type"))
	if err != nil || name != "application/json-patch+json" && name != "application/merge-patch+json" {
		return nil, cond, interaction.Refuse(interaction.MediaType, fhir.NotSupported, "media-type", fhir.Messagef(
			"a patch is sent as application/json-patch+json, application/merge-patch+json or application/fhir+json (FHIRPath Patch)",
			"パッチは application/json-patch+json、application/merge-patch+json、または application/fhir+json(FHIRPath Patch)で送ってください"))
	}
	data, err := x.body()
	if err != nil {
		return nil, cond, err
	}
	p, err := interaction.PatchFrom(name, data)
	return p, cond, err
}

func patchOne(x *exchange) error {
	p, cond, err := x.sentPatch()
	if err != nil {
		return err
	}
	return x.written(x.api.cfg.Service.Patch(x.Request.Context(), x.call, x.key(), p, cond))
}

func patchMatching(x *exchange) error {
	p, cond, err := x.sentPatch()
	if err != nil {
		return err
	}
	return x.written(x.api.cfg.Service.PatchMatching(x.Request.Context(), x.call, x.Param("type"), x.rawQuery(), p, cond))
}

func deleteOne(x *exchange) error {
	cond, err := x.condition()
	if err != nil {
		return err
	}
	return x.written(x.api.cfg.Service.Delete(x.Request.Context(), x.call, x.key(), cond))
}

func deleteMatching(x *exchange) error {
	cond, err := x.condition()
	if err != nil {
		return err
	}
	return x.written(x.api.cfg.Service.DeleteMatching(x.Request.Context(), x.call, x.Param("type"), x.rawQuery(), cond))
}
