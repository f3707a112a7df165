package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Restore adds the versions of a backup with the numbers and times they had.
// The store must be empty, or hold just what earlier backups of the same store
// brought: an incremental backup goes on where the one before it ended. What is
// there already is passed over, so that an interrupted Restore can be repeated.
// Writing waits meanwhile.
func (e *Engine) Restore(ctx context.Context, r io.Reader) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	frames, since, upTo, err := openBackup(r)
	if err != nil {
		return err
	}
	defer frames.Close()
	e.write.Lock()
	defer e.write.Unlock()
	if err := e.durable.failure(); err != nil || e.opts.ReadOnly {
		return errors.Join(store.ErrReadOnly, err)
	}
	if since > e.last.seq {
		return fmt.Errorf("embedded: the backup begins after change %d, the store ends at %d: one between is missing", since, e.last.seq)
	}
	if err := e.newOrigin(); err != nil {
		return err
	}
	in := &restoring{e: e}
	for {
		b, err := readFrame(frames)
		if err != nil {
			return err
		}
		if len(b) == 0 {
			break
		}
		if err := in.add(ctx, b); err != nil {
			return err
		}
	}
	if err := in.commit(); err != nil {
		return err
	}
	return e.skipTo(upTo)
}

// skipTo raises the sequence number to that of the backup, which may have
// ended with changes that were purged.
func (e *Engine) skipTo(seq uint64) error {
	if seq <= e.last.seq {
		return nil
	}
	s := e.last
	s.seq = seq
	if err := e.db.Set(metaKey(metaState), s.encode(), pebble.Sync); err != nil {
		return err
	}
	e.last = s
	return e.durable.publish(s)
}

// restoring collects the versions of one sequence number.
type restoring struct {
	e       *Engine
	pending []saved
}

func (in *restoring) add(ctx context.Context, frame []byte) error {
	s, err := decodeBackup(frame)
	if err != nil {
		return err
	}
	if s.Seq <= in.e.last.seq {
		return nil
	}
	if len(in.pending) > 0 && in.pending[0].Seq != s.Seq {
		if err := errors.Join(ctx.Err(), in.commit()); err != nil {
			return err
		}
	}
	in.pending = append(in.pending, s)
	return nil
}

// commit writes what was one transaction as one.
func (in *restoring) commit() error {
	if len(in.pending) == 0 {
		return nil
	}
	e := in.e
	first := in.pending[0]
	s := &staged{e: e, state: e.last, batch: e.db.NewBatch(), freshLabels: map[string]uint64{}}
	defer s.batch.Close()
	s.state.seq, s.state.millis = first.Seq, first.Time.UnixMilli()
	for i := range in.pending {
		if err := s.restore(&in.pending[i]); err != nil {
			return err
		}
	}
	if err := s.finish(); err != nil {
		return err
	}
	for _, v := range in.pending {
		e.totals.forget(v.Type, s.state.seq)
	}
	if err := s.batch.Commit(pebble.Sync); err != nil {
		return err
	}
	e.last = s.state
	e.labels.adopt(s.freshLabels)
	for _, v := range in.pending {
		e.addType(v.Type)
	}
	in.pending = in.pending[:0]
	return e.durable.publish(s.state)
}

// restore adds one version as it was.
func (s *staged) restore(v *saved) error {
	previous, found, err := s.e.pointerAt(s.e.db, v.Key, s.e.last.seq)
	if err != nil {
		return err
	}
	if found && v.Version.Version != previous.version+1 {
		return fmt.Errorf("%w: the store holds other versions than the backup", store.ErrConflict)
	}
	labels, err := s.e.labels.number(v.Labels, &s.state, s.freshLabels, s.batch)
	if err != nil {
		return err
	}
	if found {
		if err := s.supersede(v.Key, previous); err != nil {
			return err
		}
	}
	p := pointer{doc: v.doc, version: v.Version.Version, method: v.Method, labels: labels, millis: v.Time.UnixMilli()}
	if p.live() {
		if err := s.enter(&v.Version, p, v.indexed); err != nil {
			return err
		}
	}
	return s.record(p, &v.Version)
}
