package search_test

import (
	"bytes"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// TestTimelineOfSubject takes the keys of resources: a timeline kept by another
// key must be of a key that the same resources have.
func TestTimelineOfSubject(t *testing.T) {
	r := newRegistry(t)
	moved := map[string]int{}
	check := func(resource *fhir.Element) {
		keys, err := r.Keys(resource)
		if err != nil {
			t.Fatal(err)
		}
		typ := resource.ResourceType()
		var kept [][]byte
		for _, k := range keys {
			by, list := search.Timeline(typ, k)
			if by == nil {
				continue
			}
			if bytes.Equal(k, list) {
				kept = append(kept, k)
				continue
			}
			moved[typ]++
			if _, found := slices.BinarySearchFunc(keys, list, bytes.Compare); !found {
				t.Errorf("%s: the timeline of %q is kept by %q, which it has not", typ, k, list)
			}
		}
		for _, list := range kept { // each patient's timeline is found by his subject too
			if patient, ok := bytes.CutPrefix(list, []byte("patient\x00")); ok && moved[typ] > 0 {
				subject := append([]byte("subject\x00"), patient...)
				if _, found := slices.BinarySearchFunc(keys, subject, bytes.Compare); !found {
					t.Errorf("%s has %q and not %q", typ, list, subject)
				}
			}
		}
	}
	for e, err := range fhirtest.Some(os.DirFS("../..")) {
		if err != nil {
			t.Fatal(err)
		}
		resource, err := fhirjson.Decode(e.JSON, fhirjson.Options{})
		if err != nil {
			t.Fatal(err)
		}
		check(resource)
	}
	rapid.Check(t, func(t *rapid.T) {
		resource, err := fhirjson.Decode([]byte(observation(t)), fhirjson.Options{})
		if err != nil {
			t.Fatal(err)
		}
		check(resource)
	})
	if len(moved) < 10 || moved["Observation"] == 0 {
		t.Errorf("kept by another key: %v", moved)
	}
}
