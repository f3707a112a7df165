package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// sweepLoop drops what no snapshot needs any more, until Close.
func (e *Engine) sweepLoop() {
	defer e.sweeps.Done()
	pause := min(max(e.opts.KeepSnapshots/4, time.Second), time.Minute)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-e.closing:
			return
		case <-tick.C:
			if err := e.Sweep(context.Background()); err != nil && !errors.Is(err, errClosed) {
				e.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "sweep of the index failed")
			}
		}
	}
}

// sweepBatch is how many superseded versions are dropped at once.
const sweepBatch = 256

// Sweep drops the index entries of versions superseded longer ago than
// Options.KeepSnapshots. It runs by itself from time to time.
func (e *Engine) Sweep(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	limit := e.opts.Now().Add(-e.opts.KeepSnapshots).UnixMilli()
	for {
		if err := e.usable(ctx); err != nil {
			return err
		}
		if err := e.durable.failure(); err != nil {
			return err
		}
		n, err := e.sweepSome(limit)
		if err != nil || n < sweepBatch {
			return err
		}
	}
}

func (e *Engine) sweepSome(limit int64) (int, error) {
	e.sweepMu.Lock()
	defer e.sweepMu.Unlock()
	upTo := e.durable.seq()
	it, err := e.db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{spaceEnded}, UpperBound: endedKey(upTo+1, 0),
	})
	if err != nil {
		return 0, err
	}
	defer it.Close()
	b := e.db.NewBatch()
	defer b.Close()
	r := e.removal(b)
	n, horizon := 0, uint64(0)
	for ok := it.First(); ok && n < sweepBatch; ok = it.Next() {
		when, _ := binary.Varint(it.Value())
		if when > limit {
			break
		}
		end := binary.BigEndian.Uint64(it.Key()[1:])
		d := doc(binary.BigEndian.Uint64(it.Key()[1+docBytes:]))
		if err := r.unindex(d); err != nil {
			return 0, err
		}
		if err := b.Delete(it.Key(), nil); err != nil {
			return 0, err
		}
		horizon = end
		n++
	}
	if err := errors.Join(it.Error(), r.finish()); err != nil || n == 0 {
		return 0, err
	}
	// The order matters: first no new snapshot before the horizon, then the
	// entries go. Views that are open hold a snapshot of Pebble's.
	if horizon > e.horizon.Load() {
		e.horizon.Store(horizon)
	}
	if err := b.Set(metaKey(metaHorizon), binary.AppendUvarint(nil, e.horizon.Load()), nil); err != nil {
		return 0, err
	}
	return n, b.Commit(pebble.NoSync)
}

// unindex removes the index entries of a version.
func (r *removal) unindex(d doc) error {
	raw, ok, err := r.e.get(r.e.db, versionKey(d))
	if err != nil || !ok {
		return err
	}
	s, err := decodeVersion(d, raw)
	if err != nil {
		return err
	}
	known, ok, err := r.e.indexed(pointer{doc: d, labels: s.labels})
	if err != nil || !ok {
		return err
	}
	if err := r.remove(s.Type, &known, d); err != nil {
		return err
	}
	return r.b.Delete(termsKey(d), nil)
}
