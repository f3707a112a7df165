package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// view is the store as of a sequence number.
type view struct {
	e     *Engine
	ctx   context.Context // carries the session
	seq   uint64
	state state
	close func()
}

// errStale says that a server has not yet seen what this process has.
var errStale = errors.New("mongodb: the server is behind what it has told before")

// view opens a view; asOf 0 is now. The caller closes it.
func (e *Engine) view(ctx context.Context, asOf uint64) (*view, error) {
	for wait := time.Millisecond; ; wait *= 2 {
		v, err := e.openView(ctx, asOf)
		if !errors.Is(err, errStale) || wait > time.Second {
			return v, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

func (e *Engine) openView(ctx context.Context, asOf uint64) (*view, error) {
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
func (v *view) there() bson.D {
	return bson.D{
		{Key: "live", Value: true},
		{Key: "seq", Value: bson.D{{Key: "$lte", Value: int64(v.seq)}}},
		{Key: "$or", Value: bson.A{
			bson.D{{Key: "end", Value: int64(0)}},
			bson.D{{Key: "end", Value: bson.D{{Key: "$gt", Value: int64(v.seq)}}}},
		}},
	}
}
