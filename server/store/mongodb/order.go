package mongodb

import (
	"bytes"
	"cmp"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

const lastUpdated = "_lastUpdated"

// order of results. Its zero value is the default order: newest first, and of
// one transaction by type and id.
type order struct {
	oldest bool             // the reverse
	free   bool             // any order will do
	keys   []search.SortKey // by these first
	terms  store.Terms
}

// inAnyOrder is for sets.
var inAnyOrder = order{free: true}

// orderOf looks at the first sort key: the time of a version leaves no ties
// for further ones.
func orderOf(keys []search.SortKey, terms store.Terms) order {
	if len(keys) > 0 && keys[0].Param.Code == lastUpdated {
		return order{oldest: !keys[0].Descending}
	}
	return order{keys: keys, terms: terms}
}

// byServer says that the server can put results in this order.
func (o order) byServer() bool { return len(o.keys) == 0 }

// sort is the server's part of the order.
func (o order) sort() bson.D {
	down, up := -1, 1
	if o.oldest {
		down, up = up, down
	}
	return bson.D{{Key: "seq", Value: down}, {Key: "type", Value: up}, {Key: "id", Value: up}}
}

// after is the filter of what comes behind a position in the server's order;
// again takes in the match of the position itself, which may have more results.
func (o order) after(p position, again bool) bson.D {
	before, behind := "$lt", "$gt"
	if o.oldest {
		before, behind = behind, before
	}
	next := behind
	if again {
		next += "e"
	}
	past := func(field, op string, value any) bson.E { return bson.E{Key: field, Value: is(op, value)} }
	same := bson.E{Key: "seq", Value: p.Seq}
	return bson.D{past("seq", before+"e", p.Seq), {Key: "$or", Value: bson.A{
		bson.D{past("seq", before, p.Seq)},
		bson.D{same, past("type", behind, p.Type)},
		bson.D{same, {Key: "type", Value: p.Type}, past("id", next, p.ID)},
	}}}
}

// hit is a match with what it is sorted by.
type hit struct {
	id       string // of the record
	seq      int64
	key      store.Key
	part     int      // see store.Page.Parts
	sort     [][]byte // nil elements: the resource has no value
	resource *record  // with its content, where that is at hand
}

func (o order) hit(c *candidate, part int) hit {
	h := hit{id: c.record.ID, seq: c.Seq, key: c.key(), part: part}
	for _, k := range o.keys {
		var value []byte
		if k.Param.Code != lastUpdated {
			if value = o.terms.SortValue(k.Param, c.keys(), k.Descending); value != nil {
				value = append([]byte{}, value...)
			}
		}
		h.sort = append(h.sort, value)
	}
	return h
}

// compare is the order of results.
func (o order) compare(a, b hit) int {
	return cmp.Or(o.compareMatches(a, b), cmp.Compare(a.part, b.part))
}

func (o order) compareMatches(a, b hit) int {
	for i, k := range o.keys {
		if k.Param.Code == lastUpdated {
			if k.Descending {
				return newestFirst(a, b)
			}
			return -newestFirst(a, b)
		}
		if n := compareValues(a.sort[i], b.sort[i], k.Descending); n != 0 {
			return n
		}
	}
	if o.oldest {
		return -newestFirst(a, b)
	}
	return newestFirst(a, b)
}

func newestFirst(a, b hit) int {
	return cmp.Or(cmp.Compare(b.seq, a.seq), compareKeys(a.key, b.key))
}

func compareKeys(a, b store.Key) int {
	return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
}

// compareValues puts what has no value last in either direction.
func compareValues(a, b []byte, descending bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case descending:
		a, b = b, a
	}
	return bytes.Compare(a, b)
}

// sortHits orders hits and keeps the first n, and one more that shows that
// there are more.
func (o order) sortHits(hits []hit, n int) []hit {
	slices.SortFunc(hits, o.compare)
	return hits[:min(len(hits), n+1)]
}
