package mongodb

import (
	"context"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// History returns versions, deletions included.
func (e *Engine) History(ctx context.Context, q store.HistoryQuery) (store.Page, error) {
	pos, asOf, err := readPosition(q.After, q.AsOf, 0)
	if err != nil {
		return store.Page{}, err
	}
	v, err := e.view(ctx, asOf)
	if err != nil {
		return store.Page{}, err
	}
	defer v.close()
	filter, err := v.historyFilter(q)
	if err != nil {
		return store.Page{}, err
	}
	past := condition{filter: filter, exact: true, test: func(*candidate) bool { return true }}
	total := int64(-1)
	if q.Total {
		total = pos.Total
	}
	var failed error
	hits, total, err := v.match(matching{
		scope: all(past, e.must(q.Must), v.still(q.Must, &failed)), order: order{oldest: q.Ascending}, pos: pos, count: q.Count,
		counting: q.Total && total < 0, total: total,
	})
	if err = errors.Join(err, failed); err != nil {
		return store.Page{}, err
	}
	return v.page(hits, q.Count, total)
}

// still is met by a version where the one that is current in the view meets the
// predicate. What goes wrong is left in failed.
func (v *view) still(must search.Must, failed *error) condition {
	known := map[string]bool{}
	c := condition{exact: must.Unrestricted}
	c.test = func(c *candidate) bool {
		if must.Unrestricted || c.End == 0 || c.End > int64(v.seq) {
			return true
		}
		ok, asked := known[c.Ref]
		if !asked {
			current := candidate{}
			newest := options.FindOne().SetSort(is("version", -1)).SetProjection(bson.D{{Key: "keys", Value: 0}, {Key: "json", Value: 0}})
			err := v.e.records.FindOne(v.ctx, append(is("ref", c.Ref), is("seq", is("$lte", int64(v.seq)))...), newest).Decode(&current.record)
			if err != nil {
				*failed = errors.Join(*failed, fmt.Errorf("mongodb: history: %w", err))
			}
			ok = err == nil && must.Allows(current.Type, current.Name, current.labels())
			known[c.Ref] = ok
		}
		return ok
	}
	return c
}

// historyFilter is everything but the mandatory predicate.
func (v *view) historyFilter(q store.HistoryQuery) (bson.D, error) {
	low, err := v.firstSince(q)
	if err != nil {
		return nil, err
	}
	f := bson.D{{Key: "seq", Value: bson.D{{Key: "$gte", Value: low}, {Key: "$lte", Value: int64(v.seq)}}}}
	switch {
	case q.Type != "" && q.ID != "":
		if key := (store.Key{Type: q.Type, ID: q.ID}); storable(key) {
			f = append(f, bson.E{Key: "ref", Value: reference(key)})
		} else {
			f = append(f, nothing...)
		}
	case q.Type != "":
		f = append(f, bson.E{Key: "type", Value: q.Type})
	}
	if q.At.IsZero() {
		return f, nil
	}
	begun := is("$lte", floorMillis(q.At))
	if q.Until.After(q.At) {
		begun = is("$lt", ceilMillis(q.Until))
	}
	return append(f, bson.E{Key: "time", Value: begun}, bson.E{Key: "$or", Value: bson.A{
		is("end", int64(0)),
		is("end", is("$gt", int64(v.seq))),
		is("endTime", is("$gt", floorMillis(q.At))),
	}}), nil
}

// firstSince is the sequence number of the first change at or after Since.
// Times grow with sequence numbers, and it is these that indexes are ordered
// by.
func (v *view) firstSince(q store.HistoryQuery) (int64, error) {
	if q.Since.IsZero() {
		return 0, nil
	}
	var first struct {
		Seq int64 `bson:"seq"`
	}
	err := v.e.records.FindOne(v.ctx, is("time", is("$gte", ceilMillis(q.Since))), options.FindOne().
		SetSort(bson.D{{Key: "time", Value: 1}, {Key: "seq", Value: 1}}).SetProjection(is("seq", 1))).Decode(&first)
	switch {
	case errors.Is(err, mongo.ErrNoDocuments):
		return int64(v.seq) + 1, nil
	case err != nil:
		return 0, fmt.Errorf("mongodb: history: %w", err)
	}
	return first.Seq, nil
}
