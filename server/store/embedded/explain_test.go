package embedded_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestExplain checks that each plan is chosen where it should be.
func TestExplain(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	var tx store.Tx
	for i := range 3000 {
		tx.Writes = append(tx.Writes, observation(i, i))
	}
	if _, err := e.Apply(t.Context(), tx); err != nil {
		t.Fatal(err)
	}
	all := search.Must{Unrestricted: true}
	own := search.Must{Any: []search.Grant{{Patients: patientSet{"7"}}}}
	rare := one("date", search.Value{From: 10000, To: 12000})
	byDate := []search.SortKey{{Param: storetest.Param("date"), Descending: true}}
	for _, c := range []struct {
		name  string
		must  search.Must
		where []search.Clause
		want  []string
		sort  []search.SortKey
	}{
		{"few", all, []search.Clause{raw("code", "category-2"), raw("subject", "Patient/7")}, []string{"start from the 5 versions of condition 2"}, nil},
		{"lists", all, []search.Clause{raw("code", "category-2"), raw("code", "status-final")}, []string{"walk the list of condition 1", "walk the list of condition 2"}, nil},
		{"list and test", all, []search.Clause{raw("code", "status-final"), rare}, []string{"walk the list of condition 1", "test condition 2 on keys", "many rejected: fetched a set of 2000"}, nil},
		{"all", all, nil, []string{"walk the list of all resources"}, nil},
		{"own", own, []search.Clause{raw("code", "status-final")}, []string{"start from the 5 versions the caller may see"}, nil},
		{"timeline", all, []search.Clause{raw("subject", "Patient/7"), raw("code", "status-final")}, []string{"walk the timeline of condition 1"}, byDate},
		{"timeline not worth it", all, []search.Clause{raw("subject", "Patient/7"), one("date", search.Value{From: 10007, To: 10008})}, []string{"start from"}, byDate},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := search.Query{Types: []string{"Observation"}, Must: c.must, Where: c.where, Sort: c.sort, Count: 10, Total: search.TotalAccurate}
			got, err := e.Explain(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range append(c.want, "result: ") {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in:\n%s", want, got)
				}
			}
		})
	}
}
