package mongodb

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Surveyor = (*Engine)(nil)

// Survey has the deployment group the versions of the types by their labels. It
// reads in no snapshot, which would be lost on a large store before it ends: what
// is committed stays.
func (e *Engine) Survey(ctx context.Context, types []string) iter.Seq2[search.Labels, error] {
	return func(yield func(search.Labels, error) bool) {
		ctx, cancel := context.WithTimeout(ctx, surveyTime)
		defer cancel()
		survey := func(ctx context.Context, _ *mongo.Session) error { return e.survey(ctx, types, yield) }
		var err error
		if e.transactions { // behind everything that this process has seen
			err = e.inSession(ctx, survey)
		} else { // no sessions either, and one server
			err = survey(ctx, nil)
		}
		if err != nil {
			yield(search.Labels{}, withoutText(err))
		}
	}
}

// surveyTime is how long a survey may take, which looks at all versions: longer
// than Options.Timeout allows other operations.
const surveyTime = time.Hour

// joined are the patients of a version in one string: ids have no blanks.
var joined = is("$reduce", bson.D{
	{Key: "input", Value: is("$ifNull", bson.A{"$patients", bson.A{}})},
	{Key: "initialValue", Value: ""},
	{Key: "in", Value: is("$concat", bson.A{"$$value", " ", "$$this"})},
})

// survey returns an error only if the loop it yields to is still running.
func (e *Engine) survey(ctx context.Context, types []string, yield func(search.Labels, error) bool) error {
	st, err := e.state(ctx)
	if err != nil {
		return err
	}
	these := append(in("type", types), bson.E{Key: "seq", Value: is("$lte", st.Seq)})
	labels := bson.D{{Key: "form", Value: "$form"}, {Key: "author", Value: "$author"}, {Key: "patients", Value: joined}}
	cursor, err := e.records.Aggregate(ctx, mongo.Pipeline{is("$match", these), is("$group", is("_id", labels))},
		options.Aggregate().SetAllowDiskUse(true))
	if err != nil {
		return fmt.Errorf("mongodb: survey: %w", err)
	}
	defer cursor.Close(context.WithoutCancel(ctx))
	for cursor.Next(ctx) {
		var found struct {
			Labels struct{ Form, Author, Patients string } `bson:"_id"`
		}
		if err := cursor.Decode(&found); err != nil {
			return fmt.Errorf("mongodb: survey: %w", err)
		}
		l := search.Labels{Form: found.Labels.Form, Author: found.Labels.Author, Patients: strings.Fields(found.Labels.Patients)}
		if !yield(l, nil) {
			return nil
		}
	}
	if err := cursor.Err(); err != nil {
		return fmt.Errorf("mongodb: survey: %w", err)
	}
	return nil
}
