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

// Survey has the deployment group the versions of the type by their labels. It
// reads in no snapshot, which would be lost on a large store before it ends: what
// is committed stays.
func (e *Engine) Survey(ctx context.Context, resourceType string) iter.Seq2[search.Labels, error] {
	return func(yield func(search.Labels, error) bool) {
		ctx, cancel := context.WithTimeout(ctx, surveyTime)
		defer cancel()
		sets, err := e.surveyed(ctx, resourceType)
		if err != nil {
			yield(search.Labels{}, withoutText(err))
			return
		}
		for _, l := range sets {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// joined are the patients of a version in one string: ids have no blanks.
var joined = is("$reduce", bson.D{
	{Key: "input", Value: is("$ifNull", bson.A{"$patients", bson.A{}})},
	{Key: "initialValue", Value: ""},
	{Key: "in", Value: is("$concat", bson.A{"$$value", " ", "$$this"})},
})

// surveyTime is how long the survey of a type may take, which looks at all of its
// versions: longer than Options.Timeout allows other operations.
const surveyTime = time.Hour

// surveyed makes the survey behind everything that this process has seen.
func (e *Engine) surveyed(ctx context.Context, typ string) (sets []search.Labels, err error) {
	if !e.transactions { // no sessions either, and one server
		return e.survey(ctx, typ)
	}
	err = e.inSession(ctx, func(ctx context.Context, _ *mongo.Session) error {
		sets, err = e.survey(ctx, typ)
		return err
	})
	return sets, err
}

func (e *Engine) survey(ctx context.Context, typ string) ([]search.Labels, error) {
	st, err := e.state(ctx)
	if err != nil {
		return nil, err
	}
	these := bson.D{{Key: "type", Value: typ}, {Key: "seq", Value: is("$lte", st.Seq)}}
	labels := bson.D{{Key: "form", Value: "$form"}, {Key: "author", Value: "$author"}, {Key: "patients", Value: joined}}
	cursor, err := e.records.Aggregate(ctx, mongo.Pipeline{is("$match", these), is("$group", is("_id", labels))},
		options.Aggregate().SetAllowDiskUse(true))
	if err != nil {
		return nil, fmt.Errorf("mongodb: survey: %w", err)
	}
	var found []struct {
		Labels struct{ Form, Author, Patients string } `bson:"_id"`
	}
	if err := cursor.All(ctx, &found); err != nil {
		return nil, fmt.Errorf("mongodb: survey: %w", err)
	}
	sets := make([]search.Labels, len(found))
	for i := range found {
		l := found[i].Labels
		sets[i] = search.Labels{Form: l.Form, Author: l.Author, Patients: strings.Fields(l.Patients)}
	}
	return sets, nil
}
