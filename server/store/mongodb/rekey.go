package mongodb

import (
	"context"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Rekeyer = (*Engine)(nil)

// Rekey gives current versions other index keys. It takes the turn of a writer
// but moves nothing on: an Apply of the same resource comes before it, and then
// the version is not current any more, or after it. Versions that have these
// keys already are not written, so that a second server that indexes the same
// store finds nothing to do.
func (e *Engine) Rekey(ctx context.Context, list []store.Rekeying) error {
	if len(list) == 0 {
		return ctx.Err()
	}
	return e.write(ctx, func(ctx context.Context, _ state) (*change, error) {
		updates, err := e.stageRekey(ctx, list)
		if err != nil || len(updates) == 0 {
			return nil, err
		}
		if _, err := e.records.BulkWrite(ctx, updates, options.BulkWrite().SetOrdered(false)); err != nil {
			return nil, fmt.Errorf("mongodb: rekey: %w", err)
		}
		return nil, nil
	})
}

// stageRekey returns the updates of versions that are current and have other
// keys. Each names the compartment, so that one shard carries it out.
func (e *Engine) stageRekey(ctx context.Context, list []store.Rekeying) ([]mongo.WriteModel, error) {
	wanted := make(map[string][]string, len(list))
	ids := make([]string, 0, len(list))
	for _, r := range list {
		id := recordID(r.Key, r.Version)
		if _, twice := wanted[id]; !twice {
			ids = append(ids, id)
		}
		wanted[id] = texts(r.Keys)
	}
	current := append(in("_id", ids), bson.E{Key: "live", Value: true}, bson.E{Key: "end", Value: int64(0)})
	cursor, err := e.records.Find(ctx, current,
		options.Find().SetProjection(bson.D{{Key: "compartment", Value: 1}, {Key: "keys", Value: 1}}))
	if err != nil {
		return nil, fmt.Errorf("mongodb: rekey: %w", err)
	}
	var found []record
	if err := cursor.All(ctx, &found); err != nil {
		return nil, fmt.Errorf("mongodb: rekey: %w", err)
	}
	var updates []mongo.WriteModel
	for i := range found {
		r := &found[i]
		if keys := wanted[r.ID]; !slices.Equal(keys, r.Keys) {
			updates = append(updates, mongo.NewUpdateOneModel().SetFilter(r.whileCurrent()).SetUpdate(is("$set", is("keys", keys))))
		}
	}
	return updates, nil
}
