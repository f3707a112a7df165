package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// seen is one operation of a client on one resource: between start and end it
// was at this version. A write made the version, a read found it.
type seen struct {
	start, end time.Duration
	version    uint64
	write      bool
}

// testLinearizable lets clients work on few resources at random and checks
// that what each resource did can be put in one order that agrees with the
// clock, and that every search saw one moment of that order.
func testLinearizable(t *testing.T, k *kit) {
	w := k.world(t)
	const clients, steps = 6, 60
	refs := []string{"Patient/1", "Patient/2", "Patient/3"}
	began := time.Now()
	var mu sync.Mutex
	histories := map[string][]seen{}
	var pages []store.Page
	var wg sync.WaitGroup
	for c := range clients {
		rng := rand.New(rand.NewPCG(uint64(c), 7))
		wg.Go(func() {
			known := map[string]uint64{}
			for range steps {
				ref := refs[rng.IntN(len(refs))]
				if rng.IntN(5) == 0 {
					p, err := w.st.Search(t.Context(), query("Patient", w.clause("Patient", "code", "x")))
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					pages = append(pages, p)
					mu.Unlock()
					continue
				}
				op := seen{start: time.Since(began)}
				ok := w.randomOperation(rng, ref, known, &op)
				op.end = time.Since(began)
				if ok {
					known[ref] = op.version
					mu.Lock()
					histories[ref] = append(histories[ref], op)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	for ref, h := range histories {
		if err := linear(h); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	w.checkSnapshots(pages)
}

// randomOperation reports whether it learned a version.
func (w *world) randomOperation(rng *rand.Rand, ref string, known map[string]uint64, op *seen) bool {
	if rng.IntN(2) == 0 {
		v, err := w.st.Read(w.t.Context(), key(ref))
		if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrGone) {
			w.t.Error(err)
		}
		op.version = v.Version
		return true
	}
	write := w.write(store.Update, ref, Record{Code: []string{[]string{"x", "y"}[rng.IntN(2)]}}, search.Labels{})
	if rng.IntN(6) == 0 {
		write = w.write(store.Delete, ref, Record{}, search.Labels{})
	}
	if n := known[ref]; n > 0 && rng.IntN(2) == 0 {
		write.IfVersion = version(n)
	}
	other := w.write(store.Update, ref+"-twin", Record{Code: []string{"x"}}, search.Labels{})
	r, err := w.st.Apply(w.t.Context(), store.Tx{Writes: []store.Write{write, other}})
	if err != nil {
		if !errors.Is(err, store.ErrPrecondition) {
			w.t.Error(err)
		}
		return false
	}
	op.version, op.write = r.Versions[0].Version, true
	return op.version > 0 // a deletion of nothing writes nothing
}

// linear checks the history of one resource. Versions number its writes, so
// that their order is known; it remains to be shown that nobody learned of a
// version before it was being written, and that nobody who began later knew
// less than somebody who had finished.
func linear(h []seen) error {
	began := map[uint64]time.Duration{0: 0}
	for _, op := range h {
		if !op.write {
			continue
		}
		if _, twice := began[op.version]; twice {
			return fmt.Errorf("version %d was written twice", op.version)
		}
		began[op.version] = op.start
	}
	for _, a := range h {
		start, made := began[a.version]
		if !made {
			return fmt.Errorf("version %d was read and never written", a.version)
		}
		if a.end < start {
			return fmt.Errorf("version %d was read before it was written", a.version)
		}
		for _, b := range h {
			if a.end < b.start && (b.version < a.version || b.write && b.version == a.version) {
				return fmt.Errorf("version %d was known at %v, but an operation that began at %v was at version %d", a.version, a.end, b.start, b.version)
			}
		}
	}
	return nil
}

// checkSnapshots compares pages with the state at their snapshots, as the
// change feed tells it.
func (w *world) checkSnapshots(pages []store.Page) {
	slices.SortFunc(pages, func(a, b store.Page) int { return int(a.AsOf) - int(b.AsOf) })
	var feed []store.Version
	for v, err := range w.st.Changes(w.t.Context(), 0) {
		if err != nil {
			w.t.Fatal(err)
		}
		feed = append(feed, v)
	}
	oracle := &Naive{Terms: w.k.dialect.terms()}
	for _, p := range pages {
		for len(feed) > 0 && feed[0].Seq <= p.AsOf {
			oracle.learn(feed[0])
			feed = feed[1:]
		}
		var want []string
		for _, v := range oracle.visible(p.AsOf, everything) {
			if v.Type == "Patient" && w.k.dialect.hasCode(v.Version, "x") {
				want = append(want, events([]store.Version{v.Version})...)
			}
		}
		got := events(p.Versions)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			w.t.Errorf("a search as of %d found %v, there was %v", p.AsOf, got, want)
		}
	}
}

// learn adds a version from a feed.
func (n *Naive) learn(v store.Version) {
	if old := n.current(v.Key, v.Seq); old != nil {
		old.end, old.endTime = v.Seq, v.Time
	}
	n.seq, n.log = v.Seq, append(n.log, naiveVersion{Version: v})
}
