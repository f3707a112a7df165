package mongodb

import (
	"context"
	"fmt"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// format is the version of the layout that this engine reads and writes.
const format = 1

const stateID = "state"

// state is the one document of the collection "store".
type state struct {
	ID        string        `bson:"_id"`
	Format    int           `bson:"format"`
	Seq       int64         `bson:"seq"`
	Time      bson.DateTime `bson:"time"` // of the last transaction
	Resources int64         `bson:"resources"`
	Versions  int64         `bson:"versions"`
	Horizon   int64         `bson:"horizon"` // the oldest snapshot that still answers
	Turn      int64         `bson:"turn"`    // counts attempts, so that each writes this document
	Lock      *lock         `bson:"lock,omitempty"`
}

// lock is held by a writer where there are no transactions; see single.go.
type lock struct {
	Token string        `bson:"token"`
	Until bson.DateTime `bson:"until"`
}

func (s *state) time() time.Time { return s.Time.Time().UTC() }

func isState(more ...bson.E) bson.D {
	return append(bson.D{{Key: "_id", Value: stateID}}, more...)
}

// prepare makes the collections and indexes where they are missing and refuses
// a format that it does not know.
func (e *Engine) prepare(ctx context.Context) error {
	first := bson.D{
		{Key: "format", Value: format}, {Key: "seq", Value: int64(0)}, {Key: "time", Value: bson.DateTime(0)},
		{Key: "resources", Value: int64(0)}, {Key: "versions", Value: int64(0)}, {Key: "horizon", Value: int64(0)}, {Key: "turn", Value: int64(0)},
	}
	_, err := e.meta.UpdateOne(ctx, isState(), bson.D{{Key: "$setOnInsert", Value: first}}, options.UpdateOne().SetUpsert(true))
	if err != nil && !mongo.IsDuplicateKeyError(err) { // another process was first
		return fmt.Errorf("mongodb: make the store: %w", err)
	}
	st, err := e.state(ctx)
	if err != nil {
		return err
	}
	if st.Format != format {
		return fmt.Errorf("mongodb: the store has format %d, this program knows %d", st.Format, format)
	}
	if _, err := e.records.Indexes().CreateMany(ctx, indexes()); err != nil {
		return fmt.Errorf("mongodb: make the indexes: %w", err)
	}
	return nil
}

// indexes of the collection of versions. Those of live versions are small:
// they know neither deletions nor what was superseded long ago.
func indexes() []mongo.IndexModel {
	one := func(name string, live bool, fields ...string) mongo.IndexModel {
		var keys bson.D
		for _, f := range fields {
			direction := 1
			if f == "seq" || f == "version" {
				direction = -1 // newest first
			}
			keys = append(keys, bson.E{Key: f, Value: direction})
		}
		o := options.Index().SetName(name)
		if live {
			o.SetPartialFilterExpression(bson.D{{Key: "live", Value: true}})
		}
		return mongo.IndexModel{Keys: keys, Options: o}
	}
	return []mongo.IndexModel{
		one("resource", false, "ref", "version"),
		one("history", false, "seq", "type", "id"),
		one("history of a type", false, "type", "seq", "id"),
		one("time", false, "time", "seq"),
		one("term", true, "type", "keys", "seq", "id"),
		one("patient", true, "type", "patients", "seq", "id"),
		one("author", true, "type", "author", "seq", "id"),
		one("all", true, "live", "type", "seq", "id"),
		{Keys: bson.D{{Key: "end", Value: 1}}, Options: options.Index().SetName("ended").
			SetPartialFilterExpression(append(is("live", true), bson.E{Key: "end", Value: is("$gt", int64(0))}))},
	}
}

// state reads the state with the session of ctx.
func (e *Engine) state(ctx context.Context) (state, error) {
	var st state
	if err := e.meta.FindOne(ctx, isState()).Decode(&st); err != nil {
		return st, fmt.Errorf("mongodb: read the state: %w", err)
	}
	return st, nil
}
