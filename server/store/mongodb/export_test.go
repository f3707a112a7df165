package mongodb

import (
	"context"
	"time"
)

// Text is how an index key is kept.
func Text(key []byte) string { return text(key) }

// Sweep drops the index keys of versions superseded at or before a time.
func (e *Engine) Sweep(ctx context.Context, before time.Time) error { return e.sweep(ctx, before) }

// Tiny returns options under which sets do not fit into a query and batches
// hold a few documents.
func (o Options) Tiny() Options {
	o.limits = defaultLimits
	o.limits.set, o.limits.batch = 20, 3
	return o
}

// Room returns options under which the sets of a query share so many bytes.
func (o Options) Room(bytes int) Options {
	o.limits = defaultLimits
	o.limits.set = bytes
	return o
}

// Unsafe returns options under which a deployment without transactions takes
// those of many resources, guarded by the lock alone.
func (o Options) Unsafe() Options {
	if o.limits.set == 0 {
		o.limits = defaultLimits
	}
	o.limits.unsafeTransactions = true
	return o
}

// Waiting is how many transactions wait for the turn.
func (e *Engine) Waiting() int {
	e.waiting.mu.Lock()
	defer e.waiting.mu.Unlock()
	return len(e.waiting.list)
}

// Reading calls f as the engine's reads are called.
func (e *Engine) Reading(ctx context.Context, f func() error) error {
	return e.reading(ctx, 0, func(*view) error { return f() })
}
