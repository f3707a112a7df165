package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// testSurvey compares what the survey of types tells with the labels of all
// changes, current, superseded and deleted.
func testSurvey(t *testing.T, k *kit) {
	w := k.world(t)
	s, ok := w.st.(store.Surveyor)
	if !ok {
		t.Skip("the engine is no store.Surveyor: the policy reads all changes at the start")
	}
	survey := func(types ...string) []string {
		var list []string
		for l, err := range s.Survey(t.Context(), types) {
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, fmt.Sprintf("%q", l))
		}
		slices.Sort(list)
		return list
	}
	if got := survey("Patient"); len(got) > 0 {
		t.Errorf("an empty store has the labels %v", got)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		typ := []string{"Patient", "Observation"}[r.IntN(2)]
		name := fmt.Sprintf("%s/%d", typ, r.IntN(8))
		labels := search.Labels{Form: []string{"", "careplan"}[r.IntN(2)], Author: []string{"", "org-1", "org-2"}[r.IntN(3)],
			Patients: [][]string{nil, {"1"}, {"1", "2"}}[r.IntN(3)]}
		w.put(name, Record{}, labels)
		if r.IntN(4) == 0 {
			w.delete(name)
		}
	}
	for _, types := range [][]string{{"Patient"}, {"Observation"}, {"Patient", "Observation"}, {"Group", "Patient"}, {"Group"}} {
		var want []string
		for v, err := range w.st.Changes(t.Context(), 0) {
			if err != nil {
				t.Fatal(err)
			}
			if one := fmt.Sprintf("%q", v.Labels); slices.Contains(types, v.Type) && !slices.Contains(want, one) {
				want = append(want, one)
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, survey(types...)); diff != "" {
			t.Errorf("%v (-changes +survey):\n%s", types, diff)
		}
	}
	for range s.Survey(t.Context(), []string{"Patient"}) {
		break // stopping early is allowed
	}
}
