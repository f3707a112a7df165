package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Rekeyer = (*Engine)(nil)

// Rekey gives current versions other index keys.
func (e *Engine) Rekey(ctx context.Context, list []store.Rekeying) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	b := e.db.NewBatch()
	err := e.stageRekey(b, list)
	if err == nil {
		if err = b.SyncWait(); err != nil {
			e.durable.fail(err)
			err = fmt.Errorf("%w: %w", store.ErrReadOnly, err)
		}
	}
	return errors.Join(err, b.Close())
}

// stageRekey builds the batch and hands it to the log, one transaction at a
// time, so that nothing comes between the look at a version and its new keys.
func (e *Engine) stageRekey(b *pebble.Batch, list []store.Rekeying) error {
	e.sweepMu.Lock()
	defer e.sweepMu.Unlock()
	e.write.Lock()
	defer e.write.Unlock()
	if e.opts.ReadOnly {
		return store.ErrReadOnly
	}
	if err := e.durable.failure(); err != nil {
		return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	r := e.removal(b)
	for i := range list {
		if err := r.rekey(&list[i]); err != nil {
			return err
		}
		// Totals counted so far may be others now; those counted from the next
		// transaction on are right.
		e.totals.forget(list[i].Key.Type, e.last.seq+1)
	}
	if err := r.finish(); err != nil {
		return err
	}
	if err := e.log(b); err != nil {
		e.durable.fail(err)
		return fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	return nil
}

// rekey replaces the entries of one version; its new ones carry what those of a
// current version carry.
func (r *removal) rekey(to *store.Rekeying) error {
	p, ok, err := r.e.pointerAt(r.e.db, to.Key, r.e.last.seq)
	if err != nil || !ok || !p.live() || p.version != to.Version {
		return err
	}
	old, ok, err := r.e.indexed(p)
	if err != nil || !ok {
		return err
	}
	next := old
	next.Keys = sortedKeys(to.Keys)
	if slices.EqualFunc(old.Keys, next.Keys, bytes.Equal) {
		return nil
	}
	if err := r.remove(to.Key.Type, &old, p.doc); err != nil {
		return err
	}
	if err := r.b.Set(termsKey(p.doc), encodeRow(to.Key.ID, next.Keys), nil); err != nil {
		return err
	}
	value := appendPosting(nil, p.labels, 0)
	return r.e.eachEntry(to.Key.Type, &next, p.doc, func(key, head []byte) error { return set(r.b, key, head, value) })
}
