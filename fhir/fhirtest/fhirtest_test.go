package fhirtest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

var project = os.DirFS("../..")

// noExample are the resource types of which HL7 published no example, listed so
// that one that appears is noticed.
var noExample = []string{
	"Parameters", "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein",
	"SubstanceReferenceInformation", "SubstanceSourceMaterial",
}

func TestSomeHasEveryType(t *testing.T) {
	seen := map[string]bool{}
	for x, err := range Some(project) {
		if err != nil {
			t.Fatal(err)
		}
		typ, _, _ := strings.Cut(x.Name, "-")
		seen[typ] = true
	}
	for _, typ := range r4.ResourceTypes() {
		if seen[typ] == slices.Contains(noExample, typ) {
			t.Errorf("%s: example %v, listed as without %v", typ, seen[typ], !seen[typ])
		}
	}
}

func TestSums(t *testing.T) {
	data, err := os.ReadFile("../../" + someExamples)
	if err != nil {
		t.Fatal(err)
	}
	sources, err := os.ReadFile("../../testdata/fhir-r4/SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(data)); !strings.Contains(string(sources), sum) {
		t.Errorf("SOURCES.md does not record sha256 %s", sum)
	}
}

func TestDifference(t *testing.T) {
	tests := []struct{ name, a, b, want string }{
		{"same", `{"a":[1,{"b":"c"}],"d":true}`, `{ "d": true, "a": [1, {"b": "c"}] }`, ""},
		{"digits", `{"a":1.10}`, `{"a":1.1}`, "$.a"},
		{"exponent", `{"a":1E3}`, `{"a":1000}`, "$.a"},
		{"missing", `{"a":{"b":1,"c":2}}`, `{"a":{"b":1}}`, "$.a.c"},
		{"added", `{"a":{"b":1}}`, `{"a":{"b":1,"c":2}}`, "$.a.c"},
		{"order of an array", `{"a":[1,2]}`, `{"a":[2,1]}`, "$.a[0]"},
		{"length", `{"a":[1]}`, `{"a":[1,1]}`, "$.a"},
		{"kind", `{"a":"1"}`, `{"a":1}`, "$.a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Difference([]byte(tt.a), []byte(tt.b))
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
