package policy_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

const (
	crowd     = 2_000 // people
	ownOf     = 48    // records of each
	consentIn = 2     // one in so many consented
)

// crowded is a store with about 100,000 resources and a policy over it.
func crowded(b *testing.B) (*embedded.Engine, *policy.Policy, *search.Registry) {
	b.Helper()
	st, err := embedded.OpenMemory(embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() }) // in memory
	registry, err := search.NewRegistry()
	if err != nil {
		b.Fatal(err)
	}
	for n := range crowd {
		patient := fmt.Sprint("p", n)
		var tx store.Tx
		put := func(e *fhir.Element, l search.Labels) { tx.Writes = append(tx.Writes, write(registry, e, l)) }
		about := []string{patient}
		put(fhir.NewResource("Patient").Set("id", patient), search.Labels{Patients: about})
		if n%consentIn == 0 {
			t := sharing.Terms{Patient: patient, Active: true, Permit: true, Recipients: []string{"manager"}}
			put(t.Resource().Set("id", "c"+patient), search.Labels{Patients: about, Author: "manager"})
		}
		for i := range ownOf {
			o := fhir.NewResource("Observation").Set("id", fmt.Sprint(patient, "-", i)).Set("status", "final")
			o.Add("meta").Add("security").Set("system", care.FormSystem).Set("code", care.LifeFeedback)
			o.Add("code").Add("coding").Set("system", "http://loinc.org").Set("code", fmt.Sprint(i%8))
			o.Add("subject").Set("reference", "Patient/"+patient)
			put(o, search.Labels{Form: care.LifeFeedback, Author: fmt.Sprint("office", n%40), Patients: about})
		}
		if _, err := st.Apply(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
	p, err := policy.New(st)
	if err != nil {
		b.Fatal(err)
	}
	return st, p, registry
}

func write(registry *search.Registry, e *fhir.Element, l search.Labels) store.Write {
	return store.Write{Key: store.Key{Type: e.ResourceType(), ID: e.ID()}, Method: store.Create, Labels: l,
		Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) {
			keys, err := registry.Keys(e)
			return fhirjson.Append(nil, e), keys, err
		}}
}

// BenchmarkOverhead compares an unrestricted internal caller with one under the
// matrix: asking the policy and evaluating the predicate are part of the latter.
func BenchmarkOverhead(b *testing.B) {
	st, p, registry := crowded(b)
	manager := policy.Caller{Client: "m", Kind: policy.CareManagerOffice, Organization: "manager", Scopes: policy.Everything(p.Matrix(), policy.CareManagerOffice)}
	callers := []struct {
		name   string
		caller policy.Caller
	}{{"unrestricted", policy.Caller{Unrestricted: true}}, {"matrix", manager}}
	for _, query := range []string{"code=http://loinc.org|3&_count=20", "patient=Patient/p100&_count=20", "code=http://loinc.org|3&_count=20&_total=accurate"} {
		request, err := registry.Parse("Observation", query)
		if err != nil {
			b.Fatal(err)
		}
		for _, c := range callers {
			b.Run("search/"+query+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					q := request.Query
					q.Must = must(b, p, c.caller)
					page, err := st.Search(b.Context(), q)
					if err != nil || len(page.Versions) != 20 {
						b.Fatalf("%d found, %v", len(page.Versions), err)
					}
				}
			})
		}
	}
	for _, c := range callers {
		b.Run("read/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			key := store.Key{Type: "Observation", ID: "p100-7"}
			for b.Loop() {
				m := must(b, p, c.caller)
				v, err := st.Read(b.Context(), key)
				if err != nil || !m.Allows(key.Type, key.ID, v.Labels) {
					b.Fatal(err)
				}
			}
		})
	}
}

func must(b *testing.B, p *policy.Policy, c policy.Caller) search.Must {
	m, err := p.Visibility(context.Background(), c)
	if err != nil {
		b.Fatal(err)
	}
	return m
}
