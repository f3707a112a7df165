package mongodb

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Writers of one process that wait for each other share a transaction of
// MongoDB, whose time is that of a few round trips and of a majority's disks.
// Each keeps its own sequence number, conditions and answer; that of one does
// not depend on the others', as no two of a group write the same resource and
// none with an Expectation is in a group.

// Bounds of a group; the first to come is always taken.
const (
	maxGroup       = 64
	maxGroupWrites = 500
)

// group are transactions that are made at once, in this order.
type group []*attempt

// queue holds those that wait for the turn.
type queue struct {
	mu   sync.Mutex
	list group
}

func (q *queue) add(a *attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = append(q.list, a)
}

// leave takes back one that is still waiting.
func (q *queue) leave(a *attempt) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list = slices.DeleteFunc(q.list, func(x *attempt) bool { return x == a })
}

// take returns the next group.
func (q *queue) take() group {
	q.mu.Lock()
	defer q.mu.Unlock()
	n, writes := 0, 0
	keys := map[store.Key]bool{}
	for n < len(q.list) && n < maxGroup {
		a := q.list[n]
		writes += len(a.tx.Writes)
		if n > 0 && (writes > maxGroupWrites || len(a.tx.Expect) > 0 || slices.ContainsFunc(a.tx.Writes, func(w store.Write) bool { return keys[w.Key] })) {
			break
		}
		for i := range a.tx.Writes {
			keys[a.tx.Writes[i].Key] = true
		}
		n++
		if len(a.tx.Expect) > 0 {
			break
		}
	}
	g := slices.Clone(q.list[:n])
	q.list = slices.Delete(q.list, 0, n)
	return g
}

// join makes a transaction, together with others that wait. Who gets the turn
// makes the next group, whoever is in it.
func (e *Engine) join(ctx context.Context, a *attempt) error {
	if !e.transactions {
		if err := e.write(ctx, group{a}.stage); err != nil {
			return err
		}
		return a.refused
	}
	a.done = make(chan struct{})
	e.waiting.add(a)
	for {
		select {
		case <-a.done:
			return a.refused
		default:
		}
		select {
		case <-a.done:
		case <-e.turn:
			e.lead(ctx, a)
		case <-ctx.Done(): // what is under way may be written all the same
			e.waiting.leave(a)
			return ctx.Err()
		}
	}
}

// lead makes the next group, in which a may or may not be, and gives the turn
// back. A caller who goes away takes nobody else's transaction along.
func (e *Engine) lead(ctx context.Context, a *attempt) {
	defer func() { e.turn <- struct{}{} }()
	g := e.waiting.take()
	if len(g) == 0 {
		return
	}
	err := errUnfinished
	defer func() {
		for _, x := range g {
			if err != nil {
				x.refused = err
			}
			close(x.done)
		}
	}()
	if len(g) > 1 || g[0] != a {
		ctx = context.WithoutCancel(ctx)
	}
	err = e.run(ctx, g.stage)
}

// errUnfinished is told to a group one of whose Stamps panics.
var errUnfinished = errors.New("mongodb: a transaction was not finished")

// stage checks the transactions against the store.
func (g group) stage(ctx context.Context, st state) (*change, error) {
	for _, a := range g {
		a.refused = nil
	}
	v := &view{e: g[0].e, ctx: ctx, seq: uint64(st.Seq), state: st, close: func() {}}
	g[0].receipt = store.Receipt{Seq: v.seq}
	if err := g[0].checkExpectations(v); err != nil || g[0].refused != nil {
		return nil, err
	}
	current, err := v.newestOf(g)
	if err != nil {
		return nil, err
	}
	c := &change{state: st, seq: st.Seq, time: st.Time}
	for _, a := range g {
		a.refused = a.plan(c, current)
	}
	if len(c.insert) == 0 {
		return nil, nil
	}
	return c, nil
}
