package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

const parallel = 20

// race runs f in parallel and counts who won; losers must say why they lost.
func (w *world) race(want error, f func(i int) error) (winners int64) {
	var wg sync.WaitGroup
	var won atomic.Int64
	start := make(chan struct{})
	for i := range parallel {
		wg.Go(func() {
			<-start
			switch err := f(i); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, want):
				w.t.Errorf("error %v, want %v", err, want)
			}
		})
	}
	close(start)
	wg.Wait()
	return won.Load()
}

func testParallelUpdates(t *testing.T, k *kit) {
	w := k.world(t)
	w.put("Patient/1", Record{}, search.Labels{})
	for round := uint64(1); round <= 5; round++ {
		won := w.race(store.ErrPrecondition, func(i int) error {
			write := w.write(store.Update, "Patient/1", Record{Code: []string{fmt.Sprint(i)}}, search.Labels{})
			write.IfVersion = version(round)
			_, err := w.st.Apply(t.Context(), store.Tx{Writes: []store.Write{write}})
			return err
		})
		if won != 1 {
			t.Fatalf("round %d: %d of %d updates of one version won", round, won, parallel)
		}
		if v, err := w.st.Read(t.Context(), key("Patient/1")); err != nil || v.Version != round+1 {
			t.Fatalf("round %d: version %d, %v", round, v.Version, err)
		}
	}
}

func testParallelCreates(t *testing.T, k *kit) {
	w := k.world(t)
	q := query("Patient", w.clause("Patient", "code", "x"))
	q.Count = 2
	won := w.race(store.ErrPrecondition, func(i int) error {
		_, err := w.st.Apply(t.Context(), store.Tx{
			Expect: []store.Expectation{{Query: q}},
			Writes: []store.Write{w.write(store.Create, fmt.Sprintf("Patient/%d", i), Record{Code: []string{"x"}}, search.Labels{})},
		})
		if errors.Is(err, store.ErrPrecondition) && len(w.page(q).Versions) != 1 {
			t.Error("who lost does not see the winner")
		}
		return err
	})
	if n := len(w.page(q).Versions); won != 1 || n != 1 {
		t.Errorf("%d of %d conditional creates won, %d resources", won, parallel, n)
	}
}

// testNoHalfTransactions moves a token between two resources, and lets readers
// count: a search must always see it once, and a reader must not go back.
func testNoHalfTransactions(t *testing.T, k *kit) {
	w := k.world(t)
	token, blank := Record{Code: []string{"token"}}, Record{Code: []string{"blank"}}
	w.apply(w.write(store.Create, "Patient/a", token, search.Labels{}), w.write(store.Create, "Patient/b", blank, search.Labels{}))
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var last uint64
			for {
				select {
				case <-done:
					return
				default:
				}
				p, err := w.st.Search(t.Context(), query("Patient", w.clause("Patient", "code", "token")))
				if err != nil || len(p.Versions) != 1 {
					t.Errorf("a search saw the token %d times, %v", len(p.Versions), err)
					return
				}
				v, err := w.st.Read(t.Context(), key("Patient/a"))
				if err != nil || v.Seq < last {
					t.Errorf("a read went back from %d to %d, %v", last, v.Seq, err)
					return
				}
				last = v.Seq
			}
		})
	}
	for i := range 200 {
		a, b := token, blank
		if i%2 == 0 {
			a, b = blank, token
		}
		r := w.apply(w.write(store.Update, "Patient/a", a, search.Labels{}), w.write(store.Update, "Patient/b", b, search.Labels{}))
		if v, err := w.st.Read(t.Context(), key("Patient/a")); err != nil || v.Seq != r.Seq {
			t.Errorf("the writer does not see its write: seq %d, want %d, %v", v.Seq, r.Seq, err)
		}
	}
	close(done)
	wg.Wait()
}
