package mongodb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// sweepEvery is how often index keys of old versions are dropped.
const sweepEvery = time.Minute

func (e *Engine) startSweeper() {
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.sweeper.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(sweepEvery):
			}
			if err := e.sweep(ctx, e.opts.Now().Add(-e.opts.KeepSnapshots)); err != nil && ctx.Err() == nil {
				e.opts.Logger.Warn("old index keys were not dropped; trying again later", "error", withoutText(err))
			}
		}
	})
}

// sweep drops the index keys of versions that were superseded at or before
// that time. Readers learn of the new horizon first.
func (e *Engine) sweep(ctx context.Context, before time.Time) error {
	horizon, err := e.lastAt(ctx, before)
	if err != nil || horizon == 0 {
		return err
	}
	_, err = e.meta.UpdateOne(ctx, isState(bson.E{Key: "horizon", Value: is("$lt", horizon)}), is("$set", is("horizon", horizon)))
	if err != nil {
		return fmt.Errorf("mongodb: sweep: %w", err)
	}
	old := bson.D{{Key: "live", Value: true}, {Key: "end", Value: bson.D{{Key: "$gt", Value: int64(0)}, {Key: "$lte", Value: horizon}}}}
	_, err = e.records.UpdateMany(ctx, old, is("$unset", bson.D{{Key: "live", Value: ""}, {Key: "keys", Value: ""}}))
	if err != nil {
		return fmt.Errorf("mongodb: sweep: %w", err)
	}
	return nil
}

// lastAt is the sequence number of the last committed change at or before a
// time, 0 if there is none.
func (e *Engine) lastAt(ctx context.Context, at time.Time) (int64, error) {
	var last struct {
		Seq int64 `bson:"seq"`
	}
	err := e.reading(ctx, 0, func(v *view) error {
		filter := bson.D{{Key: "time", Value: is("$lte", floorMillis(at))}, {Key: "seq", Value: is("$lte", int64(v.seq))}}
		return e.records.FindOne(v.ctx, filter, options.FindOne().
			SetSort(bson.D{{Key: "time", Value: -1}, {Key: "seq", Value: -1}}).SetProjection(is("seq", 1))).Decode(&last)
	})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("mongodb: sweep: %w", err)
	}
	return last.Seq, nil
}
