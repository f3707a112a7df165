package mongodb_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// crowd lets writers queue behind one whose commit is held.
type crowd struct {
	t       *testing.T
	rs      *replicaSet
	e       *mongodb.Engine
	waiting sync.WaitGroup
	queued  int
}

// gather starts a write and does not let it end before open is called.
func gather(t *testing.T) (c *crowd, open func()) {
	rs, e := openSet(t)
	c = &crowd{t: t, rs: rs, e: e}
	held, reached := make(chan struct{}), make(chan struct{})
	var once sync.Once
	rs.hold(func(line string) {
		if strings.HasPrefix(line, "commitTransaction") {
			once.Do(func() { close(reached); <-held })
		}
	})
	c.waiting.Go(func() {
		if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("first", "x")}}); err != nil {
			t.Error(err)
		}
	})
	<-reached
	rs.commands()
	return c, func() { close(held); c.waiting.Wait() }
}

// apply queues a transaction and gives its answer to check.
func (c *crowd) apply(ctx context.Context, tx store.Tx, check func(store.Receipt, error)) {
	c.t.Helper()
	c.waiting.Go(func() { check(c.e.Apply(ctx, tx)) })
	c.queued++
	for range 2000 {
		if c.e.Waiting() == c.queued {
			return
		}
		time.Sleep(time.Millisecond)
	}
	c.t.Fatalf("%d wait, want %d", c.e.Waiting(), c.queued)
}

// transactions counts those begun since the last look.
func (c *crowd) transactions() int {
	n := 0
	for _, line := range c.rs.commands() {
		if strings.Contains(line, "start") {
			n++
		}
	}
	return n
}

// TestWritersShareATransaction: thirty writers that wait take one transaction,
// and each has a sequence number of its own.
func TestWritersShareATransaction(t *testing.T) {
	c, open := gather(t)
	var mu sync.Mutex
	var seqs []uint64
	for i := range 30 {
		c.apply(t.Context(), store.Tx{Writes: []store.Write{put(fmt.Sprint(i), "x"), put(fmt.Sprint("also", i), "x")}}, func(r store.Receipt, err error) {
			mu.Lock()
			defer mu.Unlock()
			seqs = append(seqs, r.Seq)
			if err != nil || len(r.Versions) != 2 || r.Versions[0].ID != fmt.Sprint(i) || r.Versions[1].Seq != r.Seq {
				t.Errorf("writer %d: %+v, %v", i, r, err)
			}
		})
	}
	open()
	slices.Sort(seqs)
	if len(slices.Compact(seqs)) != 30 || seqs[0] != 2 || seqs[29] != 31 {
		t.Errorf("sequence numbers %v", seqs)
	}
	if n := c.transactions(); n != 1 {
		t.Errorf("%d transactions", n)
	}
	last := uint64(0)
	for v, err := range c.e.Changes(t.Context(), 0) {
		if err != nil || v.Seq < last || v.Seq > last+1 {
			t.Fatalf("change %d after %d, %v", v.Seq, last, err)
		}
		last = v.Seq
	}
	if st, err := c.e.Status(t.Context()); err != nil || st.Seq != 31 || st.Versions != 61 || st.Resources != 61 {
		t.Errorf("status %+v, %v", st, err)
	}
}

// TestGroupKeepsWritersApart: what fails or goes away takes nobody along, and
// nothing that depends on another is in a group with it.
func TestGroupKeepsWritersApart(t *testing.T) {
	c, open := gather(t)
	want := func(what string, seq, version uint64, kind error) func(store.Receipt, error) {
		return func(r store.Receipt, err error) {
			if !errors.Is(err, kind) || kind == nil && (r.Seq != seq || r.Versions[0].Version != version) {
				t.Errorf("%s: %+v, %v", what, r, err)
			}
		}
	}
	ctx := t.Context()
	one := func(w store.Write) store.Tx { return store.Tx{Writes: []store.Write{w}} }
	c.apply(ctx, one(put("a", "x")), want("a", 2, 1, nil))
	old, seven := put("b", "x"), uint64(7)
	old.IfVersion = &seven
	c.apply(ctx, one(old), want("a condition that does not hold", 0, 0, store.ErrPrecondition))
	broken := put("c", "x")
	errStamp := errors.New("stamp")
	broken.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) { return nil, nil, errStamp }
	c.apply(ctx, store.Tx{Writes: []store.Write{put("c0", "x"), broken}}, want("a failing stamp", 0, 0, errStamp))
	c.apply(ctx, one(put("d", "x")), want("d", 3, 1, nil))
	gone, leave := context.WithCancel(ctx)
	c.apply(gone, one(put("gone", "x")), want("who goes away", 0, 0, context.Canceled))
	leave()
	for c.e.Waiting() == c.queued {
		time.Sleep(time.Millisecond)
	}
	c.queued--
	c.apply(ctx, one(put("a", "y")), want("a again", 4, 2, nil)) // another group
	none := search.Query{Types: []string{"Patient"}, Must: sees, Count: 1, Where: []search.Clause{{Param: storetest.Param("code"), Values: []search.Value{{Raw: "y"}}}}}
	c.apply(ctx, store.Tx{Expect: []store.Expectation{{Query: none}}, Writes: []store.Write{put("e", "y")}}, want("conditional create", 0, 0, store.ErrPrecondition))
	c.apply(ctx, one(put("f", "x")), want("f", 5, 1, nil))
	open()
	wantCodes(t, c.e, "x", 0, "f@1", "d@1", "first@1")
	wantCodes(t, c.e, "y", 0, "a@2")
	if n := c.transactions(); n != 4 {
		t.Errorf("%d transactions", n)
	}
}

// TestGroupIsRepeated lets a failover end the first attempt at a group: all of
// it is repeated, and each Stamp called once.
func TestGroupIsRepeated(t *testing.T) {
	c, open := gather(t)
	var mu sync.Mutex
	stamps := map[string]int{}
	for i := range 5 {
		w := put(fmt.Sprint(i), "x")
		stamp := w.Stamp
		w.Stamp = func(v uint64, at time.Time) ([]byte, [][]byte, error) {
			mu.Lock()
			defer mu.Unlock()
			if stamps[w.Key.ID]++; i == 3 {
				return nil, nil, errors.New("stamp")
			}
			return stamp(v, at)
		}
		c.apply(t.Context(), store.Tx{Writes: []store.Write{w}}, func(_ store.Receipt, err error) {
			if (err != nil) != (i == 3) {
				t.Errorf("writer %d: %v", i, err)
			}
		})
	}
	left := 2
	c.rs.setFault(func(line string) *fault {
		if left == 0 || !strings.HasPrefix(line, "insert") {
			return nil
		}
		left--
		return &fault{code: 189, labels: []string{"TransientTransactionError"}}
	})
	open()
	for id, n := range stamps {
		if n != 1 {
			t.Errorf("%s was stamped %d times", id, n)
		}
	}
	if n := c.transactions(); n != 3 || left != 0 || len(stamps) != 5 {
		t.Errorf("%d transactions, %d faults left, %d stamped", n, left, len(stamps))
	}
	wantCodes(t, c.e, "x", 0, "4@1", "2@1", "1@1", "0@1", "first@1")
}

// TestPanicGivesTheTurnBack: a Stamp that panics leaves nothing, and others can
// write.
func TestPanicGivesTheTurnBack(t *testing.T) {
	_, e := openSet(t)
	w := put("1", "x")
	w.Stamp = func(uint64, time.Time) ([]byte, [][]byte, error) { panic("stamp") }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is swallowed")
			}
		}()
		_, _ = e.Apply(t.Context(), store.Tx{Writes: []store.Write{put("2", "x"), w}})
	}()
	wantCodes(t, e, "x", 0)
	apply(t, e, put("1", "x"))
	wantCodes(t, e, "x", 0, "1@1")
}
