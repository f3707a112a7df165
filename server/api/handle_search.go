package api

import (
	"mime"
	"net/http"
	"net/url"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/store"
)

func searchSystem(x *exchange) error { return x.search(interaction.SearchRequest{}) }

func searchType(x *exchange) error {
	if isOperation(x.Param("type")) {
		return x.operation(interaction.OperationRequest{Name: x.Param("type")})
	}
	return x.search(interaction.SearchRequest{Type: x.Param("type")})
}

// searchCompartment answers Patient/1/Observation and Patient/1/*.
func searchCompartment(x *exchange) error {
	member := x.Param("member")
	if isOperation(member) {
		return x.operation(interaction.OperationRequest{Type: x.Param("type"), ID: x.Param("id"), Name: member})
	}
	if member == "*" {
		member = ""
	}
	return x.search(interaction.SearchRequest{Type: member, Compartment: store.Key{Type: x.Param("type"), ID: x.Param("id")}})
}

func (x *exchange) search(ask interaction.SearchRequest) error {
	query, err := x.criteria()
	if err != nil {
		return err
	}
	ask.Query = query
	b, err := x.api.cfg.Service.Search(x.Request.Context(), x.call, ask)
	if err != nil {
		return err
	}
	return x.sendBundle(b)
}

// criteria returns the raw query, that of a form in the body added.
func (x *exchange) criteria() (string, error) {
	query := x.rawQuery()
	if x.Request.Method != http.MethodPost {
		return query, nil
	}
	data, err := x.body()
	if err != nil || len(data) == 0 {
		return query, err
	}
	if name, _, err := mime.ParseMediaType(x.GetHeader("Content-Type")); err != nil || name != "application/x-www-form-urlencoded" {
		return "", interaction.Refuse(interaction.MediaType, fhir.NotSupported, "media-type", fhir.Messagef(
			"a search by POST sends its parameters as application/x-www-form-urlencoded",
			"POST による検索のパラメータは application/x-www-form-urlencoded で送ってください"))
	}
	if form := string(data); query != "" {
		query += "&" + form
	} else {
		query = form
	}
	if values, err := url.ParseQuery(query); err == nil && values.Has("_format") {
		if f, err := negotiate("", values.Get("_format")); err == nil {
			x.format = f
		} else {
			return "", err
		}
	}
	return query, nil
}
