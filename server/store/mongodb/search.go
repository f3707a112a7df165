package mongodb

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Search returns one page of the current versions that match.
func (e *Engine) Search(ctx context.Context, q search.Query) (store.Page, error) {
	o := orderOf(q.Sort, e.opts.Terms)
	pos, asOf, err := readPosition(q.After, q.AsOf, len(o.keys))
	if err != nil {
		return store.Page{}, err
	}
	var page store.Page
	err = e.reading(ctx, asOf, func(v *view) error {
		if page, err = v.search(q, o, pos); err != nil {
			return err
		}
		return v.finish()
	})
	if err != nil {
		return store.Page{}, err
	}
	return page, nil
}

func counted(q search.Query) bool {
	return q.Total == search.TotalAccurate || q.Total == search.TotalEstimate || q.Count <= 0
}

func (v *view) search(q search.Query, o order, pos position) (store.Page, error) {
	where, err := v.compile(q.Where, q.Must)
	if err != nil {
		return store.Page{}, err
	}
	scope := v.scope(q.Types, where, q.Must)
	split, err := v.splitter(q.Parts, q.Must)
	if err != nil {
		return store.Page{}, err
	}
	total := int64(-1)
	if counted(q) {
		total = pos.Total
	}
	hits, total, err := v.match(matching{scope, o, pos, q.Count, counted(q) && total < 0, total, split})
	if err != nil {
		return store.Page{}, err
	}
	page, err := v.page(hits, q.Count, total)
	if split != nil {
		for _, h := range hits[:len(page.Versions)] {
			page.Parts = append(page.Parts, h.part)
		}
	}
	return page, err
}

// page makes a page of the hits, of which there may be one too many.
func (v *view) page(hits []hit, count int, total int64) (store.Page, error) {
	page := store.Page{Total: total, AsOf: v.seq}
	more := len(hits) > count
	hits = hits[:min(len(hits), max(count, 0))]
	var err error
	if page.Versions, err = v.fetch(hits); err != nil {
		return store.Page{}, err
	}
	if more && len(hits) > 0 {
		page.Next, err = newPosition(v.seq, total, hits[len(hits)-1]).encode()
	}
	return page, err
}

// matching is a question for one page of matches.
type matching struct {
	scope condition
	order order
	pos   position
	count int
	// counting asks for the number of all matches, which is total otherwise.
	counting bool
	total    int64
	// split tells the results that a match stands for; nil: one.
	split func(*candidate) []int
}

// match returns count+1 hits behind the position, and the total.
func (v *view) match(m matching) ([]hit, int64, error) {
	if m.scope.exact() && m.order.byServer() && m.split == nil {
		return v.matchAtServer(m)
	}
	return v.matchHere(m)
}

// matchAtServer leaves everything to the server.
func (v *view) matchAtServer(m matching) ([]hit, int64, error) {
	var err error
	if m.counting {
		if m.total, err = v.e.records.CountDocuments(v.ctx, m.scope.filter); err != nil {
			return nil, 0, fmt.Errorf("mongodb: count: %w", err)
		}
	}
	if m.count <= 0 {
		return nil, m.total, nil
	}
	opts := options.Find().SetSort(m.order.sort()).SetLimit(int64(m.count) + 1).SetProjection(withoutKeys).SetAllowDiskUse(true)
	cursor, err := v.e.records.Find(v.ctx, m.filter(), opts)
	if err != nil {
		return nil, 0, fmt.Errorf("mongodb: find: %w", err)
	}
	var found []record
	if err := cursor.All(v.ctx, &found); err != nil {
		return nil, 0, fmt.Errorf("mongodb: find: %w", err)
	}
	hits := make([]hit, len(found))
	for i := range found {
		hits[i] = hit{id: found[i].ID, seq: found[i].Seq, key: found[i].key(), resource: &found[i]}
	}
	return hits, m.total, nil
}

// filter is the scope behind the position.
func (m matching) filter() bson.D {
	if !m.pos.set || !m.order.byServer() {
		return m.scope.filter
	}
	return is("$and", bson.A{m.scope.filter, m.order.after(m.pos, m.split != nil)})
}

// matchHere judges and sorts candidates here, keeping no more of them than
// a few pages.
func (v *view) matchHere(m matching) ([]hit, int64, error) {
	scope := m.scope
	if !m.counting {
		scope.filter = m.filter()
	} else {
		m.total = 0
	}
	last := m.pos.hit()
	var hits []hit
	full := func() bool { return m.order.byServer() && len(hits) > m.count }
	size := v.e.opts.limits.batch
	if m.order.byServer() && !m.counting {
		size = min(size, int32(min(2*m.count, 1000))+100) // it may end early
	}
	err := v.each(scope, m.order, size, !m.order.byServer() || m.split != nil, func(c *candidate) (bool, error) {
		parts := onlyItself
		if m.split != nil {
			parts = m.split(c)
		}
		for _, part := range parts {
			if m.counting {
				m.total++
			}
			if m.count > 0 && !full() {
				if h := m.order.hit(c, part); !m.pos.set || m.order.compare(h, last) > 0 {
					hits = append(hits, h)
				}
			}
		}
		if !m.order.byServer() && len(hits) > 4*m.count+1000 {
			hits = m.order.sortHits(hits, m.count)
		}
		return m.counting || !full(), nil
	})
	if !m.order.byServer() {
		hits = m.order.sortHits(hits, m.count)
	}
	return hits, m.total, err
}

// labelFields and keyField are what a candidate is judged by.
var labelFields = bson.D{
	{Key: "ref", Value: 1}, {Key: "type", Value: 1}, {Key: "id", Value: 1}, {Key: "seq", Value: 1}, {Key: "end", Value: 1},
	{Key: "form", Value: 1}, {Key: "author", Value: 1}, {Key: "patients", Value: 1},
}

var labelAndKeyFields = append(labelFields[:len(labelFields):len(labelFields)], bson.E{Key: "keys", Value: 1})

// each calls f with everything that meets the scope, in the server's part of
// the order, until f returns false. It is fetched by size at once; keys asks for
// the index keys.
func (v *view) each(scope condition, o order, size int32, keys bool, f func(*candidate) (bool, error)) error {
	opts := options.Find().SetBatchSize(size).SetProjection(labelFields)
	if keys || scope.rest.keys {
		opts.SetProjection(labelAndKeyFields)
	}
	if o.byServer() && !o.free {
		opts.SetSort(o.sort()).SetAllowDiskUse(true)
	}
	cursor, err := v.e.records.Find(v.ctx, scope.filter, opts)
	if err != nil {
		return fmt.Errorf("mongodb: find: %w", err)
	}
	defer cursor.Close(context.WithoutCancel(v.ctx))
	for {
		list, err := v.candidates(cursor)
		if err != nil || len(list) == 0 {
			return err
		}
		if scope.load != nil {
			if err := scope.load(list); err != nil {
				return err
			}
		}
		for i := range list {
			if !scope.exact() && !scope.rest.ok(&list[i]) {
				continue
			}
			if goOn, err := f(&list[i]); err != nil || !goOn {
				return err
			}
		}
	}
}

// candidates returns the next ones that came together, none at the end.
func (v *view) candidates(cursor *mongo.Cursor) ([]candidate, error) {
	var list []candidate
	for (len(list) == 0 || cursor.RemainingBatchLength() > 0) && cursor.Next(v.ctx) {
		var c candidate
		if err := cursor.Decode(&c.record); err != nil {
			return nil, fmt.Errorf("%w: %w", errCorrupt, err)
		}
		list = append(list, c)
	}
	if err := cursor.Err(); err != nil {
		return nil, fmt.Errorf("mongodb: find: %w", err)
	}
	return list, nil
}

// fetch returns the versions of hits.
func (v *view) fetch(hits []hit) ([]store.Version, error) {
	var ids []string
	for _, h := range hits {
		if h.resource == nil {
			ids = append(ids, h.id)
		}
	}
	byID := map[string]*record{}
	if len(ids) > 0 {
		cursor, err := v.e.records.Find(v.ctx, in("_id", ids), options.Find().SetProjection(withoutKeys))
		if err != nil {
			return nil, fmt.Errorf("mongodb: fetch: %w", err)
		}
		var found []record
		if err := cursor.All(v.ctx, &found); err != nil {
			return nil, fmt.Errorf("mongodb: fetch: %w", err)
		}
		for i := range found {
			byID[found[i].ID] = &found[i]
		}
	}
	records := make([]record, 0, len(hits))
	for _, h := range hits {
		r := h.resource
		if r == nil {
			r = byID[h.id]
		}
		if r == nil {
			return nil, fmt.Errorf("%w: a version that was found is missing", errCorrupt)
		}
		records = append(records, *r)
	}
	return v.e.versions(records)
}
