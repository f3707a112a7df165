package storetest

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

func testSearch(t *testing.T, k *kit) {
	w := k.world(t)
	none := search.Labels{}
	w.put("Patient/1", Record{Name: []string{"yamada", "taro"}, Date: []int64{0}}, none)
	w.put("Patient/2", Record{Name: []string{"yamamoto"}, Date: []int64{10}}, none)
	w.put("Patient/3", Record{Name: []string{"tanaka"}}, none)
	w.put("Observation/1", Record{Code: []string{"a", "b"}, Subject: []string{"Patient/1"}}, none)
	w.put("Observation/2", Record{Code: []string{"b"}, Subject: []string{"Patient/2"}}, none)
	w.put("Observation/3", Record{Code: []string{"bb"}, Subject: []string{"Patient/1"}}, none)
	w.put("Patient/2", Record{Name: []string{"yamamoto"}, Date: []int64{20}}, none)
	d := k.dialect
	not := w.clause("Observation", "code", "b")
	not.Not = true
	for _, c := range []struct {
		name string
		q    search.Query
		want []string
	}{
		{"all of a type", query("Patient"), []string{"Patient/2", "Patient/3", "Patient/1"}},
		{"all", query(""), []string{"Patient/2", "Observation/3", "Observation/2", "Observation/1", "Patient/3", "Patient/1"}},
		{"a type without resources", query("CarePlan"), nil},
		{"prefix", query("Patient", w.clause("Patient", "name", "yama")), []string{"Patient/2", "Patient/1"}},
		{"or", query("Patient", w.clause("Patient", "name", "ta", "yamad")), []string{"Patient/3", "Patient/1"}},
		{"and", query("Patient", w.clause("Patient", "name", "ta"), w.clause("Patient", "name", "yamad")), []string{"Patient/1"}},
		{"exact", query("Patient", d.clause("Patient", "name", search.ModifierExact, "yama")), nil},
		{"contains", query("Patient", d.clause("Patient", "name", search.ModifierContains, "am")), []string{"Patient/2", "Patient/1"}},
		{"token", query("Observation", w.clause("Observation", "code", "b")), []string{"Observation/2", "Observation/1"}},
		{"token not", query("Observation", d.clause("Observation", "code", search.ModifierNot, "b")), []string{"Observation/3"}},
		{"not", query("Observation", not), []string{"Observation/3"}},
		{"two tokens", query("Observation", w.clause("Observation", "code", "a"), w.clause("Observation", "code", "b")), []string{"Observation/1"}},
		{"reference", query("Observation", w.clause("Observation", "subject", "Patient/1")), []string{"Observation/3", "Observation/1"}},
		{"date is", query("Patient", w.clause("Patient", "date", "1970-01-01")), []string{"Patient/1"}},
		{"date from", query("Patient", w.clause("Patient", "date", "ge1970-01-02")), []string{"Patient/2"}},
		{"date of an old version", query("Patient", w.clause("Patient", "date", "1970-01-11")), nil},
		{"missing", query("Patient", d.clause("Patient", "date", search.ModifierMissing, "true")), []string{"Patient/3"}},
		{"not missing", query("Patient", d.clause("Patient", "date", search.ModifierMissing, "false")), []string{"Patient/2", "Patient/1"}},
		{"any", query("Patient", search.Clause{Any: [][]search.Clause{
			{w.clause("Patient", "name", "tanaka")},
			{w.clause("Patient", "name", "yama"), w.clause("Patient", "date", "lt1970-01-02")},
		}}), []string{"Patient/3", "Patient/1"}},
		{"not any", query("Patient", search.Clause{Not: true, Any: [][]search.Clause{
			{w.clause("Patient", "name", "tanaka")}, {w.clause("Patient", "name", "taro")},
		}}), []string{"Patient/2"}},
	} {
		w.found(c.name, c.q, c.want...)
	}
	q := query("Patient")
	q.Count = 0
	if p := w.page(q); p.Total != 3 || len(p.Versions) != 0 || p.Next != "" {
		t.Errorf("count 0: %d resources, total %d, next %q", len(p.Versions), p.Total, p.Next)
	}
	if p := w.page(query("Patient")); p.Total != -1 {
		t.Errorf("total %d without asking", p.Total)
	}
	p := w.page(query("Patient", w.clause("Patient", "name", "tanaka")))
	stored, err := w.st.Read(t.Context(), key("Patient/3"))
	w.same("a resource found", p.Versions[0], err, stored)
}

func testChains(t *testing.T, k *kit) {
	w := k.world(t)
	none := search.Labels{}
	w.put("Patient/1", Record{Name: []string{"yamada"}}, none)
	w.put("Patient/2", Record{Name: []string{"tanaka"}}, none)
	w.put("Patient/3", Record{Name: []string{"tanaka"}}, none)
	w.put("Observation/1", Record{Code: []string{"a"}, Subject: []string{"Patient/1"}}, none)
	w.put("Observation/2", Record{Code: []string{"b"}, Subject: []string{"Patient/2"}}, none)
	w.put("Observation/3", Record{Code: []string{"a"}, Subject: []string{"Patient/9"}}, none)
	subject := k.dialect.param("Observation", "subject")
	chain := func(name string) search.Clause {
		return search.Clause{Param: subject, Chain: &search.Chain{Types: []string{"Patient"}, Where: w.clause("Patient", "name", name)}}
	}
	has := func(code string) search.Clause {
		return search.Clause{Has: &search.Has{Type: "Observation", Reference: subject, Where: w.clause("Observation", "code", code)}}
	}
	not := func(c search.Clause) search.Clause { c.Not = true; return c }
	w.found("chain", query("Observation", chain("tan")), "Observation/2")
	w.found("chain to none", query("Observation", chain("suzuki")))
	w.found("not chain", query("Observation", not(chain("tan"))), "Observation/3", "Observation/1")
	w.found("has", query("Patient", has("a")), "Patient/1")
	w.found("has, all types", query("", has("a")), "Patient/1")
	w.found("not has", query("Patient", not(has("a"))), "Patient/3", "Patient/2")
	w.found("has and name", query("Patient", has("b"), w.clause("Patient", "name", "tan")), "Patient/2")
	nested := search.Clause{Param: subject, Chain: &search.Chain{Types: []string{"Patient"}, Where: has("b")}}
	w.found("chain to has", query("Observation", nested), "Observation/2")
	w.delete("Patient/2")
	w.found("chain to a deleted one", query("Observation", chain("tan")))
	w.found("has of a deleted one", query("Patient", has("b")))
}

func testSort(t *testing.T, k *kit) {
	w := k.world(t)
	none := search.Labels{}
	w.put("Patient/1", Record{Name: []string{"c", "x"}, Date: []int64{5}}, none)
	w.put("Patient/2", Record{Name: []string{"a"}, Date: []int64{5}}, none)
	w.put("Patient/3", Record{Date: []int64{-3}}, none)
	w.apply( // of one transaction: by id
		w.write(store.Create, "Patient/5", Record{Name: []string{"b"}, Date: []int64{1}}, none),
		w.write(store.Create, "Patient/4", Record{Name: []string{"b"}, Date: []int64{9}}, none),
	)
	sorted := func(keys ...search.SortKey) search.Query {
		q := query("Patient")
		q.Sort = keys
		return q
	}
	by := func(code string, descending bool) search.SortKey {
		return search.SortKey{Param: k.dialect.param("Patient", code), Descending: descending}
	}
	w.found("default", query("Patient"), "Patient/4", "Patient/5", "Patient/3", "Patient/2", "Patient/1")
	w.found("newest first", sorted(by("_lastUpdated", true)), "Patient/4", "Patient/5", "Patient/3", "Patient/2", "Patient/1")
	w.found("oldest first", sorted(by("_lastUpdated", false)), "Patient/1", "Patient/2", "Patient/3", "Patient/5", "Patient/4")
	w.found("name", sorted(by("name", false)), "Patient/2", "Patient/4", "Patient/5", "Patient/1", "Patient/3")
	w.found("name down", sorted(by("name", true)), "Patient/1", "Patient/4", "Patient/5", "Patient/2", "Patient/3")
	w.found("date, name", sorted(by("date", false), by("name", true)), "Patient/3", "Patient/5", "Patient/1", "Patient/2", "Patient/4")
	w.found("date down, oldest", sorted(by("date", true), by("_lastUpdated", false)), "Patient/4", "Patient/1", "Patient/2", "Patient/5", "Patient/3")
}
