package audit

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// always explains everything by the rule named like its form.
type always struct{}

func (always) ExplainAll(_ context.Context, _ policy.Caller, items []policy.Item) ([]policy.Decision, error) {
	d := make([]policy.Decision, len(items))
	for i := range items {
		d[i].Rules = []string{items[i].Labels.Form}
	}
	return d, nil
}

// one is a store with one resource.
type one struct {
	store.Store
	version store.Version
}

func (o one) Read(_ context.Context, key store.Key) (store.Version, error) {
	if key != o.version.Key {
		return store.Version{}, store.ErrNotFound
	}
	return o.version, nil
}

func TestEventsByPerson(t *testing.T) {
	plan := store.Key{Type: "CarePlan", ID: "1"}
	hidden := store.Version{Key: plan, Version: 2, Labels: search.Labels{Form: "R20", Patients: []string{"p"}}}
	seen := func(id, form string, patients ...string) interaction.Seen {
		return interaction.Seen{Key: store.Key{Type: "CarePlan", ID: id}, Version: 1, Labels: search.Labels{Form: form, Patients: patients}}
	}
	refused := interaction.Refuse(interaction.Unknown, fhir.NotFound, "not-found", fhir.Messagef("x", "x"))
	type want struct {
		Patient, Refusal string
		What             int
		Rules            []string
	}
	tests := []struct {
		name   string
		access interaction.Access
		want   []want
	}{
		{"nothing found", interaction.Access{}, []want{{}}},
		{"several people", interaction.Access{Seen: []interaction.Seen{seen("1", "R5", "p"), seen("2", "R6", "q"), seen("3", "R6", "p"), seen("4", "R9")}},
			[]want{{"p", "", 2, []string{"R5", "R6"}}, {"q", "", 1, []string{"R6"}}, {"", "", 1, []string{"R9"}}}},
		{"refused, hidden", interaction.Access{Asked: plan, Refused: refused}, []want{{"p", "not-found", 1, []string{"R20"}}}},
		{"refused, absent", interaction.Access{Asked: store.Key{Type: "CarePlan", ID: "2"}, Refused: refused}, []want{{"", "not-found", 1, []string{""}}}},
		{"refused search", interaction.Access{Refused: refused}, []want{{"", "not-found", 0, nil}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRecorder(nil, always{}, one{version: hidden})
			events, err := r.events(t.Context(), &tt.access)
			if err != nil {
				t.Fatal(err)
			}
			var got []want
			for _, e := range events {
				got = append(got, want{e.Patient, e.Refusal, len(e.What), e.Rules})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParametersAreNamesOnly(t *testing.T) {
	tests := map[string][]string{
		"":                                     nil,
		"name=%E5%B1%B1%E7%94%B0&_count=10":    {"name", "_count"},
		"subject:Patient.name=x&name=y&name=z": {"subject:Patient.name", "name"},
		"%E5%B1%B1%E7%94%B0":                   {},
		"山田=1&%zz=2&_has:Observation:patient:code=3": {"_has:Observation:patient:code"},
	}
	for query, want := range tests {
		if got := parameters(query); len(got) != len(want) || cmp.Diff(want, got) != "" && len(want) > 0 {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
}
