package storetest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/anishathalye/porcupine"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// op is one operation of a history written by hand.
func op(call, end int64, in asked, out answered) porcupine.Operation {
	return porcupine.Operation{Input: in, Call: call, Output: out, Return: end}
}

// TestLinearizable shows that the model takes good histories and finds each
// kind of fault.
func TestLinearizable(t *testing.T) {
	read, put, remove := asked{}, asked{method: store.Update}, asked{method: store.Delete}
	putIf := func(n uint64) asked { return asked{method: store.Update, ifVersion: version(n)} }
	at := func(n uint64, json string) answered { return answered{version: n, json: json} }
	gone := func(n uint64) answered { return answered{version: n, gone: true} }
	refused := func(n uint64) answered { return answered{refused: true, current: n} }
	type history = []porcupine.Operation
	for _, c := range []struct {
		name string
		ops  history
		ok   bool
	}{
		{"overlapping", history{
			op(0, 9, put, at(1, "a")), op(1, 3, read, answered{}), op(2, 4, read, at(1, "a")), op(10, 11, putIf(1), at(2, "b")),
			op(10, 12, putIf(1), refused(2)), op(13, 14, remove, at(3, "")), op(15, 16, read, gone(3)), op(17, 18, remove, answered{}),
			op(19, 20, putIf(3), refused(0)), op(21, 22, putIf(0), at(4, "c")), op(23, 24, read, at(4, "c")),
		}, true},
		{"written twice", history{op(0, 1, put, at(1, "a")), op(2, 3, put, at(1, "b"))}, false},
		{"never written", history{op(0, 1, put, at(1, "a")), op(2, 3, read, at(2, "b"))}, false},
		{"read too early", history{op(0, 1, read, at(1, "a")), op(2, 3, put, at(1, "a"))}, false},
		{"stale read", history{op(0, 1, put, at(1, "a")), op(2, 3, read, answered{})}, false},
		{"reads go back", history{op(0, 9, put, at(1, "a")), op(1, 2, read, at(1, "a")), op(3, 4, read, answered{})}, false},
		{"writes out of row", history{op(0, 1, put, at(2, "a")), op(2, 3, put, at(1, "b"))}, false},
		{"other content", history{op(0, 1, put, at(1, "a")), op(2, 3, read, at(1, "b"))}, false},
		{"precondition not checked", history{op(0, 1, put, at(1, "a")), op(2, 3, putIf(7), at(2, "b"))}, false},
		{"one version updated twice", history{op(0, 1, put, at(1, "a")), op(2, 9, putIf(1), at(2, "b")), op(2, 9, putIf(1), at(3, "c"))}, false},
		{"refused without reason", history{op(0, 1, put, at(1, "a")), op(2, 3, putIf(1), refused(1))}, false},
		{"deletion not seen", history{op(0, 1, put, at(1, "a")), op(2, 3, remove, at(2, "")), op(4, 5, read, at(1, "a"))}, false},
		{"deletion of what is there", history{op(0, 1, put, at(1, "a")), op(2, 3, remove, answered{})}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := linearizable(map[string][]porcupine.Operation{"Patient/1": c.ops}); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}

// staleReads now and then answers a read with what it answered before.
type staleReads struct {
	store.Store
	mu   sync.Mutex
	rng  *rand.Rand
	past map[store.Key]store.Version
}

func (s *staleReads) Read(ctx context.Context, key store.Key) (store.Version, error) {
	v, err := s.Store.Read(ctx, key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.past[key]; ok && s.rng.IntN(4) == 0 {
		return old, nil
	}
	if err == nil {
		s.past[key] = v
	}
	return v, err
}

// blindWrites forgets now and then to check a precondition.
type blindWrites struct {
	store.Store
	mu  sync.Mutex
	rng *rand.Rand
}

func (s *blindWrites) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	s.mu.Lock()
	blind := s.rng.IntN(4) == 0
	s.mu.Unlock()
	if blind {
		tx.Writes[0].IfVersion = nil
	}
	return s.Store.Apply(ctx, tx)
}

// TestRandomClientsFind shows that random clients find a store that is not
// linearizable.
func TestRandomClientsFind(t *testing.T) {
	rng := func() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }
	for _, c := range []struct {
		name string
		st   store.Store
		ok   bool
	}{
		{"no fault", &Naive{Terms: Terms{}}, true},
		{"stale reads", &staleReads{Store: &Naive{Terms: Terms{}}, rng: rng(), past: map[store.Key]store.Version{}}, false},
		{"preconditions not checked", &blindWrites{Store: &Naive{Terms: Terms{}}, rng: rng()}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &kit{open: func(*testing.T) store.Store { return c.st }, dialect: synthetic{}}
			histories, _ := k.world(t).randomClients()
			if err := linearizable(histories); (err == nil) != c.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}
