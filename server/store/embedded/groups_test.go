package embedded_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestGroups brings many versions into lists by one transaction and lets them
// leave in every way there is. Every list must hold what a map holds, now and in
// snapshots, and the check must find nothing.
func TestGroups(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			g := &grouped{T: t, r: rand.New(rand.NewPCG(seed, 1)), now: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC), codes: map[string]string{}}
			opts := embedded.Options{Terms: storetest.Terms{}, KeepSnapshots: time.Hour, Now: func() time.Time { return g.now }}
			if seed%2 == 1 {
				opts = opts.Tiny()
			}
			g.e = openMemory(t, opts)
			defer g.e.Close()
			for range 40 {
				g.step()
			}
		})
	}
}

// grouped is a store and what should be in it.
type grouped struct {
	*testing.T
	e     *embedded.Engine
	r     *rand.Rand
	now   time.Time
	codes map[string]string // by id
	past  []past
}

// past is what should be in a snapshot.
type past struct {
	seq   uint64
	codes map[string]string
}

func (g *grouped) code() string { return fmt.Sprint("c", g.r.IntN(3)) }

func (g *grouped) ids(most int) []string {
	var ids []string
	for _, n := range g.r.Perm(60)[:1+g.r.IntN(most)] {
		ids = append(ids, fmt.Sprint(n))
	}
	return ids
}

func (g *grouped) step() {
	g.Helper()
	g.now = g.now.Add(time.Minute)
	switch g.r.IntN(8) {
	case 0:
		g.now = g.now.Add(time.Duration(g.r.IntN(100)) * time.Minute)
		if err := g.e.Sweep(g.Context()); err != nil {
			g.Fatal(err)
		}
	case 1:
		g.erase()
	case 2:
		g.rekey()
	default:
		g.write()
	}
	g.check(0, g.codes)
	for _, p := range g.past {
		g.check(p.seq, p.codes)
	}
	if r, err := g.e.Check(g.Context(), nil); err != nil || !r.Clean() {
		g.Fatalf("check: %v, %q", err, r.Problems)
	}
}

func (g *grouped) write() {
	var writes []store.Write
	for _, id := range g.ids(40) {
		if code := g.code(); g.r.IntN(5) > 0 {
			g.codes[id] = code
			writes = append(writes, note(store.Update, id, code))
		} else {
			delete(g.codes, id)
			writes = append(writes, note(store.Delete, id, ""))
		}
	}
	r := mustApply(g.T, g.e, writes...)
	g.past = append(g.past, past{r.Seq, maps.Clone(g.codes)})
}

func (g *grouped) erase() {
	current := g.r.IntN(2) == 0
	for _, id := range g.ids(5) {
		if _, err := g.e.Purge(g.Context(), current, store.Key{Type: "Basic", ID: id}); err != nil {
			g.Fatal(err)
		}
		if current {
			delete(g.codes, id)
		}
	}
}

func (g *grouped) rekey() {
	var list []store.Rekeying
	for _, id := range g.ids(20) {
		v, err := g.e.Read(g.Context(), store.Key{Type: "Basic", ID: id})
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrGone) {
			continue
		}
		if err != nil {
			g.Fatal(err)
		}
		g.codes[id] = g.code()
		list = append(list, store.Rekeying{Key: v.Key, Version: v.Version, Keys: noteKeys(g.codes[id])})
	}
	if err := g.e.Rekey(g.Context(), list); err != nil {
		g.Fatal(err)
	}
	g.past = nil // new keys count for the past too
}

// check compares every list as of a sequence number, 0 for now.
func (g *grouped) check(seq uint64, codes map[string]string) {
	g.Helper()
	for _, code := range []string{"c0", "c1", "c2"} {
		want := map[string]bool{}
		for id, c := range codes {
			if c == code {
				want[id] = true
			}
		}
		q := search.Query{Types: []string{"Basic"}, Where: []search.Clause{raw("code", code)}, Must: search.Must{Unrestricted: true},
			Count: 7, Total: search.TotalAccurate, AsOf: seq}
		got, last := map[string]bool{}, uint64(0)
		for {
			page, err := g.e.Search(g.Context(), q)
			if seq != 0 && errors.Is(err, store.ErrExpired) {
				return
			}
			if err != nil {
				g.Fatal(err)
			}
			if page.Total != int64(len(want)) {
				g.Fatalf("as of %d, %s: total %d, want %d", seq, code, page.Total, len(want))
			}
			for _, v := range page.Versions {
				if got[v.ID] || last != 0 && v.Seq > last {
					g.Fatalf("as of %d, %s: %s is out of order", seq, code, v.ID)
				}
				got[v.ID], last = true, v.Seq
			}
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if !maps.Equal(got, want) {
			g.Fatalf("as of %d, %s: got %v, want %v", seq, code, got, want)
		}
	}
}

// TestBigTransaction writes more at once than goes into a group.
func TestBigTransaction(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	var writes []store.Write
	for i := range 2500 {
		writes = append(writes, note(store.Create, fmt.Sprint(i), "same"))
	}
	mustApply(t, e, writes...)
	wantClean(t, e)
	q := search.Query{Types: []string{"Basic"}, Where: []search.Clause{raw("code", "same")}, Must: search.Must{Unrestricted: true}, Count: 400}
	n := 0
	for {
		page, err := e.Search(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Versions)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if n != len(writes) {
		t.Errorf("found %d of %d", n, len(writes))
	}
}

// TestCheckGroups damages a group.
func TestCheckGroups(t *testing.T) {
	for what, damage := range map[string]func([]byte) []byte{
		"lost":     func([]byte) []byte { return nil },
		"empty":    func([]byte) []byte { return []byte{} },
		"cut":      func(v []byte) []byte { return v[:len(v)-2] },
		"too much": func(v []byte) []byte { return append(v, 1, 0) },
		"labels":   func(v []byte) []byte { v[len(v)-1] ^= 2; return v },
	} {
		t.Run(what, func(t *testing.T) {
			e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
			defer e.Close()
			mustApply(t, e, note(store.Create, "2", "same"), note(store.Create, "1", "same"), note(store.Create, "3", "other"))
			if !e.DamageGroup(damage) {
				t.Fatal("no group to damage")
			}
			if r, err := e.Check(t.Context(), nil); err != nil || r.Clean() {
				t.Errorf("%v, the damage was not found", err)
			}
		})
	}
}
