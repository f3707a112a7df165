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
	var page store.Page
	err = e.reading(ctx, asOf, func(v *view) error {
		page, err = v.history(q, pos)
		return err
	})
	if err != nil {
		return store.Page{}, err
	}
	return page, nil
}

func (v *view) history(q store.HistoryQuery, pos position) (store.Page, error) {
	filter, err := v.historyFilter(q)
	if err != nil {
		return store.Page{}, err
	}
	total := int64(-1)
	if q.Total {
		total = pos.Total
	}
	past := condition{filter: filter, test: always}
	hits, total, err := v.match(matching{
		scope: all(past, v.e.must(q.Must), v.still(q.Must)), order: order{oldest: q.Ascending}, pos: pos, count: q.Count,
		counting: q.Total && total < 0, total: total,
	})
	if err != nil {
		return store.Page{}, err
	}
	return v.page(hits, q.Count, total)
}

// still is met by a version where the one that is current in the view meets the
// predicate. Those are looked up for many candidates at once.
func (v *view) still(must search.Must) condition {
	if must.Unrestricted {
		return condition{test: always}
	}
	allowed := map[string]bool{}
	past := func(c *candidate) bool { return c.End != 0 && c.End <= int64(v.seq) }
	test := judge{ok: func(c *candidate) bool { return !past(c) || allowed[c.Ref] }}
	load := func(list []candidate) error {
		var refs []string
		for i := range list {
			if _, known := allowed[list[i].Ref]; past(&list[i]) && !known {
				allowed[list[i].Ref] = false
				refs = append(refs, list[i].Ref)
			}
		}
		if len(refs) == 0 {
			return nil
		}
		filter := append(in("ref", refs), v.current()...)
		return v.each(condition{filter: filter, test: always}, inAnyOrder, v.e.opts.limits.batch, false, func(c *candidate) (bool, error) {
			allowed[c.Ref] = must.Allows(c.Type, c.Name, c.labels())
			return true, nil
		})
	}
	return condition{test: test, rest: test, load: load}
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
