package mongodb

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Read returns the current version; ErrGone comes with the deletion.
func (e *Engine) Read(ctx context.Context, key store.Key) (store.Version, error) {
	v, err := e.readOne(ctx, bson.D{{Key: "ref", Value: reference(key)}}, key)
	if err == nil && v.Method == store.Delete {
		err = store.ErrGone
	}
	return v, err
}

// ReadVersion returns one version, which may be a deletion.
func (e *Engine) ReadVersion(ctx context.Context, key store.Key, version uint64) (store.Version, error) {
	return e.readOne(ctx, bson.D{{Key: "_id", Value: recordID(key, version)}}, key)
}

// readOne returns the newest committed version that the filter finds. Where
// there are transactions, everything that can be seen is committed, and one
// question answers.
func (e *Engine) readOne(ctx context.Context, filter bson.D, key store.Key) (store.Version, error) {
	if !storable(key) {
		return store.Version{}, store.ErrNotFound
	}
	var r record
	var err error
	find := func(ctx context.Context, filter bson.D) error {
		one := options.FindOne().SetSort(bson.D{{Key: "version", Value: -1}}).SetProjection(withoutKeys)
		return e.records.FindOne(ctx, filter, one).Decode(&r)
	}
	if e.transactions {
		err = e.inSession(ctx, func(ctx context.Context, _ *mongo.Session) error { return find(ctx, filter) })
	} else {
		err = e.reading(ctx, 0, func(v *view) error {
			filter := append(slices.Clip(filter), bson.E{Key: "seq", Value: is("$lte", int64(v.seq))})
			return find(ctx, filter)
		})
	}
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return store.Version{}, store.ErrNotFound
	case err != nil:
		return store.Version{}, withoutText(fmt.Errorf("mongodb: read: %w", err))
	}
	e.noteSeq(uint64(r.Seq))
	return e.version(&r)
}
