package api_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

func TestGraphQL(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous().On(t)
	c.Update(`{"resourceType":"Patient","id":"p1","active":true,"name":[{"family":"山田","given":["花子"]}]}`).Want(201)
	c.Update(`{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"体重"},"subject":{"reference":"Patient/p1"},"valueQuantity":{"value":1.10,"unit":"kg"}}`).Want(201)
	tests := []struct {
		name, method, path, body string
		headers                  []servertest.Header
		status                   int
		want                     string
	}{
		{name: "instance by GET", path: "Patient/p1/$graphql?query=" + url.QueryEscape("{ name { family } active }"),
			want: `{"data":{"name":[{"family":"山田"}],"active":true}}`},
		{name: "a reference is resolved, digits kept", path: "Observation/o1/$graphql?query=" + url.QueryEscape("{ valueQuantity { value } subject { resource { ...on Patient { id } } } }"),
			want: `{"data":{"valueQuantity":{"value":1.10},"subject":{"resource":{"id":"p1"}}}}`},
		{name: "system by POST with variables", method: "POST", path: "$graphql", headers: []servertest.Header{"Content-Type: application/json"},
			body: `{"query":"query q($p: ID) { Patient(id: $p) { id ObservationList(_reference: subject) { id } } }","variables":{"p":"p1"}}`,
			want: `{"data":{"Patient":{"id":"p1","ObservationList":[{"id":"o1"}]}}}`},
		{name: "list", path: "$graphql?query=" + url.QueryEscape("{ PatientList(name: \"山田\") { id } }"), want: `{"data":{"PatientList":[{"id":"p1"}]}}`},
		{name: "connection", path: "$graphql?query=" + url.QueryEscape("{ PatientConnection(_count: 1) { count edges { mode resource { id } } next } }"),
			want: `{"data":{"PatientConnection":{"count":1,"edges":[{"mode":"match","resource":{"id":"p1"}}]}}}`},
		{name: "bad query", path: "Patient/p1/$graphql?query=" + url.QueryEscape("{ name"), status: 400, want: "graphql-syntax"},
		{name: "unknown field", path: "Patient/p1/$graphql?query=" + url.QueryEscape("{ nmae }"), status: 400, want: "graphql-field-unknown"},
		{name: "unknown search parameter value", path: "$graphql?query=" + url.QueryEscape("{ PatientList(birthdate: \"x\") { id } }"), status: 400, want: "OperationOutcome"},
		{name: "no such resource", path: "Patient/nobody/$graphql?query=" + url.QueryEscape("{ id }"), status: 404, want: "not-found"},
		{name: "type level", path: "Patient/$graphql?query=" + url.QueryEscape("{ id }"), status: 405, want: "not-supported"},
		{name: "wrong media type", method: "POST", path: "$graphql", headers: []servertest.Header{"Content-Type: text/plain"}, body: "{ x }", status: 415, want: "OperationOutcome"},
		{name: "broken JSON", method: "POST", path: "$graphql", headers: []servertest.Header{"Content-Type: application/json"}, body: `{"query":`, status: 400, want: "graphql-json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			method, status := tt.method, tt.status
			if method == "" {
				method = "GET"
			}
			if status == 0 {
				status = 200
			}
			r := c.On(t).Do(method, tt.path, tt.body, tt.headers...).Want(status)
			if status == 200 && string(r.Body) != tt.want || !strings.Contains(string(r.Body), tt.want) {
				t.Errorf("got %s\nwant %s", r.Body, tt.want)
			}
		})
	}
}
