package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// patients is a set of patient ids.
type patients []string

func (p patients) Contains(id string) bool { return slices.Contains(p, id) }
func (p patients) Len() int                { return len(p) }
func (p patients) IDs() []string           { return slices.Sorted(slices.Values(p)) }

// mustCases are predicates over the resources of fillForMust and what they
// let see, newest first.
var mustCases = []struct {
	name string
	must search.Must
	want []string
}{
	{"zero", search.Must{}, nil},
	{"an empty grant", search.Must{Any: []search.Grant{{}}}, nil},
	{"unrestricted", everything, []string{"Observation/c", "Observation/b", "Observation/a", "Patient/2", "Patient/1"}},
	{"type", search.Must{Any: []search.Grant{{Types: []string{"Patient"}}}}, []string{"Patient/2", "Patient/1"}},
	{"form", search.Must{Any: []search.Grant{{Forms: []string{"careplan"}}}}, []string{"Observation/b", "Observation/a"}},
	{"author", search.Must{Any: []search.Grant{{Authors: []string{"org-2"}}}}, []string{"Observation/b", "Patient/2"}},
	{"no author", search.Must{Any: []search.Grant{{Authors: []string{""}}}}, []string{"Observation/c"}},
	{"patient", search.Must{Any: []search.Grant{{Patients: patients{"1"}}}}, []string{"Observation/c", "Observation/a", "Patient/1"}},
	{"no patients", search.Must{Any: []search.Grant{{Patients: patients{}}}}, nil},
	{"patient and form", search.Must{Any: []search.Grant{{Patients: patients{"1"}, Forms: []string{"careplan"}}}}, []string{"Observation/a"}},
	{"patient and type", search.Must{Any: []search.Grant{{Patients: patients{"2"}, Types: []string{"Observation"}}}}, []string{"Observation/c", "Observation/b"}},
	{"one", search.Must{Any: []search.Grant{{ID: "Patient/1"}}}, []string{"Patient/1"}},
	{"one, wrong type", search.Must{Any: []search.Grant{{ID: "Patient/1", Types: []string{"Observation"}}}}, nil},
	{"one, wrong author", search.Must{Any: []search.Grant{{ID: "Patient/1", Authors: []string{"org-2"}}}}, nil},
	{"either", search.Must{Any: []search.Grant{{ID: "Patient/1"}, {Authors: []string{"org-2"}, Types: []string{"Observation"}}}}, []string{"Observation/b", "Patient/1"}},
}

func (w *world) fillForMust() {
	w.put("Patient/1", Record{Name: []string{"x"}}, search.Labels{Author: "org-1", Patients: []string{"1"}})
	w.put("Patient/2", Record{Name: []string{"x"}}, search.Labels{Author: "org-2", Patients: []string{"2"}})
	w.put("Observation/a", Record{Code: []string{"x"}, Subject: []string{"Patient/1"}}, search.Labels{Form: "careplan", Author: "org-1", Patients: []string{"1"}})
	w.put("Observation/b", Record{Code: []string{"x"}, Subject: []string{"Patient/2"}}, search.Labels{Form: "careplan", Author: "org-2", Patients: []string{"2"}})
	w.put("Observation/c", Record{Code: []string{"x"}, Subject: []string{"Patient/2"}}, search.Labels{Form: "life", Patients: []string{"1", "2"}})
}

func only(list []string, typ string) []string {
	var out []string
	for _, s := range list {
		if key(s).Type == typ {
			out = append(out, s)
		}
	}
	return out
}

// testMust checks that matches, order, totals, pages and history know only
// what the predicate lets see.
func testMust(t *testing.T, k *kit) {
	w := k.world(t)
	w.fillForMust()
	for _, c := range mustCases {
		t.Run(c.name, func(t *testing.T) {
			w := &world{t: t, k: k, st: w.st}
			with := func(q search.Query) search.Query { q.Must = c.must; return q }
			w.found("all", with(query("")), c.want...)
			w.found("patients", with(query("Patient", w.clause("Patient", "name", "x"))), only(c.want, "Patient")...)
			w.found("observations", with(query("Observation", w.clause("Observation", "code", "x"))), only(c.want, "Observation")...)
			byName := with(query("Patient"))
			byName.Sort = []search.SortKey{{Param: k.dialect.param("Patient", "name")}}
			w.found("sorted", byName, only(c.want, "Patient")...)
			paged := with(query(""))
			paged.Count = 1
			if got := w.allPages(paged); !slices.Equal(got, c.want) {
				t.Errorf("pages: %v, want %v", got, c.want)
			}
			h, err := w.st.History(t.Context(), store.HistoryQuery{Must: c.must, Count: 100, Total: true})
			if err != nil || !slices.Equal(refs(h.Versions), c.want) || h.Total != int64(len(c.want)) {
				t.Errorf("history: %v, total %d, %v, want %v", refs(h.Versions), h.Total, err, c.want)
			}
			for _, ref := range []string{"Patient/1", "Observation/c"} {
				h, err := w.st.History(t.Context(), store.HistoryQuery{Type: key(ref).Type, ID: key(ref).ID, Must: c.must, Count: 100, Total: true})
				if seen := slices.Contains(c.want, ref); err != nil || (len(h.Versions) == 1) != seen || (h.Total == 1) != seen {
					t.Errorf("history of %s: %d versions, total %d, %v; visible: %v", ref, len(h.Versions), h.Total, err, seen)
				}
			}
		})
	}
}

// testMustOfThePast checks that what moved out of sight takes its past along,
// in the histories of a resource, of its type and of everything.
func testMustOfThePast(t *testing.T, k *kit) {
	w := k.world(t)
	open, shut := search.Labels{Form: "open", Patients: []string{"1"}}, search.Labels{Form: "shut", Patients: []string{"1"}}
	w.put("Observation/moved", Record{}, open)
	asOf := w.put("Observation/stays", Record{}, open).Seq
	w.put("Observation/moved", Record{}, shut)
	w.put("Observation/stays", Record{}, open)
	w.put("Observation/came", Record{}, shut)
	w.put("Observation/came", Record{}, open)
	w.put("Observation/left", Record{}, open)
	w.delete("Observation/left")
	must := search.Must{Any: []search.Grant{{Forms: []string{"open"}}}}
	for _, typ := range []string{"", "Observation"} {
		w.history("all of "+typ, store.HistoryQuery{Type: typ, Must: must}, "Observation/left@2", "Observation/left@1", "Observation/came@2", "Observation/stays@2", "Observation/stays@1")
		w.history("before, of "+typ, store.HistoryQuery{Type: typ, Must: must, AsOf: asOf}, "Observation/stays@1", "Observation/moved@1")
	}
	w.history("moved", store.HistoryQuery{Type: "Observation", ID: "moved", Must: must})
	w.history("came", store.HistoryQuery{Type: "Observation", ID: "came", Must: must}, "Observation/came@2")
}

// testMustByReference checks that a chain does not tell about resources that
// are not visible, at either end.
func testMustByReference(t *testing.T, k *kit) {
	w := k.world(t)
	w.fillForMust()
	subject := k.dialect.param("Observation", "subject")
	chain := search.Clause{Param: subject, Chain: &search.Chain{Types: []string{"Patient"}, Where: w.clause("Patient", "name", "x")}}
	has := search.Clause{Has: &search.Has{Type: "Observation", Reference: subject, Where: w.clause("Observation", "code", "x")}}
	subjects := map[string]string{"Observation/a": "Patient/1", "Observation/b": "Patient/2", "Observation/c": "Patient/2"}
	for _, c := range mustCases {
		var chained, referred []string
		for _, ref := range c.want {
			if slices.Contains(c.want, subjects[ref]) {
				chained = append(chained, ref)
			}
			for from, to := range subjects {
				if to == ref && slices.Contains(c.want, from) && !slices.Contains(referred, ref) {
					referred = append(referred, ref)
				}
			}
		}
		for what, x := range map[string]struct {
			where search.Clause
			want  []string
		}{"chain": {chain, chained}, "has": {has, referred}} {
			q := query("", x.where)
			q.Must = c.must
			w.found(fmt.Sprintf("%s, %s", c.name, what), q, x.want...)
		}
	}
}
