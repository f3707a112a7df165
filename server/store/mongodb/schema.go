package mongodb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// format is the version of the layout that this engine reads and writes. 2 has
// an origin and an index of times that can be walked in either direction.
const format = 2

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
	Origin    string        `bson:"origin"`  // see store.Status.Origin
	Lock      *lock         `bson:"lock,omitempty"`
}

// lock is held by a writer where there are no transactions; see single.go.
type lock struct {
	Token string        `bson:"token"`
	Until bson.DateTime `bson:"until"`
}

func isState(more ...bson.E) bson.D {
	return append(bson.D{{Key: "_id", Value: stateID}}, more...)
}

// prepare makes the collections and indexes where they are missing, brings an
// older format up to date and refuses what it does not know.
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
	if st.Format < format {
		e.opts.Logger.Info("the store has an older format and is brought up to date", "format", st.Format, "new", format)
	} else if err := st.known(); err != nil {
		return err
	}
	building, cancel := context.WithTimeout(ctx, buildTime)
	defer cancel()
	if _, err := e.records.Indexes().CreateMany(building, indexes()); err != nil {
		return fmt.Errorf("mongodb: make the indexes: %w", err)
	}
	if err := e.checkCollections(ctx); err != nil {
		return err
	}
	if err := e.migrate(ctx, st); err != nil {
		return err
	}
	return e.giveOrigin(ctx)
}

// buildTime is how long indexes may take to be made, which is long where a new
// version of this program adds one to a large collection.
const buildTime = 24 * time.Hour

// known refuses another format than this program's. One that is older was
// brought up to date at the start; it comes back with a backup.
func (s *state) known() error {
	switch {
	case s.Format > format:
		return fmt.Errorf("%w: a newer kaigofhir made it (format %d, this one knows up to %d): use that or a later one", store.ErrReadOnly, s.Format, format)
	case s.Format < format:
		return fmt.Errorf("%w: it has the older format %d, this kaigofhir writes %d: start it again to bring the store up to date", store.ErrReadOnly, s.Format, format)
	}
	return nil
}

// migrate ends what an older format had, once all is there that the new one
// needs. It may be repeated, and done by several processes at once.
func (e *Engine) migrate(ctx context.Context, st state) error {
	if st.Format >= format {
		return nil
	}
	for _, name := range retired {
		if err := e.records.Indexes().DropOne(ctx, name); err != nil && !hasCode(err, indexNotFound) {
			return fmt.Errorf("mongodb: drop an index that is not used any more: %w", err)
		}
	}
	_, err := e.meta.UpdateOne(ctx, isState(bson.E{Key: "format", Value: st.Format}), is("$set", is("format", format)))
	if err != nil {
		return fmt.Errorf("mongodb: bring the store up to date: %w", err)
	}
	return nil
}

// retired are indexes of older formats.
var retired = []string{"time"} // format 1

// indexNotFound is the server's error code.
const indexNotFound = 27

func hasCode(err error, code int) bool {
	var said mongo.ServerError
	return errors.As(err, &said) && said.HasErrorCode(code)
}

// giveOrigin gives the content an origin where it has none.
func (e *Engine) giveOrigin(ctx context.Context) error {
	none := isState(bson.E{Key: "origin", Value: is("$exists", false)})
	if _, err := e.meta.UpdateOne(ctx, none, is("$set", is("origin", rand.Text()))); err != nil {
		return fmt.Errorf("mongodb: note the origin of the store: %w", err)
	}
	return nil
}

// checkCollections looks at collections that were perhaps made by hand: under a
// collation of their own, two ids would be one. It notes the number that a
// collection gets when it is made, also when a dump is restored.
func (e *Engine) checkCollections(ctx context.Context) error {
	list, err := e.records.Database().ListCollectionSpecifications(ctx, in("name", []string{e.records.Name(), e.meta.Name()}))
	if err != nil {
		return fmt.Errorf("mongodb: list the collections: %w", err)
	}
	for _, c := range list {
		if _, err := c.Options.LookupErr("collation"); err == nil || c.Type != "collection" {
			return fmt.Errorf("mongodb: %q is no plain collection (type %q, or a collation of its own): leave it to this program to make", c.Name, c.Type)
		}
		if c.Name == e.records.Name() && c.UUID != nil {
			e.uuid = hex.EncodeToString(c.UUID.Data)
		}
	}
	return nil
}

// indexes of the collection of versions. Those of live versions are small:
// they know neither deletions nor what was superseded long ago.
func indexes() []mongo.IndexModel {
	on := func(fields ...string) bson.D { // "-" before a field: newest first
		var keys bson.D
		for _, f := range fields {
			name, newest := strings.CutPrefix(f, "-")
			direction := 1
			if newest {
				direction = -1
			}
			keys = append(keys, bson.E{Key: name, Value: direction})
		}
		return keys
	}
	index := func(name string, keys bson.D, partial ...bson.E) mongo.IndexModel {
		o := options.Index().SetName(name)
		if len(partial) > 0 {
			o.SetPartialFilterExpression(bson.D(partial))
		}
		return mongo.IndexModel{Keys: keys, Options: o}
	}
	live := bson.E{Key: "live", Value: true}
	return []mongo.IndexModel{
		index("resource", on("ref", "-version")),
		index("current", on("ref"), bson.E{Key: "end", Value: int64(0)}),
		index("history", on("-seq", "type", "id")),
		index("history of a type", on("type", "-seq", "id")),
		index("times", on("time", "seq")),
		index("term", on("type", "keys", "-seq", "id"), live),
		index("patient", on("type", "patients", "-seq", "id"), live),
		index("author", on("type", "author", "-seq", "id"), live),
		index("all", on("live", "type", "-seq", "id"), live),
		index("ended", on("end"), live, bson.E{Key: "end", Value: is("$gt", int64(0))}),
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
