package search_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// TestListed looks for resources in the lists they are in: the ranges of a
// criterion, with those that AlsoIn adds, must find among the listed keys what the
// ranges alone find among all keys.
func TestListed(t *testing.T) {
	r := newRegistry(t)
	queries := []string{
		"combo-code=a", "combo-code:missing=false", "combo-code:text=a", "combo-value-quantity:missing=false", "combo-value-concept:missing=false",
		"combo-data-absent-reason:missing=false", "combo-code-value-quantity=a$gt1", "combo-code-value-quantity=b$lt5", "combo-code-value-concept=a$b",
		"code:missing=false", "value-quantity:missing=false", "value-quantity=gt1", "code-value-quantity=a$gt1", "component-code:missing=false",
		"combo-value-quantity=185||mm[Hg]", "combo-value-quantity=gt5", "combo-code=http://loinc.org|",
	}
	unlisted, hits := 0, map[bool]int{}
	check := func(fail func(string, ...any), o *fhir.Element) {
		keys, err := r.Keys(o)
		if err != nil {
			t.Fatal(err)
		}
		typ := o.ResourceType()
		listed := slices.DeleteFunc(slices.Clone(keys), func(k []byte) bool { return !search.Listed(typ, k, keys) })
		unlisted += len(keys) - len(listed)
		if typ != "Observation" {
			if len(keys) != len(listed) {
				fail("%s: %d of %d keys are listed", typ, len(listed), len(keys))
			}
			return
		}
		for _, k := range keys {
			code, _, _ := strings.Cut(string(k), "\x00")
			if _, ok := search.AlsoIn(typ, search.Range{Low: []byte("combo-" + code + "\x00")}); ok && !slices.ContainsFunc(keys, func(o []byte) bool { return string(o) == "combo-"+string(k) }) {
				fail("it has %q, and no key of combo-%s", k, code)
			}
		}
		for _, query := range queries {
			req, err := r.Parse("Observation", query)
			if err != nil {
				t.Fatal(err)
			}
			ranges, _, err := req.Query.Where[0].Ranges()
			if err != nil {
				t.Fatal(err)
			}
			want, got := false, false
			for _, one := range ranges {
				want = want || slices.ContainsFunc(keys, one.Contains)
				got = got || slices.ContainsFunc(listed, one.Contains)
				if also, ok := search.AlsoIn(typ, one); ok {
					got = got || slices.ContainsFunc(listed, also.Contains)
				}
			}
			if got != want {
				fail("%s: %v by the lists, %v by the keys", query, got, want)
			}
			hits[want]++
		}
	}
	t.Run("examples", func(t *testing.T) {
		for e, err := range fhirtest.Some(os.DirFS("../..")) {
			if err != nil {
				t.Fatal(err)
			}
			check(func(format string, args ...any) { t.Errorf(e.Name+": "+format, args...) }, decode(t, string(e.JSON)))
		}
	})
	t.Run("random", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			o, err := fhirjson.Decode([]byte(observation(t)), fhirjson.Options{})
			if err != nil {
				t.Fatal(err)
			}
			check(t.Fatalf, o)
		})
	})
	if unlisted == 0 || hits[true] == 0 || hits[false] == 0 {
		t.Errorf("%d keys are not listed, %v criteria are met", unlisted, hits)
	}
}
