package embedded

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Import adds versions with the numbers and times they have, keys included:
// whole transactions, newer than everything in the store, in the order of
// Changes. Then it raises the sequence number to upTo. Writing waits meanwhile.
func (e *Engine) Import(ctx context.Context, versions []store.Version, upTo uint64) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	e.write.Lock()
	defer e.write.Unlock()
	if err := e.durable.failure(); err != nil || e.opts.ReadOnly {
		return errors.Join(store.ErrReadOnly, err)
	}
	in := &restoring{e: e}
	for i := range versions {
		v := &versions[i]
		if v.Seq <= e.last.seq {
			return fmt.Errorf("%w: the store already has change %d", store.ErrConflict, v.Seq)
		}
		if n := len(in.pending); n > 0 && in.pending[0].Seq != v.Seq {
			if err := errors.Join(ctx.Err(), in.commit()); err != nil {
				return err
			}
		}
		s := saved{stored: stored{Version: *v}, doc: newDoc(v.Seq, len(in.pending)), indexed: v.Method != store.Delete}
		s.Keys = sortedKeys(v.Keys)
		in.pending = append(in.pending, s)
	}
	if err := in.commit(); err != nil {
		return err
	}
	return e.skipTo(upTo)
}
