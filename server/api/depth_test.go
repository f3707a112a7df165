package api_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// The deepest resource that is taken can be read in both formats, alone and in
// Bundles, which are deeper still.
func TestDeepestResource(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	depth := 0
	for n := 70; n > 0 && depth == 0; n-- {
		item := strings.Repeat(`{"linkId":"1","type":"group","item":[`, n) + `{"linkId":"1","type":"display","text":"x"}` + strings.Repeat("]}", n)
		body := `{"resourceType":"Questionnaire","id":"q","status":"draft","item":[` + unique(item) + `]}`
		if c.Do("PUT", "Questionnaire/q", body).Status == 201 {
			depth = n
		}
	}
	if depth < 20 {
		t.Fatalf("only %d levels are taken", depth)
	}
	for _, path := range []string{"Questionnaire/q", "Questionnaire", "Questionnaire/q/_history", "Questionnaire?_summary=data"} {
		c.Read(path).Want(200)
		c.Read(path, "Accept: application/fhir+xml").Want(200)
	}
	c.Post(bundleOf("batch", "GET Questionnaire"), "Accept: application/fhir+xml").Want(200)
}

// unique gives every item a linkId of its own.
func unique(items string) string {
	var b strings.Builder
	for i, part := range strings.Split(items, `"linkId":"1"`) {
		if i > 0 {
			b.WriteString(`"linkId":"` + strings.Repeat("1", i) + `"`)
		}
		b.WriteString(part)
	}
	return b.String()
}
