package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Eraser = (*Engine)(nil)

// Purge erases versions of resources for good: all but the current one, or,
// with current, that one too, deleted or not. It reports how many versions went.
// Snapshots of pages before it expire; the sequence number grows by one without
// a version, and backups begin anew (ErrErased). Call Compact afterwards to have
// the bytes themselves removed from the files; sets of labels, which hold ids
// and no content, stay.
func (e *Engine) Purge(ctx context.Context, current bool, keys ...store.Key) (int, error) {
	list := make([]store.Erasing, len(keys))
	for i, key := range keys {
		list[i].Key = key
	}
	counts, err := e.Erase(ctx, current, list)
	n := 0
	for _, gone := range counts {
		n += gone
	}
	return n, err
}

// Erase is Purge for resources whose newest version is known. One named twice
// counts where it is named first.
func (e *Engine) Erase(ctx context.Context, current bool, list []store.Erasing) (counts []int, err error) {
	if err := e.begin(ctx); err != nil {
		return nil, err
	}
	defer e.end()
	e.sweepMu.Lock()
	defer e.sweepMu.Unlock()
	e.write.Lock()
	defer e.write.Unlock()
	if err := e.durable.failure(); err != nil || e.opts.ReadOnly {
		return nil, errors.Join(store.ErrReadOnly, err)
	}
	b := e.db.NewBatch()
	defer b.Close()
	r, s, n := e.removal(b), e.last, 0
	counts = make([]int, len(list))
	for i, one := range list {
		if slices.ContainsFunc(list[:i], func(o store.Erasing) bool { return o.Key == one.Key }) {
			continue
		}
		if counts[i], err = e.purgeOne(r, &s, one, current); err != nil {
			return nil, err
		}
		n += counts[i]
	}
	if n == 0 {
		return counts, nil
	}
	s.seq++
	if err := errors.Join(
		r.finish(),
		b.Set(metaKey(metaState), s.encode(), nil),
		b.Set(metaKey(metaHorizon), binary.AppendUvarint(nil, s.seq), nil),
		b.Set(metaKey(metaErased), binary.AppendUvarint(nil, s.seq), nil),
	); err != nil {
		return nil, err
	}
	e.horizon.Store(s.seq)
	for _, one := range list {
		e.totals.touch(one.Key.Type, s.seq)
	}
	if err := e.logAndWait(b); err != nil {
		return nil, err
	}
	e.last = s
	return counts, e.durable.publish(s)
}

// logAndWait hands a batch to the log and waits for the disk.
func (e *Engine) logAndWait(b *pebble.Batch) error {
	err := e.log(b)
	if err == nil {
		err = b.SyncWait()
	}
	if err != nil {
		e.durable.fail(err)
		return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	return nil
}

// purgeOne removes the versions of one resource; Engine.write is held.
func (e *Engine) purgeOne(r *removal, s *state, one store.Erasing, current bool) (int, error) {
	key := one.Key
	v := e.viewAt(context.Background(), e.last.seq)
	defer v.close()
	it, err := v.newIter(historyPrefix(key.Type, key.ID))
	if err != nil {
		return 0, err
	}
	n, end := 0, uint64(0)
	for ok := it.First(); ok; ok = it.Next() {
		p, err := decodePointer(it.Value())
		if err != nil {
			return 0, err
		}
		newest := end == 0
		if newest && one.Version != 0 && one.Version != p.version {
			break
		}
		if !newest || current {
			if err := r.erase(key, p, end); err != nil {
				return 0, err
			}
			n++
			s.versions--
			if newest && p.live() {
				s.resources--
			}
		}
		end = p.doc.seq()
	}
	if current && n > 0 {
		if err := r.b.Delete(currentKey(key.Type, key.ID), nil); err != nil {
			return 0, err
		}
	}
	return n, it.Error()
}

// erase removes everything that was made of one version, which ended at end.
func (r *removal) erase(key store.Key, p pointer, end uint64) error {
	if p.live() {
		if err := r.unindex(p.doc); err != nil {
			return err
		}
	}
	return errors.Join(
		r.b.Delete(versionKey(p.doc), nil),
		r.b.Delete(historyKey(key.Type, key.ID, p.version), nil),
		r.b.Delete(typeKey(key.Type, p.doc), nil),
		r.b.Delete(endedKey(end, p.doc), nil),
	)
}

// Compact rewrites all files: what was removed is gone from the disk, and
// searches get faster after many changes. It may take long; others may read
// and write meanwhile.
func (e *Engine) Compact(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	if e.opts.ReadOnly {
		return store.ErrReadOnly
	}
	if err := e.db.Flush(); err != nil {
		return err
	}
	if err := e.db.Compact(ctx, []byte{0}, []byte{0xff}, true); err != nil {
		return err
	}
	return e.renewLogs()
}

// keptLogs is more than the logs Pebble keeps to use again.
const keptLogs = 8

// renewLogs replaces the logs that Pebble keeps to use again: they still hold
// what was written to them.
func (e *Engine) renewLogs() error {
	e.freshLogs.Store(true)
	defer e.freshLogs.Store(false)
	for range keptLogs {
		if err := errors.Join(e.db.Set(metaKey(metaCompacted), nil, pebble.NoSync), e.db.Flush()); err != nil {
			return err
		}
	}
	return nil
}
