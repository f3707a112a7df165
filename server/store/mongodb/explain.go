package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Explain returns how the deployment would answer a search, as the extended
// JSON of its winning plan, for administrators. It holds values of the search.
// https://www.mongodb.com/docs/manual/reference/command/explain/
func (e *Engine) Explain(ctx context.Context, q search.Query) (string, error) {
	var plan string
	err := e.reading(ctx, 0, func(v *view) (err error) {
		plan, err = v.explain(ctx, q)
		return err
	})
	return plan, err
}

// explain asks outside of the snapshot, in which the command is not allowed.
func (v *view) explain(ctx context.Context, q search.Query) (string, error) {
	e := v.e
	where, err := v.compile(q.Where, q.Must)
	if err != nil {
		return "", err
	}
	find := bson.D{{Key: "find", Value: e.records.Name()}, {Key: "filter", Value: v.scope(q.Types, where, q.Must).filter}}
	if o := orderOf(q.Sort, e.opts.Terms); o.byServer() {
		find = append(find, bson.E{Key: "sort", Value: o.sort()}, bson.E{Key: "limit", Value: int64(q.Count) + 1})
	}
	var answer struct {
		QueryPlanner struct {
			WinningPlan bson.Raw `bson:"winningPlan"`
		} `bson:"queryPlanner"`
	}
	command := bson.D{{Key: "explain", Value: find}, {Key: "verbosity", Value: "queryPlanner"}}
	if err := e.records.Database().RunCommand(ctx, command).Decode(&answer); err != nil {
		return "", fmt.Errorf("mongodb: explain: %w", err)
	}
	return answer.QueryPlanner.WinningPlan.String(), nil
}
