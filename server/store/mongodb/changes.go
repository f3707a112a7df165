package mongodb

import (
	"context"
	"fmt"
	"iter"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Changes yields every version after since, oldest first, up to the last one
// committed when it is called. The versions carry no keys.
func (e *Engine) Changes(ctx context.Context, since uint64) iter.Seq2[store.Version, error] {
	return func(yield func(store.Version, error) bool) {
		if _, err := e.changes(ctx, since, yield); err != nil {
			yield(store.Version{}, err)
		}
	}
}

// changes returns where it has come to, and an error only if the loop it
// yields to is still running.
func (e *Engine) changes(ctx context.Context, since uint64, yield func(store.Version, error) bool) (uint64, error) {
	o := order{oldest: true}
	p := position{}
	filter := is("seq", is("$gt", int64(since)))
	upTo := uint64(0)
	for {
		// What is committed stays: no snapshot is held while a slow reader
		// works, each batch has its own.
		if p.set {
			filter = o.after(p, false)
		}
		var found []record
		err := e.reading(ctx, 0, func(v *view) (err error) {
			if upTo == 0 {
				upTo = v.seq
			}
			if since < upTo {
				found, err = v.batch(is("$and", bson.A{filter, is("seq", is("$lte", int64(upTo)))}), o)
			}
			return err
		})
		if err != nil || since >= upTo {
			return since, err
		}
		for i := range found {
			version, err := e.version(&found[i])
			if err != nil {
				return since, err
			}
			if !yield(version, nil) {
				return version.Seq, nil
			}
			p = newPosition(upTo, -1, hit{seq: found[i].Seq, key: version.Key})
		}
		if len(found) < int(e.opts.limits.batch) {
			return upTo, nil
		}
	}
}

// batch returns the first records of an order.
func (v *view) batch(filter bson.D, o order) ([]record, error) {
	cursor, err := v.e.records.Find(v.ctx, filter, options.Find().
		SetSort(o.sort()).SetLimit(int64(v.e.opts.limits.batch)).SetProjection(withoutKeys))
	if err != nil {
		return nil, fmt.Errorf("mongodb: changes: %w", err)
	}
	var found []record
	if err := cursor.All(v.ctx, &found); err != nil {
		return nil, fmt.Errorf("mongodb: changes: %w", err)
	}
	return found, nil
}

// Follow yields every version after since, as Changes does, and goes on with
// those to come until ctx ends. News are told by a change stream on the state
// document, or found by looking every Options.PollEvery where there are none.
// Whatever happens to the stream, nothing is left out or told twice: it only
// wakes, and the versions are read by sequence number.
func (e *Engine) Follow(ctx context.Context, since uint64) iter.Seq2[store.Version, error] {
	return func(yield func(store.Version, error) bool) {
		stopped := false
		w := e.newWaker(ctx)
		defer w.close()
		for ctx.Err() == nil && !stopped {
			var err error
			since, err = e.changes(ctx, since, func(v store.Version, err error) bool {
				stopped = !yield(v, err)
				return !stopped
			})
			switch {
			case stopped || ctx.Err() != nil:
				return
			case err != nil:
				yield(store.Version{}, err)
				return
			}
			w.wait(ctx)
		}
	}
}

// waker waits for the next transaction.
type waker struct {
	e      *Engine
	stream *mongo.ChangeStream // nil where there is none
}

func (e *Engine) newWaker(ctx context.Context) *waker {
	w := &waker{e: e}
	if e.transactions {
		w.open(ctx)
	}
	return w
}

func (w *waker) open(ctx context.Context) {
	stream, err := w.e.meta.Watch(ctx, mongo.Pipeline{}, options.ChangeStream().SetMaxAwaitTime(w.e.opts.PollEvery))
	if err != nil {
		w.e.opts.Logger.Warn("no change stream: looking for changes at intervals", "error", withoutText(err))
		return
	}
	w.stream = stream
}

// wait returns when something may have been written.
func (w *waker) wait(ctx context.Context) {
	if w.stream != nil {
		if w.stream.TryNext(ctx) || w.stream.Err() == nil {
			return
		}
		w.close()
		w.open(ctx)
	}
	select {
	case <-ctx.Done():
	case <-time.After(w.e.opts.PollEvery):
	}
}

func (w *waker) close() {
	if w.stream != nil {
		_ = w.stream.Close(context.Background()) // it is of no more use either way
		w.stream = nil
	}
}
