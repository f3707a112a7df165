package api

import (
	"net/http"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// bundle answers a batch or transaction.
func bundle(x *exchange) error {
	b, err := x.resource()
	if err != nil {
		return err
	}
	if b.ResourceType() != "Bundle" {
		return interaction.Refuse(interaction.BadRequest, fhir.Invalid, "bundle-expected", fhir.Messagef(
			"the service base takes a Bundle of type batch or transaction",
			"サービスのベース URL には batch または transaction の Bundle を送ってください"))
	}
	do := x.api.cfg.Service.Transaction
	switch b.Text("type") {
	case "transaction":
	case "batch":
		do = x.api.cfg.Service.Batch
	default:
		return interaction.RefuseAll(interaction.BadRequest, fhir.Issues{{Severity: fhir.Error, Code: fhir.Value,
			ID: "bundle-type", Expression: "Bundle.type", Message: fhir.Messagef(
				"the service base takes a Bundle of type batch or transaction",
				"サービスのベース URL には batch または transaction の Bundle を送ってください")}})
	}
	out, err := do(x.Request.Context(), x.call, b)
	if err != nil {
		return err
	}
	return x.sendBundle(out)
}

// options answers OPTIONS on the base with the CapabilityStatement, but for
// browsers that only ask whether they may.
func options(x *exchange) error {
	if x.GetHeader("Access-Control-Request-Method") != "" {
		x.Writer.WriteHeader(http.StatusNoContent)
		x.Writer.WriteHeaderNow()
		return nil
	}
	return metadata(x)
}

func isOperation(name string) bool { return strings.HasPrefix(name, "$") }

func operationOnType(x *exchange) error {
	if !isOperation(x.Param("id")) {
		x.Header("Allow", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
		return notHere(x)
	}
	return x.operation(interaction.OperationRequest{Type: x.Param("type"), Name: x.Param("id")})
}

func operationOnInstance(x *exchange) error {
	if !isOperation(x.Param("member")) {
		x.Header("Allow", "GET, HEAD, OPTIONS")
		return notHere(x)
	}
	return x.operation(interaction.OperationRequest{Type: x.Param("type"), ID: x.Param("id"), Name: x.Param("member")})
}

func notHere(x *exchange) error {
	return interaction.Refuse(interaction.Unallowed, fhir.NotSupported, "method", fhir.Messagef(
		"this address does not take the method %s", "この URL では %s メソッドを利用できません", x.Request.Method))
}

// operation runs an operation by GET or POST.
func (x *exchange) operation(ask interaction.OperationRequest) error {
	if ask.Type != "" {
		if err := x.knownType(); err != nil {
			return err
		}
	}
	ask.Query, ask.Post = x.rawQuery(), x.Request.Method == http.MethodPost
	if ask.Name == "$intake" && ask.Type == "" && x.api.cfg.Intake != nil {
		return x.intake()
	}
	if ask.Name == "$graphql" && x.api.cfg.GraphQL != nil {
		return x.graphQL(ask)
	}
	if ask.Post && x.Request.ContentLength != 0 {
		body, err := x.resource()
		if err != nil {
			return err
		}
		ask.Body = body
	}
	reply, err := x.api.cfg.Operations.Run(x.Request.Context(), x.call, ask)
	if err != nil {
		return err
	}
	return x.sendReply(reply)
}
