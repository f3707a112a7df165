package validate_test

import (
	"os"
	"slices"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// TestExamples checks the examples of HL7: all of them where they were fetched
// (make examples), otherwise the committed ones. None has an error but those
// listed with their reason.
func TestExamples(t *testing.T) {
	project := os.DirFS("../..")
	v, err := validate.New(validate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	examples, name := fhirtest.Some(project), "committed"
	if fhirtest.HasAll(project) && !testing.Short() {
		examples, name = fhirtest.All(project), "all"
	}
	disputed := map[string][]string{}
	for id, files := range readList(t, "testdata/examples-disputed.txt") {
		for _, f := range files {
			disputed[f] = append(disputed[f], id)
		}
	}
	n, excused := 0, 0
	for x, err := range examples {
		if err != nil {
			t.Fatal(err)
		}
		r, err := fhirjson.Decode(x.JSON, fhirjson.Options{MaxBytes: len(x.JSON) + 1})
		if err != nil {
			t.Errorf("%s: %v", x.Name, err)
			continue
		}
		n++
		var found []string
		for _, i := range v.Validate(t.Context(), r, validate.Options{Source: x.JSON}) {
			if i.Severity != fhir.Error {
				continue
			}
			if found = append(found, i.ID); !slices.Contains(disputed[x.Name], i.ID) {
				t.Errorf("%s:%d:%d: %s: %s: %s", x.Name, i.Line, i.Column, i.Expression, i.ID, i.Message.En)
			}
		}
		for _, id := range disputed[x.Name] {
			if excused++; !slices.Contains(found, id) {
				t.Errorf("%s is listed for %s but does not break it", x.Name, id)
			}
		}
	}
	t.Logf("%d examples (%s), %d listed faults", n, name, excused)
}
