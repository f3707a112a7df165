package mongodb_test

import (
	"fmt"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/copy"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// TestCopyThere copies an embedded store to MongoDB and back, and compares
// what the stores answer.
func TestCopyThere(t *testing.T) {
	for _, c := range []struct {
		name string
		opts func(t *testing.T) mongodb.Options
	}{
		{"single writes", func(t *testing.T) mongodb.Options {
			return mongodb.Options{URI: plainServer(t), SingleWrites: true, Terms: storetest.Terms{}}
		}},
		{"transactions", func(t *testing.T) mongodb.Options {
			return mongodb.Options{URI: newReplicaSet(t).uri, Terms: storetest.Terms{}}
		}},
	} {
		t.Run(c.name, func(t *testing.T) { copyThere(t, c.opts(t)) })
	}
}

func copyThere(t *testing.T, opts mongodb.Options) {
	source, back := memory(t), memory(t)
	for i := range 40 {
		apply(t, source, put(fmt.Sprint(i%7), "x"), put(fmt.Sprint("other", i), "x"))
		if i%9 == 0 {
			apply(t, source, store.Write{Key: store.Key{Type: "Patient", ID: fmt.Sprint(i % 7)}, Method: store.Delete})
		}
	}
	if _, err := source.Purge(t.Context(), false, store.Key{Type: "Patient", ID: "3"}); err != nil {
		t.Fatal(err)
	}
	there := openTest(t, opts)
	defer there.Close()
	keys := func(store.Version) ([][]byte, error) {
		return storetest.Terms{}.Keys(storetest.Record{Code: []string{"x"}}), nil
	}
	first, err := copy.Job{From: source, To: there, Keys: keys, Batch: 9}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := copy.Job{From: there, To: back, Keys: keys}.Run(t.Context())
	if err != nil || first.SHA256 != second.SHA256 {
		t.Errorf("there %+v, back %+v, %v", first, second, err)
	}
	want, err := codes(t, source, "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	wantCodes(t, there, "x", 0, want...)
	q := store.HistoryQuery{Must: search.Must{Unrestricted: true}, Count: 1000}
	a, err := source.History(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	b, err := there.History(t.Context(), q)
	if err != nil || len(a.Versions) != len(b.Versions) {
		t.Errorf("history of %d, want %d, %v", len(b.Versions), len(a.Versions), err)
	}
	st, err := source.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := apply(t, there, put("0", "x")); r.Seq != st.Seq+1 {
		t.Errorf("the next write has seq %d after %d", r.Seq, st.Seq)
	}
}

func memory(t *testing.T) *embedded.Engine {
	t.Helper()
	e, err := embedded.OpenMemory(embedded.Options{Terms: storetest.Terms{}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}
