package mongodb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// patients is a set of patient ids, sorted.
type patients []string

func (p patients) Contains(id string) bool { _, ok := slices.BinarySearch(p, id); return ok }
func (p patients) Len() int                { return len(p) }
func (p patients) IDs() []string           { return p }

// large is a set of 200,000 patients, all beyond those of the store but some:
// twice what fits into a query.
func large(some ...string) patients {
	p := patients(some)
	for i := range 200_000 {
		p = append(p, fmt.Sprintf("person-%024d", i))
	}
	slices.Sort(p)
	return p
}

// TestLargeSet compares what a caller sees whose set of patients is too large
// for a query with what one sees whose set is small: the same pages, order and
// totals, with no larger queries.
func TestLargeSet(t *testing.T) {
	rs, e := openSet(t)
	var writes []store.Write
	for i := range 200 {
		writes = append(writes, put(fmt.Sprint(i), "x"))
	}
	apply(t, e, writes...)
	var some []string
	for i := range 28 {
		some = append(some, fmt.Sprint(i*7))
	}
	slices.Sort(some)
	byCode := []search.SortKey{{Param: storetest.Param("code")}}
	for _, sort := range [][]search.SortKey{nil, byCode} {
		small := pages(t, e, patients(some), sort)
		rs.commands()
		got := pages(t, e, large(some...), sort)
		if diff := cmp.Diff(small, got); diff != "" {
			t.Errorf("sorted by %v (-small set +large set):\n%s", sort, diff)
		}
		if len(small) < 4 || !strings.HasPrefix(small[0], "total 28 ") {
			t.Errorf("pages of a small set: %v", small)
		}
		// The first page counts on all candidates, those after it do not.
		if n := len(rs.commands()); n > 4*len(got) {
			t.Errorf("%d commands for %d pages", n, len(got))
		}
	}
	if n := rs.largest(); n > 1<<20 {
		t.Errorf("a query of %d bytes", n)
	}
}

// pages returns the pages of a search for everything a caller sees.
func pages(t *testing.T, e *mongodb.Engine, p patients, sort []search.SortKey) []string {
	t.Helper()
	var out []string
	q := search.Query{Types: []string{"Patient"}, Where: ofX, Sort: sort, Count: 7, Total: search.TotalAccurate}
	q.Must = search.Must{Any: []search.Grant{{Patients: p}}}
	for {
		page, err := e.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprint("total ", page.Total, " ")
		for _, v := range page.Versions {
			line += v.ID + " "
		}
		out = append(out, line)
		if q.After, q.AsOf = page.Next, page.AsOf; q.After == "" {
			return out
		}
	}
}

// TestSetsShareAQuery gives a query several sets, each of which would fit alone:
// together they stay below what MongoDB takes.
func TestSetsShareAQuery(t *testing.T) {
	rs := newReplicaSet(t)
	e := openTest(t, mongodb.Options{URI: rs.uri, Terms: storetest.Terms{}}.Room(2000))
	defer e.Close()
	var writes []store.Write
	for i := range 60 {
		id := fmt.Sprint("p", i)
		writes = append(writes, put(id, "x"), refer("o"+id, "Patient/"+id))
	}
	apply(t, e, writes...)
	chain := search.Clause{Param: storetest.Param("subject"), Chain: &search.Chain{Types: []string{"Patient"}, Where: ofX[0]}}
	q := search.Query{Types: []string{"Patient"}, Where: []search.Clause{chain}, Must: sees, Count: 100, Total: search.TotalAccurate}
	ask := func() (largest int) {
		t.Helper()
		rs.forgetLargest()
		page, err := e.Search(t.Context(), q)
		if err != nil || page.Total != 60 || len(page.Versions) != 60 {
			t.Errorf("%d resources of %d, %v, want 60", len(page.Versions), page.Total, err)
		}
		return rs.largest()
	}
	one := ask()
	if one < 1500 {
		t.Fatalf("a set that fits makes a query of %d bytes", one)
	}
	q.Where = []search.Clause{chain, chain, chain, {Any: [][]search.Clause{{chain}, {chain, chain}}}}
	if six := ask(); six > one+1500 {
		t.Errorf("six sets make a query of %d bytes, one of %d", six, one)
	}
}

// refer is a write of a resource that refers to another.
func refer(id, subject string) store.Write {
	w := put(id, "y")
	stamp := w.Stamp
	w.Stamp = func(version uint64, at time.Time) ([]byte, [][]byte, error) {
		b, _, err := stamp(version, at)
		return b, storetest.Terms{}.Keys(storetest.Record{Subject: []string{subject}}), err
	}
	return w
}
