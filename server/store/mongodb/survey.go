package mongodb

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Surveyor = (*Engine)(nil)

// Survey has the deployment group the versions of the type by their labels.
func (e *Engine) Survey(ctx context.Context, resourceType string) iter.Seq2[search.Labels, error] {
	return func(yield func(search.Labels, error) bool) {
		var sets []search.Labels
		err := e.reading(ctx, 0, func(v *view) (err error) {
			sets, err = v.survey(resourceType)
			return err
		})
		if err != nil {
			yield(search.Labels{}, err)
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

func (v *view) survey(typ string) ([]search.Labels, error) {
	these := bson.D{{Key: "type", Value: typ}, {Key: "seq", Value: is("$lte", int64(v.seq))}}
	labels := bson.D{{Key: "form", Value: "$form"}, {Key: "author", Value: "$author"}, {Key: "patients", Value: joined}}
	cursor, err := v.e.records.Aggregate(v.ctx, mongo.Pipeline{is("$match", these), is("$group", is("_id", labels))},
		options.Aggregate().SetAllowDiskUse(true))
	if err != nil {
		return nil, fmt.Errorf("mongodb: survey: %w", err)
	}
	var found []struct {
		Labels struct{ Form, Author, Patients string } `bson:"_id"`
	}
	if err := cursor.All(v.ctx, &found); err != nil {
		return nil, fmt.Errorf("mongodb: survey: %w", err)
	}
	sets := make([]search.Labels, len(found))
	for i := range found {
		l := found[i].Labels
		sets[i] = search.Labels{Form: l.Form, Author: l.Author, Patients: strings.Fields(l.Patients)}
	}
	return sets, nil
}
