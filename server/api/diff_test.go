package api_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

func TestDiff(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p","active":true}`).Want(201)
	c.Update(`{"resourceType":"Patient","id":"p","active":false,"birthDate":"1940-02-03"}`).Want(200)
	tests := []struct {
		name, path string
		status     int
		wants      []string
	}{
		{"the last change", "Patient/p/$diff", 200, []string{`"replace"`, `"Patient.active"`, `"valueBoolean":false`, `"add"`, `"birthDate"`}},
		{"backwards", "Patient/p/$diff?from=2&to=1", 200, []string{`"valueBoolean":true`, `"delete"`, `"Patient.birthDate"`}},
		{"nothing changed", "Patient/p/$diff?from=2&to=2", 200, []string{`{"resourceType":"Parameters"}`}},
		{"before the first version", "Patient/p/$diff?to=1", 400, []string{"diff-version"}},
		{"not a number", "Patient/p/$diff?from=x", 400, []string{"diff-version"}},
		{"no such version", "Patient/p/$diff?from=9", 404, []string{"OperationOutcome"}},
		{"no such resource", "Patient/q/$diff", 404, []string{"OperationOutcome"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := c.On(t).Do("GET", tt.path, "").Want(tt.status)
			for _, want := range tt.wants {
				if !strings.Contains(string(r.Body), want) {
					t.Errorf("the answer lacks %s: %s", want, r.Body)
				}
			}
		})
	}
}
