package fhirpath_test

import (
	"path/filepath"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// BenchmarkSearchExpressions evaluates the search parameters of Observation,
// each branch of a union that is for Observation by itself, as indexing does.
// Budget: 15 µs for all.
func BenchmarkSearchExpressions(b *testing.B) {
	focus := observation(b)
	var compiled []*fhirpath.Expression
	for _, s := range []string{
		"Observation.basedOn", "Observation.category", "Observation.code", "Observation.component.code",
		"Observation.component.value.ofType(CodeableConcept)", "(Observation.component.value as Quantity)",
		"Observation.effective", "Observation.encounter", "Observation.identifier", "Observation.performer",
		"Observation.status", "Observation.subject.where(resolve() is Patient)", "(Observation.value as Quantity)",
		"(Observation.value as string) | (Observation.value as CodeableConcept).text", "Resource.meta.lastUpdated", "Resource.id",
	} {
		x, err := fhirpath.CompileWith(s, fhirpath.Options{FilterAs: true})
		if err != nil {
			b.Fatal(err)
		}
		compiled = append(compiled, x)
	}
	patient, _ := r4.TypeByName("Patient")
	stub := &fhir.Element{Type: patient}
	env := &fhirpath.Env{Resource: focus, Resolve: func(string) (*fhir.Element, bool) { return stub, true }}
	b.ReportAllocs()
	var out fhirpath.Collection
	for b.Loop() {
		for _, x := range compiled {
			var err error
			if out, err = x.Append(out[:0], env, fhirpath.Node{Element: focus}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkInvariants evaluates every invariant of R4 on every element of an
// Observation. Budget: 150 µs.
func BenchmarkInvariants(b *testing.B) {
	focus := observation(b)
	type check struct {
		x *fhirpath.Expression
		e *fhir.Element
	}
	cache := map[string]*fhirpath.Expression{}
	var checks []check
	focus.Walk(func(e *fhir.Element) bool {
		var constraints []r4.Constraint
		if e.Type != nil {
			constraints = append(constraints, e.Type.Constraints...)
		}
		if e.Def != nil {
			constraints = append(constraints, e.Def.Constraints...)
		}
		for _, c := range constraints {
			x := cache[c.Expression]
			if x == nil {
				var err error
				if x, err = fhirpath.CompileWith(c.Expression, fhirpath.Options{FilterAs: true}); err != nil {
					b.Fatal(err)
				}
				cache[c.Expression] = x
			}
			checks = append(checks, check{x, e})
		}
		return true
	})
	env := &fhirpath.Env{Resource: focus, RootResource: focus}
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range checks {
			if _, _, err := c.x.EvaluateBool(env, c.e); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(len(checks)), "invariants")
}

// BenchmarkCompile compiles an invariant of middling length. Budget: 10 µs.
func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fhirpath.Compile("component.empty() or (value.exists() implies component.code.coding.where(system = 'http://loinc.org').exists())"); err != nil {
			b.Fatal(err)
		}
	}
}

func observation(b *testing.B) *fhir.Element {
	b.Helper()
	return readResource(b, filepath.Join(suiteDir, "observation-example.xml"))
}
