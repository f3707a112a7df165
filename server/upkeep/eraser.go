package upkeep

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Purge is the name of the operation that erases, and of its jobs.
const Purge = "purge"

// Eraser erases resources for good and keeps a record of it. It reads labels
// and numbers of versions, no content. All but Recorder are required.
type Eraser struct {
	Store  store.Store
	Engine store.Eraser // the store again
	// Recorder keeps who erased what; nil keeps nothing (the open mode).
	Recorder interaction.Joiner
	// CatchUp returns once whoever follows the changes of the store, the policy
	// above all, has seen those that are committed.
	CatchUp func(context.Context) error
	Now     func() time.Time
}

// Order is what to erase and in whose name.
type Order struct {
	Caller    policy.Caller `json:"caller"`
	RequestID string        `json:"request"`
	Keys      []store.Key   `json:"keys"`
	// HistoryOnly keeps the current versions.
	HistoryOnly bool `json:"historyOnly,omitempty"`
}

// maxBatch is how many resources are erased at once: fewer than one entry of
// the record of accesses can name.
const maxBatch = 100

// maxTries is how often a batch is begun anew because others write to it.
const maxTries = 20

var errBusy = errors.New("erase: the resources are being written all the time")

// Missing returns those resources of the order that the store does not hold,
// deleted or not.
func (e *Eraser) Missing(ctx context.Context, keys []store.Key) (missing []store.Key, err error) {
	for _, key := range keys {
		_, err := e.Store.Read(ctx, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			missing = append(missing, key)
		case err != nil && !errors.Is(err, store.ErrGone):
			return nil, err
		}
	}
	return missing, nil
}

// Erase erases everything, batch by batch, and calls marked after each with
// how many of the keys are done. It may be repeated: what is gone stays gone.
// When ctx ends the batch under way is finished, so that nothing is recorded as
// erased that is not.
func (e *Eraser) Erase(ctx context.Context, o Order, done int, marked func(done int) error) (versions int, err error) {
	for done < len(o.Keys) {
		if err := ctx.Err(); err != nil {
			return versions, err
		}
		end := min(done+maxBatch, len(o.Keys))
		n, err := e.batch(context.WithoutCancel(ctx), &o, o.Keys[done:end])
		versions += n
		if err != nil {
			return versions, err
		}
		done = end
		if err := marked(done); err != nil {
			return versions, err
		}
	}
	return versions, nil
}

func (e *Eraser) batch(ctx context.Context, o *Order, keys []store.Key) (versions int, err error) {
	for range maxTries {
		n, left, err := e.try(ctx, o, keys)
		versions += n
		if err != nil || len(left) == 0 {
			return versions, err
		}
		keys = left
	}
	return versions, errBusy
}

// try deletes what is not deleted, in one transaction with the record of the
// erasure, and then erases all versions. Deleting first lets everybody who
// follows the changes forget the resource: what is erased is in no change any
// more. What somebody wrote meanwhile is left for another try.
func (e *Eraser) try(ctx context.Context, o *Order, keys []store.Key) (versions int, left []store.Key, err error) {
	found, err := e.read(ctx, keys)
	if err != nil || len(found) == 0 {
		return 0, nil, err
	}
	list, err := e.announce(ctx, o, found)
	if errors.Is(err, store.ErrPrecondition) || errors.Is(err, store.ErrConflict) {
		return 0, keys, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("erase: %w", err)
	}
	if err := e.CatchUp(ctx); err != nil {
		return 0, nil, fmt.Errorf("erase: %w", err)
	}
	counts, err := e.Engine.Erase(ctx, !o.HistoryOnly, list)
	if err != nil {
		return 0, nil, fmt.Errorf("erase: %w", err)
	}
	for i, n := range counts {
		versions += n
		if n == 0 && !o.HistoryOnly {
			left = append(left, list[i].Key)
		}
	}
	return versions, left, nil
}

// read returns the newest versions of what is there, deletions included.
func (e *Eraser) read(ctx context.Context, keys []store.Key) ([]store.Version, error) {
	var found []store.Version
	for _, key := range keys {
		v, err := e.Store.Read(ctx, key)
		switch {
		case errors.Is(err, store.ErrNotFound):
			continue
		case err != nil && !errors.Is(err, store.ErrGone):
			return nil, fmt.Errorf("erase: %w", err)
		}
		found = append(found, v)
	}
	return found, nil
}

// announce makes the transaction that comes before the erasure, and returns
// what may be erased after it.
func (e *Eraser) announce(ctx context.Context, o *Order, found []store.Version) ([]store.Erasing, error) {
	var tx store.Tx
	list := make([]store.Erasing, len(found))
	access := interaction.Access{Time: e.Now(), RequestID: o.RequestID, Caller: o.Caller, Interaction: "$" + Purge, Erased: true}
	if o.HistoryOnly {
		access.Query = "history-only"
	}
	for i := range found {
		v := &found[i]
		list[i].Key = v.Key
		access.Seen = append(access.Seen, interaction.Seen{Key: v.Key, Version: v.Version, Labels: v.Labels})
		if o.HistoryOnly {
			continue
		}
		list[i].Version = v.Version
		if v.Method != store.Delete {
			list[i].Version++
			tx.Writes = append(tx.Writes, store.Write{Key: v.Key, Method: store.Delete, IfVersion: &v.Version})
		}
	}
	done := func(error) {}
	if e.Recorder != nil {
		record, told, err := e.Recorder.Join(ctx, access)
		if err != nil {
			return nil, err
		}
		tx.Writes, done = append(tx.Writes, record...), told
	}
	if len(tx.Writes) == 0 {
		return list, nil
	}
	_, err := e.Store.Apply(ctx, tx)
	done(err)
	return list, err
}
