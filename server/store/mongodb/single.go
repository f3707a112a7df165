package mongodb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Where there are no transactions, a writer takes a lock in the state
// document, writes versions with the next sequence number, which no reader
// looks at yet, and makes them visible by moving the state on and giving the
// lock back in one update. Whoever finds a lock that has expired undoes first
// what its holder left.
//
// This is not as safe as a transaction: a request of a holder that was delayed
// on its way for longer than the lock lasts would be carried out late, and
// what a stand-alone server acknowledged is only as safe as its one disk.
// Transactions of more than one resource are therefore refused.

// locked makes a change under the lock.
func (e *Engine) locked(ctx context.Context, do stage) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.limits.lock/2)
	defer cancel()
	token := rand.Text()
	st, err := e.lock(ctx, token)
	if err != nil {
		return err
	}
	mine := bson.D{{Key: "lock.token", Value: token}}
	unlock := bson.D{{Key: "$unset", Value: is("lock", "")}}
	var c *change
	if err = st.known(); err == nil {
		c, err = do(ctx, st)
	}
	if err == nil && c != nil {
		if err = e.save(ctx, c); err == nil {
			if err = e.advance(ctx, c, mine, unlock); err == nil {
				return nil
			}
		}
		// Left to itself, the lock expires and the next writer cleans up.
		return errors.Join(err, e.undo(context.WithoutCancel(ctx), st, mine))
	}
	_, uerr := e.meta.UpdateOne(context.WithoutCancel(ctx), isState(mine...), unlock)
	return errors.Join(err, uerr)
}

// lock waits for the lock and returns the state under it.
func (e *Engine) lock(ctx context.Context, token string) (state, error) {
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		now := e.opts.Now()
		free := isState(bson.E{Key: "$or", Value: bson.A{
			is("lock", is("$exists", false)),
			is("lock.until", is("$lt", bson.NewDateTimeFromTime(now))),
		}})
		hold := is("$set", is("lock", lock{Token: token, Until: bson.NewDateTimeFromTime(now.Add(e.opts.limits.lock))}))
		var before state
		err := e.meta.FindOneAndUpdate(ctx, free, hold, options.FindOneAndUpdate().SetReturnDocument(options.Before)).Decode(&before)
		switch {
		case err == nil && before.Lock != nil:
			return before, e.clean(ctx, before)
		case err == nil:
			return before, nil
		case !errors.Is(err, mongo.ErrNoDocuments):
			return before, fmt.Errorf("mongodb: lock: %w", err)
		}
		select {
		case <-ctx.Done():
			return before, fmt.Errorf("%w: another process holds the lock: %w", store.ErrConflict, ctx.Err())
		case <-time.After(wait):
		}
	}
}

// clean removes what was written but never made visible.
func (e *Engine) clean(ctx context.Context, st state) error {
	unseen := is("$gt", st.Seq)
	_, err := e.records.DeleteMany(ctx, is("seq", unseen))
	if err == nil {
		_, err = e.records.UpdateMany(ctx, is("end", unseen), bson.D{
			{Key: "$set", Value: is("end", int64(0))}, {Key: "$unset", Value: is("endTime", "")},
		})
	}
	if err != nil {
		return fmt.Errorf("mongodb: undo an unfinished write: %w", err)
	}
	return nil
}

// undo cleans up after a failed attempt and gives the lock back, if it is
// still held: it is not when the last update did arrive.
func (e *Engine) undo(ctx context.Context, st state, mine bson.D) error {
	ctx, cancel := context.WithTimeout(ctx, e.opts.limits.lock/4)
	defer cancel()
	now, err := e.state(ctx)
	if err != nil || now.Lock == nil || now.Lock.Token != mine[0].Value || now.Seq != st.Seq {
		return err
	}
	if err := e.clean(ctx, st); err != nil {
		return err
	}
	_, err = e.meta.UpdateOne(ctx, isState(mine...), is("$unset", is("lock", "")))
	return err
}
