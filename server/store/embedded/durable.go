package embedded

import (
	"sync"
	"sync/atomic"
)

// durable is what is known to be on disk. Readers look no further.
type durable struct {
	seqNow atomic.Uint64
	mu     sync.Mutex
	moved  *sync.Cond
	now    state
	err    error // why the store takes no more writes
}

func (d *durable) init() { d.moved = sync.NewCond(&d.mu) }

func (d *durable) seq() uint64 { return d.seqNow.Load() }

func (d *durable) state() state {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// publish makes a state visible. The log is written in order, so that all
// transactions before it are on disk too. It fails when the store has failed
// meanwhile, for then nothing is certain.
func (d *durable) publish(s state) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	if s.seq >= d.now.seq {
		d.now = s
		d.seqNow.Store(s.seq)
		d.moved.Broadcast()
	}
	return nil
}

// fail makes the store read-only for good; the first reason stays.
func (d *durable) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err == nil {
		d.err = err
	}
	d.moved.Broadcast()
}

func (d *durable) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// await returns when everything up to seq is on disk, or never will be.
func (d *durable) await(seq uint64) error {
	if d.seqNow.Load() >= seq {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.now.seq < seq && d.err == nil {
		d.moved.Wait()
	}
	if d.now.seq >= seq {
		return nil
	}
	return d.err
}
