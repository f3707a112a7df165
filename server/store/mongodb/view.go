package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// view is the store as of a sequence number.
type view struct {
	e     *Engine
	ctx   context.Context // carries the session
	seq   uint64
	state state
	close func()
	// room is how many bytes the sets of the query being compiled may still
	// take.
	room int
}

// errStale says that a server has not yet seen what this process has.
var errStale = errors.New("mongodb: the server is behind what it has told before")

// lostSnapshot are the server's codes for a snapshot that cannot be read any
// more, or not yet: SnapshotTooOld, SnapshotUnavailable, StaleChunkHistory. A
// deployment keeps snapshots for five minutes; it loses younger ones when
// indexes are made, chunks are moved or a new primary comes.
var lostSnapshot = []int{239, 246, 257}

// passing reports whether an error is gone in another snapshot.
func passing(err error) bool {
	var said mongo.ServerError
	return errors.Is(err, errStale) || errors.As(err, &said) && slices.ContainsFunc(lostSnapshot, said.HasErrorCode)
}

// disconnected reports whether a connection was lost, this one or, so that all
// were given up, another. The driver reads again by itself only where the
// deployment has sessions.
func disconnected(err error) bool {
	var said mongo.LabeledError
	return errors.As(err, &said) && (said.HasErrorLabel("NetworkError") || said.HasErrorLabel("TransientTransactionError"))
}

// reading calls f with the store as of a sequence number, 0 being now, and
// again where the deployment has lost the snapshot, and once where a connection
// was lost: what f reads is told by the sequence number, so that it finds the
// same.
func (e *Engine) reading(ctx context.Context, asOf uint64, f func(*view) error) error {
	reconnected := false
	for wait := time.Millisecond; ; wait *= 2 {
		err := e.readOnce(ctx, asOf, f)
		lost := !reconnected && disconnected(err)
		reconnected = reconnected || lost
		if !lost && !passing(err) || wait > time.Second {
			return withoutText(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (e *Engine) readOnce(ctx context.Context, asOf uint64, f func(*view) error) error {
	v, err := e.view(ctx, asOf)
	if err != nil {
		return err
	}
	defer v.close()
	return f(v)
}

// view opens a view. The caller closes it.
func (e *Engine) view(ctx context.Context, asOf uint64) (*view, error) {
	v := &view{e: e, ctx: ctx, close: func() {}}
	seen := e.seen.Load()
	if e.transactions {
		var err error
		if v.ctx, v.close, err = e.inSnapshot(ctx); err != nil {
			return nil, err
		}
	}
	err := v.settle(asOf, seen)
	if err != nil {
		v.close()
		return nil, err
	}
	return v, nil
}

// settle reads the state and chooses the sequence number.
func (v *view) settle(asOf, seen uint64) error {
	var err error
	if v.state, err = v.e.state(v.ctx); err != nil {
		return err
	}
	last := uint64(v.state.Seq)
	if last < seen {
		return errStale
	}
	v.e.noteSeq(last)
	v.seq = asOf
	if asOf == 0 {
		v.seq = last
	}
	if v.seq > last || v.seq < uint64(v.state.Horizon) {
		return fmt.Errorf("%w: as of %d of %d", store.ErrExpired, v.seq, last)
	}
	return nil
}

// finish tells whether index keys that the view may have needed were dropped
// while it was read. In a snapshot that cannot be.
func (v *view) finish() error {
	if v.e.transactions {
		return nil
	}
	st, err := v.e.state(v.ctx)
	if err == nil && v.seq < uint64(st.Horizon) {
		err = store.ErrExpired
	}
	return err
}

// there is the condition that a version was current, and no deletion.
func (v *view) there() bson.D { return append(is("live", true), v.current()...) }

// current is the condition that a version was current.
func (v *view) current() bson.D {
	return bson.D{
		{Key: "seq", Value: bson.D{{Key: "$lte", Value: int64(v.seq)}}},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "end", Value: int64(0)}},
			bson.D{{Key: "end", Value: bson.D{{Key: "$gt", Value: int64(v.seq)}}}},
		}},
	}
}
