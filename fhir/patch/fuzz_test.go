package patch_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
)

// FuzzPatch looks for patches that break the package, change their input,
// change an id, or give what cannot be read again.
func FuzzPatch(f *testing.F) {
	for _, c := range cases(f) {
		f.Add(c.kind, c.resource, c.patch)
	}
	f.Fuzz(func(t *testing.T, kind, resource, p string) {
		input, err := fhirjson.Decode([]byte(resource), fhirjson.Options{})
		if err != nil {
			return
		}
		before := asJSON(input)
		got, err := fuzzed(kind, input, p)
		if asJSON(input) != before {
			t.Fatal("the input changed")
		}
		if err != nil || got == nil {
			return
		}
		if got.ID() != input.ID() || got.ResourceType() != input.ResourceType() {
			t.Error("the identity changed")
		}
		if _, err := fhirjson.Decode(fhirjson.Append(nil, got), fhirjson.Options{}); err != nil {
			t.Errorf("the result cannot be read: %v", err)
		}
	})
}

func fuzzed(kind string, input *fhir.Element, p string) (*fhir.Element, error) {
	switch kind {
	case "json":
		return patch.JSON(input, []byte(p))
	case "merge":
		return patch.Merge(input, []byte(p))
	}
	params, err := fhirjson.Decode([]byte(p), fhirjson.Options{})
	if err != nil {
		return nil, err
	}
	return patch.FHIRPath(input, params)
}
