package storetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// world is a store under test with short words to use it.
type world struct {
	t  *testing.T
	k  *kit
	st store.Store
}

func (k *kit) world(t *testing.T) *world {
	t.Helper()
	st := k.open(t)
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return &world{t: t, k: k, st: st}
}

var everything = search.Must{Unrestricted: true}

func key(s string) store.Key {
	typ, id, _ := strings.Cut(s, "/")
	return store.Key{Type: typ, ID: id}
}

func version(n uint64) *uint64 { return &n }

func (w *world) write(m store.Method, ref string, r Record, l search.Labels) store.Write {
	out := store.Write{Key: key(ref), Method: m, Labels: l}
	if m != store.Delete {
		out.Stamp = w.k.dialect.stamp(out.Key, r)
	}
	return out
}

func (w *world) apply(writes ...store.Write) store.Receipt {
	w.t.Helper()
	r, err := w.st.Apply(w.t.Context(), store.Tx{Writes: writes})
	if err != nil {
		w.t.Fatalf("Apply: %v", err)
	}
	return r
}

func (w *world) put(ref string, r Record, l search.Labels) store.Version {
	w.t.Helper()
	return w.apply(w.write(store.Update, ref, r, l)).Versions[0]
}

func (w *world) delete(ref string) store.Version {
	w.t.Helper()
	return w.apply(w.write(store.Delete, ref, Record{}, search.Labels{})).Versions[0]
}

func (w *world) clause(typ, code string, values ...string) search.Clause {
	return w.k.dialect.clause(typ, code, search.ModifierNone, values...)
}

// query is a query for a hundred resources that may see all.
func query(typ string, where ...search.Clause) search.Query {
	q := search.Query{Where: where, Must: everything, Count: 100}
	if typ != "" {
		q.Types = []string{typ}
	}
	return q
}

// page runs a search that must not fail.
func (w *world) page(q search.Query) store.Page {
	w.t.Helper()
	p, err := w.st.Search(w.t.Context(), q)
	if err != nil {
		w.t.Fatalf("Search: %v", err)
	}
	return p
}

// found checks which resources a search finds, in order, and their total.
func (w *world) found(what string, q search.Query, want ...string) {
	w.t.Helper()
	q.Total = search.TotalAccurate
	p := w.page(q)
	if diff := cmp.Diff(want, refs(p.Versions), equateEmpty); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	if p.Total != int64(len(want)) {
		w.t.Errorf("%s: total %d, want %d", what, p.Total, len(want))
	}
}

var equateEmpty = cmp.FilterValues(func(a, b []string) bool { return len(a)+len(b) == 0 }, cmp.Comparer(func(_, _ []string) bool { return true }))

func refs(versions []store.Version) []string {
	var out []string
	for _, v := range versions {
		out = append(out, v.Key.String())
	}
	return out
}

func (w *world) wantErr(what string, err, want error) {
	w.t.Helper()
	if !errors.Is(err, want) {
		w.t.Errorf("%s: error %v, want %v", what, err, want)
	}
}
