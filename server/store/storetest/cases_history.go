package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// events are versions as "Patient/1@2".
func events(versions []store.Version) []string {
	var out []string
	for _, v := range versions {
		out = append(out, fmt.Sprintf("%s@%d", v.Key, v.Version))
	}
	return out
}

func (w *world) history(what string, q store.HistoryQuery, want ...string) {
	w.t.Helper()
	if q.Count == 0 {
		q.Count = 100
	}
	q.Total = true
	var got []string
	for range 100 {
		p, err := w.st.History(w.t.Context(), q)
		if err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
		if p.Total != int64(len(want)) {
			w.t.Errorf("%s: total %d, want %d", what, p.Total, len(want))
		}
		got = append(got, events(p.Versions)...)
		if q.After, q.AsOf = p.Next, p.AsOf; q.After == "" {
			break
		}
	}
	if diff := cmp.Diff(want, got, equateEmpty); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func testHistory(t *testing.T, k *kit) {
	w := k.world(t)
	none := search.Labels{}
	w.put("Patient/1", Record{}, none)
	w.put("Patient/10", Record{}, none)
	w.put("Observation/1", Record{}, none)
	asOf := w.put("Patient/1", Record{}, none).Seq
	w.delete("Patient/1")
	w.apply(w.write(store.Update, "Patient/3", Record{}, none), w.write(store.Update, "Patient/2", Record{}, none))
	w.put("Patient/1", Record{}, none)

	patients := []string{"Patient/1@4", "Patient/2@1", "Patient/3@1", "Patient/1@3", "Patient/1@2", "Patient/10@1", "Patient/1@1"}
	all := slices.Insert(slices.Clone(patients), 5, "Observation/1@1")
	one := []string{"Patient/1@4", "Patient/1@3", "Patient/1@2", "Patient/1@1"}
	for _, c := range []struct {
		name string
		q    store.HistoryQuery
		want []string
	}{
		{"system", store.HistoryQuery{}, all},
		{"type", store.HistoryQuery{Type: "Patient"}, patients},
		{"instance", store.HistoryQuery{Type: "Patient", ID: "1"}, one},
		{"none", store.HistoryQuery{Type: "Patient", ID: "7"}, nil},
		{"as of", store.HistoryQuery{Type: "Patient", AsOf: asOf}, patients[4:]},
		{"instance as of", store.HistoryQuery{Type: "Patient", ID: "1", AsOf: asOf}, one[2:]},
	} {
		for _, count := range []int{100, 1, 2, 3} {
			q := c.q
			q.Must, q.Count = everything, count
			w.history(fmt.Sprintf("%s by %d", c.name, count), q, c.want...)
			q.Ascending = true
			up := slices.Clone(c.want)
			slices.Reverse(up)
			w.history(fmt.Sprintf("%s upwards by %d", c.name, count), q, up...)
		}
	}
	p, err := w.st.History(t.Context(), store.HistoryQuery{Must: everything, Count: 0, Total: true})
	if err != nil || p.Total != int64(len(all)) || len(p.Versions) != 0 {
		t.Errorf("count 0: %+v, %v", p, err)
	}
}

func testHistoryInTime(t *testing.T, k *kit) {
	w := k.world(t)
	none := search.Labels{}
	pause := func() { time.Sleep(3 * time.Millisecond) }
	one := w.put("Patient/1", Record{}, none).Time
	pause()
	two := w.put("Patient/1", Record{}, none).Time
	pause()
	other := w.put("Patient/2", Record{}, none).Time
	pause()
	gone := w.delete("Patient/1").Time
	ms := time.Millisecond
	for _, ref := range []string{"", "Patient/1"} {
		scope := func(q store.HistoryQuery) store.HistoryQuery {
			q.Type, q.ID, q.Must = "Patient", key(ref).ID, everything
			return q
		}
		mine := func(list ...string) []string {
			return slices.DeleteFunc(list, func(s string) bool { return ref != "" && s[:len(ref)] != ref })
		}
		w.history("since the beginning", scope(store.HistoryQuery{Since: one}), mine("Patient/1@3", "Patient/2@1", "Patient/1@2", "Patient/1@1")...)
		w.history("since", scope(store.HistoryQuery{Since: two}), mine("Patient/1@3", "Patient/2@1", "Patient/1@2")...)
		w.history("just after", scope(store.HistoryQuery{Since: two.Add(time.Microsecond)}), mine("Patient/1@3", "Patient/2@1")...)
		w.history("since, upwards", scope(store.HistoryQuery{Since: two, Ascending: true}), mine("Patient/1@2", "Patient/2@1", "Patient/1@3")...)
		w.history("since the end", scope(store.HistoryQuery{Since: gone.Add(ms)}))
		w.history("before all", scope(store.HistoryQuery{At: one.Add(-2 * ms), Until: one}))
		w.history("at the first", scope(store.HistoryQuery{At: one, Until: one.Add(ms)}), mine("Patient/1@1")...)
		w.history("the first goes on", scope(store.HistoryQuery{At: two.Add(-ms), Until: two}), mine("Patient/1@1")...)
		w.history("at the second", scope(store.HistoryQuery{At: two, Until: two.Add(ms)}), mine("Patient/1@2")...)
		w.history("over the change", scope(store.HistoryQuery{At: two.Add(-ms), Until: two.Add(ms)}), mine("Patient/1@2", "Patient/1@1")...)
		w.history("an instant", scope(store.HistoryQuery{At: other, Until: other}), mine("Patient/2@1", "Patient/1@2")...)
		w.history("at the end", scope(store.HistoryQuery{At: gone, Until: gone.Add(ms)}), mine("Patient/1@3", "Patient/2@1")...)
	}
}

// allPages follows Next to the end.
func (w *world) allPages(q search.Query) []string {
	w.t.Helper()
	var out []string
	for range 1000 {
		p := w.page(q)
		out = append(out, refs(p.Versions)...)
		if p.Next == "" {
			return out
		}
		if len(p.Versions) != q.Count {
			w.t.Errorf("a page of %d, not the last, has %d", q.Count, len(p.Versions))
		}
		q.After, q.AsOf = p.Next, p.AsOf
	}
	w.t.Error("the pages do not end")
	return out
}

func testPaging(t *testing.T, k *kit) {
	w := k.world(t)
	for i := range 23 {
		w.put(fmt.Sprintf("Patient/%02d", i), Record{Name: []string{fmt.Sprint("n", i%4)}, Date: []int64{int64(i / 5)}}, search.Labels{})
	}
	for _, sort := range [][]search.SortKey{
		nil,
		{{Param: k.dialect.param("Patient", "_lastUpdated")}},
		{{Param: k.dialect.param("Patient", "name")}},
		{{Param: k.dialect.param("Patient", "name"), Descending: true}, {Param: k.dialect.param("Patient", "date")}},
	} {
		q := query("Patient", w.clause("Patient", "name", "n"))
		q.Sort = sort
		want := refs(w.page(q).Versions)
		if len(want) != 23 {
			t.Fatalf("found %d", len(want))
		}
		for _, count := range []int{1, 2, 22, 23, 24} {
			for _, total := range []search.TotalMode{"", search.TotalAccurate} {
				q.Count, q.Total = count, total
				if got := w.allPages(q); !slices.Equal(got, want) {
					t.Errorf("pages of %d: %v, want %v", count, got, want)
				}
			}
		}
	}
	q := query("Patient")
	for _, after := range []string{"!", "AAAA", "x:y"} {
		q.After = after
		_, err := w.st.Search(t.Context(), q)
		w.wantErr("a damaged position", err, store.ErrExpired)
	}
	q.After, q.AsOf = "", 1<<40
	_, err := w.st.Search(t.Context(), q)
	w.wantErr("a snapshot to come", err, store.ErrExpired)
}

// testPagingUnderWrites checks that the pages of one snapshot agree while
// everything changes.
func testPagingUnderWrites(t *testing.T, k *kit) {
	w := k.world(t)
	for i := range 20 {
		w.put(fmt.Sprintf("Patient/%02d", i), Record{Code: []string{"x"}, Name: []string{fmt.Sprint("n", i%3)}}, search.Labels{})
	}
	byName := []search.SortKey{{Param: k.dialect.param("Patient", "name")}}
	for _, sort := range [][]search.SortKey{nil, byName} {
		q := query("Patient", w.clause("Patient", "code", "x"))
		q.Sort = sort
		whole := w.page(q)
		want := events(whole.Versions)
		q.Count, q.Total = 3, search.TotalAccurate
		var got []string
		for i := 0; ; i++ {
			p := w.page(q)
			got = append(got, events(p.Versions)...)
			if p.Total != int64(len(want)) {
				t.Errorf("page %d: total %d, want %d", i, p.Total, len(want))
			}
			w.put(fmt.Sprintf("Patient/%02d", i), Record{Code: []string{"y"}}, search.Labels{})
			w.put(fmt.Sprintf("Patient/%02d", 19-i), Record{Code: []string{"x"}, Name: []string{"n9"}}, search.Labels{})
			w.put(fmt.Sprintf("Patient/new%d", i), Record{Code: []string{"x"}, Name: []string{"n0"}}, search.Labels{})
			w.delete(fmt.Sprintf("Patient/%02d", 10+i%5))
			if q.After = p.Next; q.After == "" {
				break
			}
			if i%2 == 0 {
				q.AsOf = p.AsOf // else the position alone must do
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("sorted by %d keys (-want +got):\n%s", len(sort), diff)
		}
		again := query("Patient", w.clause("Patient", "code", "x"))
		again.Sort, again.AsOf = sort, whole.AsOf
		if diff := cmp.Diff(want, events(w.page(again).Versions)); diff != "" {
			t.Errorf("the old snapshot (-want +got):\n%s", diff)
		}
	}
}

func testChanges(t *testing.T, k *kit) {
	w := k.world(t)
	w.put("Patient/1", Record{}, search.Labels{Form: "f", Patients: []string{"1"}})
	second := w.apply(w.write(store.Update, "Patient/3", Record{}, search.Labels{}), w.write(store.Update, "Observation/2", Record{}, search.Labels{}))
	w.put("Patient/1", Record{}, search.Labels{})
	w.delete("Patient/1")
	feed := func(since uint64) []store.Version {
		var out []store.Version
		for v, err := range w.st.Changes(t.Context(), since) {
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, v)
		}
		return out
	}
	all := feed(0)
	want := []string{"Patient/1@1", "Patient/3@1", "Observation/2@1", "Patient/1@2", "Patient/1@3"}
	if diff := cmp.Diff(want, events(all)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	for _, v := range all {
		stored, err := w.st.ReadVersion(t.Context(), v.Key, v.Version)
		w.same("change", v, err, stored)
	}
	if got := events(feed(second.Seq)); !slices.Equal(got, want[3:]) {
		t.Errorf("changes since %d: %v", second.Seq, got)
	}
	if got := feed(all[4].Seq); len(got) != 0 {
		t.Errorf("changes after the last: %v", got)
	}
	for range w.st.Changes(t.Context(), 0) {
		break // stopping early is allowed
	}
}
