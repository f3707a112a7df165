package embedded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// note is a write of a resource whose JSON is its only key.
func note(m store.Method, id, text string) store.Write {
	w := store.Write{Key: store.Key{Type: "Basic", ID: id}, Method: m, Labels: search.Labels{Author: "o", Patients: []string{"p" + id}}}
	if m != store.Delete {
		w.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) { return []byte(text), noteKeys(text), nil }
	}
	return w
}

func noteKeys(text string) [][]byte {
	return storetest.Terms{}.Keys(storetest.Record{Code: []string{text}, Name: []string{"n" + text}})
}

func recompute(v store.Version) ([][]byte, error) { return noteKeys(string(v.JSON)), nil }

func mustApply(t *testing.T, e *embedded.Engine, writes ...store.Write) store.Receipt {
	t.Helper()
	r, err := e.Apply(t.Context(), store.Tx{Writes: writes})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func wantClean(t *testing.T, e *embedded.Engine) embedded.Report {
	t.Helper()
	r, err := e.Check(t.Context(), recompute)
	if err != nil || !r.Clean() {
		t.Fatalf("check: %v, %d problems: %q", err, r.Found, r.Problems)
	}
	return r
}

func fillNotes(t *testing.T, e *embedded.Engine) {
	t.Helper()
	for i := range 20 {
		mustApply(t, e, note(store.Update, fmt.Sprint(i%7), fmt.Sprint("t", i)), note(store.Update, fmt.Sprint("x", i%5), "x\x00"))
		if i%6 == 0 {
			mustApply(t, e, note(store.Delete, fmt.Sprint(i%7), ""))
		}
	}
}

func TestCheckClean(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	fillNotes(t, e)
	if r := wantClean(t, e); r.Resources != 11 || r.Versions != 44 || r.Entries == 0 {
		t.Errorf("report %+v", r)
	}
}

// TestCheckFindsStray wants an entry that belongs to no version named.
func TestCheckFindsStray(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	fillNotes(t, e)
	e.Stray()
	r, err := e.Check(t.Context(), recompute)
	if err != nil || r.Found != 2 || !strings.Contains(r.Problems[0], "belongs to no version") {
		t.Errorf("%v, %q", err, r.Problems)
	}
}

// TestCheckFinds damages one record of each kind and wants to be told.
func TestCheckFinds(t *testing.T) {
	for _, space := range "chvktilg" {
		for what, damage := range map[string]func([]byte) []byte{
			"lost":    func([]byte) []byte { return nil },
			"changed": func(v []byte) []byte { v = append([]byte{}, v...); v[len(v)-1] ^= 1; return v },
		} {
			if what == "changed" && space == 'g' {
				continue // the time in it is not kept elsewhere
			}
			t.Run(string(space)+" "+what, func(t *testing.T) {
				e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
				defer e.Close()
				fillNotes(t, e)
				e.ForgetLabels()
				if !e.Damage(byte(space), damage) {
					t.Fatal("nothing to damage")
				}
				r, err := e.Check(t.Context(), recompute)
				if err != nil {
					t.Fatal(err)
				}
				if r.Clean() {
					t.Error("the damage was not found")
				}
			})
		}
	}
}

func TestSweep(t *testing.T) {
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}, KeepSnapshots: time.Hour, Now: func() time.Time { return now }})
	defer e.Close()
	fillNotes(t, e)
	q := search.Query{Must: search.Must{Unrestricted: true}, Count: 3}
	page, err := e.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	before := wantClean(t, e)
	now = now.Add(59 * time.Minute)
	mustApply(t, e, note(store.Update, "1", "later"))
	now = now.Add(2 * time.Minute)
	if err := e.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	after := wantClean(t, e)
	if after.Entries >= before.Entries || after.Versions != before.Versions+1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	q.After, q.AsOf = page.Next, page.AsOf
	if _, err := e.Search(t.Context(), q); err != nil {
		t.Errorf("a snapshot after the last dropped entry: %v", err)
	}
	now = now.Add(time.Hour)
	if err := e.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Search(t.Context(), q); err == nil {
		t.Error("a snapshot whose entries are gone answered")
	}
	if page, err := e.Search(t.Context(), search.Query{Must: q.Must, Count: 100}); err != nil || len(page.Versions) != 11 {
		t.Errorf("now: %d resources, %v", len(page.Versions), err)
	}
	if h, err := e.History(t.Context(), store.HistoryQuery{Must: q.Must, Count: 0, Total: true}); err != nil || h.Total != 45 {
		t.Errorf("history: %d, %v", h.Total, err)
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	opts := embedded.Options{Terms: storetest.Terms{}}
	open := func() *embedded.Engine {
		e, err := embedded.Open(dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := open()
	fillNotes(t, e)
	before, err := e.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(dir, opts); err == nil {
		t.Error("a second engine opened the folder")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Read(t.Context(), store.Key{Type: "Basic", ID: "1"}); err == nil {
		t.Error("a closed engine answered")
	}
	e = open()
	if after, err := e.Status(t.Context()); err != nil || after != before {
		t.Errorf("status %+v, %v, want %+v", after, err, before)
	}
	wantClean(t, e)
	if r := mustApply(t, e, note(store.Update, "1", "again")); r.Seq != before.Seq+1 {
		t.Errorf("seq %d after %d", r.Seq, before.Seq)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	opts.ReadOnly = true
	e = open()
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{note(store.Update, "1", "never")}}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a write to a store opened for reading: %v", err)
	}
	if s, err := e.Status(t.Context()); err != nil || !s.ReadOnly || s.Seq != before.Seq+1 {
		t.Errorf("status %+v, %v", s, err)
	}
	wantClean(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	opts.ReadOnly = false
	e = open()
	e.SetFormat(99)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := embedded.Open(dir, opts); err == nil {
		t.Error("the store of a newer program was opened")
	}
}
