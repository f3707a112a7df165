package fhirpath_test

import (
	"encoding/json"
	"strings"
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
	checkInvariants(t)
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
	n, checked := 0, 0
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
				if !strings.HasPrefix(expression, name+".") || strings.Contains(expression, "|") {
					continue
				}
				checked++
				if err := x.Check(focus); err != nil {
					t.Errorf("%s.%s: %v\n\t%s", name, p.Code, err, expression)
				}
			}
		}
	}
	t.Logf("%d expressions, %d checked against their type", n, checked)
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

// badInvariants break the rules Check looks for, as R4 publishes them.
var badInvariants = map[string]string{
	"cid-0": "ChargeItemDefinition has no name in R4",
}

// checkInvariants checks the invariants of every type against the type.
func checkInvariants(t *testing.T) {
	t.Helper()
	for _, url := range r4.ConformanceURLs("StructureDefinition") {
		name := url[strings.LastIndexByte(url, '/')+1:]
		focus, ok := r4.TypeByName(name)
		if !ok {
			continue
		}
		for _, c := range focus.Constraints {
			x, err := fhirpath.Compile(c.Expression)
			if err != nil {
				continue // reported by the caller
			}
			err = x.Check(focus)
			if reason := badInvariants[c.Key]; (err != nil) != (reason != "") {
				t.Errorf("%s %s: %v; listed as %q\n\t%s", name, c.Key, err, reason, c.Expression)
			}
		}
	}
}
