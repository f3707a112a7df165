package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// testRandom does random things to the store and to the naive engine and
// compares all answers. The seed is in the name of the test that fails.
func testRandom(t *testing.T, k *kit) {
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { k.random(t, seed) })
	}
	t.Run("seed 1", func(t *testing.T) { k.random(t, 1) })
}

// gambler makes random operations. Its world is small, so that they meet.
type gambler struct {
	*rand.Rand
	w         *world
	oracle    *Naive
	favorites []search.Query // asked again after every write, with totals
	snapshots []uint64
	times     []time.Time
}

func (k *kit) random(t *testing.T, seed uint64) {
	g := &gambler{
		Rand:   rand.New(rand.NewPCG(seed, 0)),
		w:      k.world(t),
		oracle: &Naive{Terms: k.dialect.terms()},
	}
	for range 120 {
		g.write()
		for range 6 {
			g.search(g.query())
		}
		g.askFavorites()
		g.history()
		g.read()
		if t.Failed() {
			return
		}
	}
}

func pick[T any](g *gambler, list ...T) T { return list[g.IntN(len(list))] }

// some is a random selection, in order.
func some[T any](g *gambler, list ...T) []T {
	var out []T
	for _, x := range list {
		if g.IntN(3) == 0 {
			out = append(out, x)
		}
	}
	return out
}

var (
	randomCodes = []string{"a", "b", "ab", "a-b", "b-"}
	randomNames = []string{"yamada", "yama", "tanaka", "ta", "suzuki"}
)

func (g *gambler) codes() []string {
	if _, ok := g.w.k.dialect.(synthetic); ok {
		return []string{"a", "a\x00", "a\x00\x00b", "a\xff", "b", "", "\x00\x01", "\x00\xff"}
	}
	return randomCodes
}

func (g *gambler) key() store.Key {
	return store.Key{Type: pick(g, "Patient", "Observation"), ID: pick(g, "1", "2", "3", "4", "11", "1-1")}
}

// record is a random record; inner tells that it is contained in another.
func (g *gambler) record(typ string, inner bool) Record {
	r := Record{Code: some(g, g.codes()...)}
	if g.IntN(2) == 0 {
		r.Date = []int64{g.Int64N(6) - 2}
	}
	if typ == "Patient" {
		r.Name = some(g, randomNames...)
	} else if g.IntN(4) > 0 {
		r.Subject = []string{"Patient/" + pick(g, "1", "2", "3", "11")}
	}
	if !inner && g.IntN(3) == 0 {
		for range 1 + g.IntN(3) {
			r.Contained = append(r.Contained, g.record(typ, true))
		}
	}
	return r
}

func (g *gambler) labels() search.Labels {
	return search.Labels{Form: pick(g, "", "f", "g"), Author: pick(g, "", "o", "p"), Patients: some(g, "1", "2", "3")}
}

func (g *gambler) must() search.Must {
	if g.IntN(2) == 0 {
		return everything
	}
	m := search.Must{}
	for range g.IntN(4) {
		grant := search.Grant{}
		if g.IntN(3) == 0 {
			grant.Types = []string{pick(g, "Patient", "Observation")}
		}
		if g.IntN(3) == 0 {
			grant.Forms = some(g, "f", "g", "")
		}
		if g.IntN(3) == 0 {
			grant.Authors = some(g, "o", "p", "")
		}
		if g.IntN(3) == 0 {
			grant.Patients = patients(some(g, "1", "2", "3"))
		}
		if g.IntN(4) == 0 {
			grant.ID = g.key().String()
		}
		m.Any = append(m.Any, grant)
	}
	return m
}

func (g *gambler) clause(typ string, depth int) search.Clause {
	d := g.w.k.dialect
	c := search.Clause{}
	switch n := g.IntN(15); {
	case n >= 13 && depth > 0:
		c.Contained = g.contained(typ)
	case n < 3:
		c = d.clause(typ, "code", pick(g, search.ModifierNone, search.ModifierNone, search.ModifierNot), pick(g, g.codes()...), pick(g, g.codes()...))
	case n < 5 && typ == "Patient":
		c = d.clause(typ, "name", pick(g, search.ModifierNone, search.ModifierExact, search.ModifierContains), pick(g, "y", "ya", "ama", "tanaka", "u"))
	case n < 5:
		c = d.clause(typ, "subject", search.ModifierNone, "Patient/"+pick(g, "1", "2", "3", "9"))
	case n < 7:
		c = d.clause(typ, "date", search.ModifierNone, pick(g, "", "ge", "lt")+pick(g, "1969-12-31", "1970-01-01", "1970-01-03"))
	case n < 8:
		c = d.clause(typ, "date", search.ModifierMissing, pick(g, "true", "false"))
	case n < 10 && depth > 0:
		for range 1 + g.IntN(2) {
			all := []search.Clause{g.clause(typ, depth-1)}
			if g.IntN(2) == 0 {
				all = append(all, g.clause(typ, depth-1))
			}
			c.Any = append(c.Any, all)
		}
	case depth > 0 && typ == "Patient":
		c.Has = &search.Has{Type: "Observation", Reference: d.param("Observation", "subject"), Where: g.clause("Observation", depth-1)}
	case depth > 0:
		c.Param = d.param("Observation", "subject")
		c.Chain = &search.Chain{Types: []string{"Patient"}, Where: g.clause("Patient", depth-1)}
	default:
		c = d.clause(typ, "code", search.ModifierNone, pick(g, g.codes()...))
	}
	c.Not = g.IntN(8) == 0
	return c
}

// contained are random criteria of contained resources.
func (g *gambler) contained(typ string) *search.Contained {
	var in search.Contained
	for range g.IntN(3) {
		in.Where = append(in.Where, g.clause(typ, 0))
	}
	if g.IntN(3) == 0 {
		in.Where = append(in.Where, search.Clause{Any: [][]search.Clause{{g.clause(typ, 0)}, {g.clause(typ, 0), g.clause(typ, 0)}}, Not: g.IntN(2) == 0})
	}
	if typ == "Observation" && g.IntN(3) == 0 {
		in.Where = append(in.Where, search.Clause{Param: g.w.k.dialect.param(typ, "subject"),
			Chain: &search.Chain{Types: []string{"Patient"}, Where: g.clause("Patient", 1)}})
	}
	return &in
}

// parts makes contained resources results, mostly those that the query is
// about.
func (g *gambler) parts(q search.Query) search.Query {
	q.Parts = &search.Parts{Contained: *g.contained(q.Types[0])}
	if g.IntN(2) == 0 {
		q.Parts.Whole = q.Where
	}
	if g.IntN(3) > 0 {
		q.Where = []search.Clause{{Any: [][]search.Clause{q.Where, {{Contained: &q.Parts.Contained}}}}}
	}
	return q
}

func (g *gambler) query() search.Query {
	typ := pick(g, "Patient", "Observation")
	q := search.Query{Types: []string{typ}, Must: g.must(), Count: g.IntN(5), Total: pick(g, "", search.TotalNone, search.TotalAccurate)}
	for range g.IntN(3) {
		q.Where = append(q.Where, g.clause(typ, 2))
	}
	if g.IntN(5) == 0 {
		q = g.parts(q)
	}
	if len(q.Where) == 0 && g.IntN(2) == 0 {
		q.Types = nil
	}
	if len(g.snapshots) > 0 && g.IntN(3) == 0 {
		q.AsOf = pick(g, g.snapshots...)
	}
	if g.IntN(5) == 0 {
		q = g.timeline(q)
		if g.IntN(4) == 0 {
			q = g.parts(q)
		}
		return q
	}
	for range g.IntN(3) {
		q.Sort = append(q.Sort, search.SortKey{Param: g.w.k.dialect.param(typ, pick(g, "code", "date", "_lastUpdated")), Descending: g.IntN(2) == 0})
	}
	return q
}

// timeline makes a query one for which engines may keep an order.
func (g *gambler) timeline(q search.Query) search.Query {
	d := g.w.k.dialect
	c, by := d.clause("Observation", "subject", search.ModifierNone, "Patient/"+pick(g, "1", "2", "3", "9")), "date"
	q.Types = []string{"Observation"}
	if g.IntN(3) == 0 {
		c, by = d.clause("Patient", "name", search.ModifierNone, pick(g, randomNames...)), "code"
		q.Types = []string{"Patient"}
	}
	q.Where = []search.Clause{c}
	for range g.IntN(3) {
		q.Where = append(q.Where, g.clause(q.Types[0], 1))
	}
	q.Sort = []search.SortKey{{Param: d.param(q.Types[0], by), Descending: g.IntN(2) == 0}}
	return q
}

// write applies one random transaction to both.
func (g *gambler) write() {
	tx := store.Tx{}
	if g.IntN(4) == 0 {
		x := store.Expectation{Query: g.query()}
		x.Query.AsOf, x.Query.Parts = 0, nil
		x.Query.Count = 3
		if p, err := g.oracle.Search(g.w.t.Context(), x.Query); err == nil && g.IntN(4) > 0 {
			for _, v := range p.Versions {
				x.Keys = append(x.Keys, v.Key)
			}
			slices.SortFunc(x.Keys, compareKeys)
		}
		tx.Expect = append(tx.Expect, x)
	}
	used := map[store.Key]bool{}
	for range 1 + g.IntN(3) {
		k := g.key()
		if used[k] {
			continue
		}
		used[k] = true
		write := g.w.write(pick(g, store.Create, store.Update, store.Update, store.Delete), k.String(), g.record(k.Type, false), g.labels())
		if g.IntN(4) == 0 {
			write.IfVersion = version(g.Uint64N(4))
		}
		tx.Writes = append(tx.Writes, write)
	}
	got, err := g.w.st.Apply(g.w.t.Context(), tx)
	g.oracle.follow = nil
	if err == nil {
		g.oracle.follow = &got
		g.snapshots = append(g.snapshots, got.Seq)
		for _, v := range got.Versions {
			g.times = append(g.times, v.Time)
		}
	}
	want, wantErr := g.oracle.Apply(g.w.t.Context(), tx)
	g.same("Apply", tx, got, err, want, wantErr)
}

// same compares answers and kinds of errors.
func (g *gambler) same(what string, question, got any, err error, want any, wantErr error) {
	g.w.t.Helper()
	for _, kind := range []error{store.ErrNotFound, store.ErrGone, store.ErrPrecondition, store.ErrConflict, store.ErrExpired, store.ErrUnsupported} {
		if errors.Is(err, kind) != errors.Is(wantErr, kind) {
			g.w.t.Errorf("%s %+v: error %v, want %v", what, question, err, wantErr)
			return
		}
	}
	if (err == nil) != (wantErr == nil) {
		g.w.t.Errorf("%s %+v: error %v, want %v", what, question, err, wantErr)
		return
	}
	if got, want := answer(got), answer(want); !slices.Equal(got, want) {
		g.w.t.Errorf("%s %+v (-want +got):\n%s", what, question, cmp.Diff(want, got))
	}
}

// answer writes an answer out, without what engines may differ in.
func answer(x any) []string {
	var out []string
	switch x := x.(type) {
	case store.Page:
		out = []string{fmt.Sprint("total ", x.Total, " as of ", x.AsOf, " parts ", x.Parts)}
		for _, v := range x.Versions {
			out = append(out, answer(v)...)
		}
	case store.Receipt:
		out = []string{fmt.Sprint("seq ", x.Seq)}
		for _, v := range x.Versions {
			out = append(out, answer(v)...)
		}
	case store.Version:
		out = []string{fmt.Sprintf("%s@%d %d %d %d %s %q", x.Key, x.Version, x.Seq, x.Method, x.Time.UnixMilli(), x.JSON, x.Labels)}
	default:
		panic(fmt.Sprintf("no answer: %T", x))
	}
	return out
}

// search compares all pages of a random query.
func (g *gambler) search(q search.Query) {
	a, b := q, q
	for range 30 {
		got, err := g.w.st.Search(g.w.t.Context(), a)
		want, wantErr := g.oracle.Search(g.w.t.Context(), b)
		g.same("Search", q, got, err, want, wantErr)
		if (got.Next == "") != (want.Next == "") {
			g.w.t.Errorf("Search %+v: next %q, want %q", q, got.Next, want.Next)
			return
		}
		if err != nil || got.Next == "" || g.w.t.Failed() {
			return
		}
		a.After, a.AsOf = got.Next, got.AsOf
		b.After, b.AsOf = want.Next, want.AsOf
	}
}

// askFavorites repeats the same few queries, which engines may remember.
func (g *gambler) askFavorites() {
	if len(g.favorites) == 0 {
		for range 8 {
			q := g.query()
			q.Total, q.AsOf = search.TotalAccurate, 0
			g.favorites = append(g.favorites, q)
		}
	}
	q := pick(g, g.favorites...)
	for range 2 {
		g.search(q)
	}
	if len(g.snapshots) > 0 {
		q.AsOf = pick(g, g.snapshots...)
		g.search(q)
	}
}

func (g *gambler) history() {
	k := g.key()
	q := store.HistoryQuery{Type: pick(g, "", k.Type), Must: g.must(), Count: g.IntN(6), Ascending: g.IntN(2) == 0, Total: g.IntN(2) == 0}
	if q.Type != "" && g.IntN(2) == 0 {
		q.ID = k.ID
	}
	if len(g.times) > 0 && g.IntN(3) == 0 {
		q.Since = pick(g, g.times...)
	}
	if len(g.times) > 0 && g.IntN(3) == 0 {
		q.At = pick(g, g.times...)
		q.Until = q.At.Add(time.Duration(g.IntN(4)) * time.Millisecond)
	}
	if len(g.snapshots) > 0 && g.IntN(3) == 0 {
		q.AsOf = pick(g, g.snapshots...)
	}
	a, b := q, q
	for range 30 {
		got, err := g.w.st.History(g.w.t.Context(), a)
		want, wantErr := g.oracle.History(g.w.t.Context(), b)
		g.same("History", q, got, err, want, wantErr)
		if err != nil || got.Next == "" || g.w.t.Failed() {
			return
		}
		a.After, a.AsOf = got.Next, got.AsOf
		b.After, b.AsOf = want.Next, want.AsOf
	}
}

func (g *gambler) read() {
	k := g.key()
	got, err := g.w.st.Read(g.w.t.Context(), k)
	want, wantErr := g.oracle.Read(g.w.t.Context(), k)
	g.same("Read", k, got, err, want, wantErr)
	n := 1 + g.Uint64N(4)
	got, err = g.w.st.ReadVersion(g.w.t.Context(), k, n)
	want, wantErr = g.oracle.ReadVersion(g.w.t.Context(), k, n)
	g.same("ReadVersion", k, got, err, want, wantErr)
}
