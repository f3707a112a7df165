package api

import (
	"encoding/json"
	"mime"
	"net/http"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/operation"
)

// graphQL answers $graphql, whose questions and answers are not resources:
// GET with the parameter query, POST as application/json or
// application/graphql. https://hl7.org/fhir/R4/graphql.html
func (x *exchange) graphQL(ask interaction.OperationRequest) error {
	if ask.Type != "" && ask.ID == "" {
		return notHere(x)
	}
	q, err := x.graphQuery()
	if err != nil {
		return err
	}
	answer, err := x.api.cfg.GraphQL(x.Request.Context(), x.call, ask, q)
	if err != nil {
		return err
	}
	x.write(http.StatusOK, "application/json; charset=utf-8", answer)
	return nil
}

func (x *exchange) graphQuery() (q operation.GraphQLRequest, err error) {
	if x.Request.Method != http.MethodPost {
		q.Query, q.OperationName = x.Query("query"), x.Query("operationName")
		if v := x.Query("variables"); v != "" {
			err = readGraphJSON([]byte(v), &q.Variables)
		}
		return q, err
	}
	mediaType, _, err := mime.ParseMediaType(x.GetHeader("Content-Type"))
	if err != nil || mediaType != "application/json" && mediaType != "application/graphql" {
		return q, unsupportedMedia()
	}
	body, err := x.body()
	if err != nil {
		return q, err
	}
	if mediaType == "application/graphql" {
		q.Query = string(body)
		return q, nil
	}
	return q, readGraphJSON(body, &q)
}

func readGraphJSON(data []byte, into any) error {
	if json.Unmarshal(data, into) != nil {
		return interaction.Refuse(interaction.BadRequest, fhir.Structure, "graphql-json", fhir.Messagef(
			"the query is not JSON of the form {query, operationName, variables}",
			"クエリが {query, operationName, variables} の形の JSON ではありません"))
	}
	return nil
}
