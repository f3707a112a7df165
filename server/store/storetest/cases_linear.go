package storetest

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// testLinearizable lets clients work on few resources at random and checks
// that what each resource did can be put in one order that agrees with the
// clock, and that every search saw one moment of that order.
func testLinearizable(t *testing.T, k *kit) {
	w := k.world(t)
	histories, pages := w.randomClients()
	if err := linearizable(histories); err != nil {
		t.Error(err)
	}
	w.checkSnapshots(pages)
}

// asked is what a client asked of one resource.
type asked struct {
	method    store.Method // 0 is a read
	ifVersion *uint64
}

// answered is what it was told; the zero value is that there is and was
// nothing.
type answered struct {
	version uint64 // written or found
	json    string // written or found
	gone    bool   // found deleted
	refused bool   // the precondition failed
	current uint64 // and this is current; 0 for nothing
}

// register is the model of a resource: what should be there.
type register struct {
	version uint64
	deleted bool
	json    string
}

// step tells whether an answer is right, and what is there afterwards.
func (r register) step(in asked, out answered) (bool, register) {
	if in.method == 0 {
		want := answered{version: r.version, json: r.json, gone: r.deleted}
		return out == want, r
	}
	live := r.version
	if r.deleted {
		live = 0
	}
	switch {
	case in.ifVersion != nil && *in.ifVersion != live:
		return out == answered{refused: true, current: live}, r
	case in.method == store.Delete && live == 0:
		return out == answered{}, r
	}
	next := register{version: r.version + 1, deleted: in.method == store.Delete, json: out.json}
	return out == answered{version: next.version, json: next.json} && next.deleted == (next.json == ""), next
}

// linearizable finds an order of what happened to each resource, or reports
// one that has none.
func linearizable(histories map[string][]porcupine.Operation) error {
	model := porcupine.Model{
		Init: func() any { return register{} },
		Step: func(state, in, out any) (bool, any) { return state.(register).step(in.(asked), out.(answered)) },
	}
	for _, ref := range slices.Sorted(maps.Keys(histories)) {
		h := histories[ref]
		if result := porcupine.CheckOperationsTimeout(model, h, time.Minute); result != porcupine.Ok {
			return fmt.Errorf("%s: the history of %d operations is %s: %+v", ref, len(h), result, h)
		}
	}
	return nil
}

// randomClients works on few resources at random, and returns what happened to
// each and what searches found meanwhile.
func (w *world) randomClients() (histories map[string][]porcupine.Operation, pages []store.Page) {
	const clients, steps = 6, 80
	refs := []string{"Patient/1", "Patient/2", "Patient/3"}
	began := time.Now()
	var mu sync.Mutex
	histories = map[string][]porcupine.Operation{}
	var wg sync.WaitGroup
	for c := range clients {
		rng := rand.New(rand.NewPCG(uint64(c), 7))
		wg.Go(func() {
			known := map[string]uint64{}
			for range steps {
				if rng.IntN(5) == 0 {
					p, err := w.st.Search(w.t.Context(), query("Patient", w.clause("Patient", "code", "x")))
					if err != nil {
						w.t.Error(err)
						return
					}
					mu.Lock()
					pages = append(pages, p)
					mu.Unlock()
					continue
				}
				ref := refs[rng.IntN(len(refs))]
				op := porcupine.Operation{ClientId: c, Call: int64(time.Since(began))}
				in, out, err := w.randomOperation(rng, ref, known)
				op.Return = int64(time.Since(began))
				if err != nil {
					w.t.Error(err)
					return
				}
				op.Input, op.Output = in, out
				mu.Lock()
				histories[ref] = append(histories[ref], op)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return histories, pages
}

// randomOperation reads, updates or deletes; known are the versions that the
// client has heard of.
func (w *world) randomOperation(rng *rand.Rand, ref string, known map[string]uint64) (asked, answered, error) {
	if rng.IntN(2) == 0 {
		v, err := w.st.Read(w.t.Context(), key(ref))
		out := answered{version: v.Version, json: string(v.JSON)}
		switch {
		case errors.Is(err, store.ErrNotFound):
			return asked{}, answered{}, nil
		case errors.Is(err, store.ErrGone):
			out.gone, err = true, nil
		}
		known[ref] = v.Version
		return asked{}, out, err
	}
	write := w.write(store.Update, ref, Record{Code: []string{[]string{"x", "y"}[rng.IntN(2)]}}, search.Labels{})
	if rng.IntN(6) == 0 {
		write = w.write(store.Delete, ref, Record{}, search.Labels{})
	}
	if rng.IntN(2) == 0 {
		write.IfVersion = version(known[ref])
	}
	in := asked{method: write.Method, ifVersion: write.IfVersion}
	other := w.write(store.Update, ref+"-twin", Record{Code: []string{"x"}}, search.Labels{})
	r, err := w.st.Apply(w.t.Context(), store.Tx{Writes: []store.Write{write, other}})
	if failed := (*store.FailedPrecondition)(nil); errors.As(err, &failed) {
		known[ref] = failed.Current
		return in, answered{refused: true, current: failed.Current}, nil
	}
	if err != nil {
		return in, answered{}, err
	}
	v := r.Versions[0]
	known[ref] = v.Version
	if write.Method == store.Delete {
		known[ref] = 0
	}
	return in, answered{version: v.Version, json: string(v.JSON)}, nil
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
