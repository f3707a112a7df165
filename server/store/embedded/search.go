package embedded

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Search returns one page of the current versions that match.
func (e *Engine) Search(ctx context.Context, q search.Query) (store.Page, error) {
	return e.search(ctx, q, nil)
}

func (e *Engine) search(ctx context.Context, q search.Query, tr *trace) (store.Page, error) {
	pos, asOf, err := readPosition(q.After, q.AsOf)
	if err != nil {
		return store.Page{}, err
	}
	if err := e.begin(ctx); err != nil {
		return store.Page{}, err
	}
	defer e.end()
	v, err := e.newView(ctx, asOf)
	if err != nil {
		return store.Page{}, err
	}
	defer v.close()
	v.trace = tr
	if v.seq < e.horizon.Load() {
		return store.Page{}, store.ErrExpired
	}
	page, err := v.search(q, pos)
	return page, errors.Join(err, v.err)
}

func (v *view) search(q search.Query, pos position) (store.Page, error) {
	m, err := v.match(q, pos)
	if err != nil {
		return store.Page{}, err
	}
	page := store.Page{Total: -1, AsOf: v.seq}
	if counted(q) {
		page.Total = m.total
	}
	docs := make([]doc, len(m.hits))
	for i, h := range m.hits {
		docs[i] = h.doc
		if q.Parts != nil {
			page.Parts = append(page.Parts, h.part)
		}
	}
	if page.Versions, err = v.fetch(docs); err != nil {
		return store.Page{}, err
	}
	if q.Keys {
		if err := v.addKeys(page.Versions, docs); err != nil {
			return store.Page{}, err
		}
	}
	if m.more && len(m.hits) > 0 {
		end := m.hits[len(m.hits)-1]
		page.Next = position{set: true, asOf: v.seq, total: page.Total, doc: end.doc, part: end.part, sort: end.sort}.encode()
	}
	return page, nil
}

// addKeys fills in the index keys.
func (v *view) addKeys(versions []store.Version, docs []doc) error {
	for i, d := range docs {
		raw, err := v.rawRow(d)
		if err != nil {
			return err
		}
		r, err := decodeRow(bytes.Clone(raw), nil)
		if err != nil {
			return err
		}
		versions[i].Keys = r.keys
	}
	return nil
}

func counted(q search.Query) bool {
	return q.Total == search.TotalAccurate || q.Total == search.TotalEstimate || q.Count == 0
}

// hit is a match with what it is sorted by.
type hit struct {
	doc  doc
	part int // see store.Page.Parts
	sort [][]byte
}

// matches is one page of hits.
type matches struct {
	hits  []hit
	total int64 // all matches, where counted
	more  bool
}

// match finds the hits of a page.
func (v *view) match(q search.Query, pos position) (matches, error) {
	nodes, err := v.compile(q.Where, q.Must)
	if err != nil {
		return matches{}, err
	}
	split, err := v.compileParts(q.Parts, q.Must)
	if err != nil {
		return matches{}, err
	}
	types := q.Types
	if len(types) == 0 {
		types = v.e.knownTypes()
	}
	counting := counted(q) && pos.total < 0
	if counting && split == nil {
		total, known, err := v.knownTotal(types, nodes, q.Must)
		if err != nil {
			return matches{}, err
		}
		if known {
			pos.total, counting = total, false
		}
	}
	order := orderOf(q.Sort)
	from := newestAt(v.seq)
	switch {
	case order != newestOrder || !pos.set || counting:
	case split != nil: // there may be more of the last match
		from = pos.doc
	case pos.doc == 0:
		return matches{}, nil
	default:
		from = pos.doc - 1
	}
	c := collector{v: v, q: q, pos: pos, order: order, counting: counting, split: split}
	c.kept = make([]hit, 0, max(0, min(q.Count+1, 32))) // a usual page and one more
	if q.Count <= 0 && !counting {
		return matches{total: pos.total}, nil
	}
	m, err := c.find(types, nodes, from)
	if err == nil && counting && split == nil {
		v.keepTotal(types[0], nodes, q.Must, m.total)
	}
	if !counting && pos.total >= 0 {
		m.total = pos.total
	}
	return m, err
}

// find walks a timeline or, where there is none, all matches.
func (c *collector) find(types []string, nodes []node, from doc) (matches, error) {
	if done, err := c.onTimeline(types, nodes); done || err != nil {
		return c.out, err
	}
	scans := make([]*typeScan, 0, len(types))
	for i, typ := range types {
		if slices.Contains(types[:i], typ) {
			continue
		}
		s, err := c.v.openScan(typ, nodes, c.q.Must, from)
		if err != nil {
			return matches{}, err
		}
		scans = append(scans, s)
	}
	return c.run(scans)
}

// order of the results.
type order int

const (
	newestOrder order = iota // the order of the index
	oldestOrder              // its reverse
	valueOrder               // by search parameters
)

const lastUpdated = "_lastUpdated"

// orderOf looks at the first sort key. The time of a version is the order of
// the index and leaves no ties for further keys.
func orderOf(keys []search.SortKey) order {
	switch {
	case len(keys) == 0:
		return newestOrder
	case keys[0].Param.Code != lastUpdated:
		return valueOrder
	case keys[0].Descending:
		return newestOrder
	}
	return oldestOrder
}

// collector turns scans into a page.
type collector struct {
	v        *view
	q        search.Query
	pos      position
	order    order
	counting bool
	split    *splitter // nil: each match is one result
	out      matches
	kept     []hit
}

func (c *collector) run(scans []*typeScan) (matches, error) {
	next, err := merge(scans)
	if err != nil {
		return c.out, err
	}
	for {
		cand, err := next()
		if err != nil || cand == nil {
			c.finish()
			return c.out, err
		}
		parts, err := c.split.of(cand)
		if err != nil {
			return c.out, err
		}
		for _, part := range parts {
			full, err := c.take(cand, part)
			if err != nil {
				return c.out, err
			}
			if full {
				c.finish()
				return c.out, nil
			}
		}
	}
}

// take counts a result and keeps it where it may be on the page; full tells
// that nothing after it is of interest.
func (c *collector) take(cand *candidate, part int) (full bool, err error) {
	c.out.total++
	if c.q.Count <= 0 {
		return false, nil
	}
	h, wanted, err := c.hit(cand, part)
	if err != nil || !wanted {
		return false, err
	}
	c.kept = append(c.kept, h)
	if c.order == newestOrder && len(c.kept) > c.q.Count {
		c.kept, c.out.more = c.kept[:c.q.Count], true
		return !c.counting, nil
	}
	if c.order != newestOrder && len(c.kept) > 4*c.q.Count+1000 {
		c.shrink()
	}
	return false, nil
}

// hit makes a hit of a match and tells whether it lies behind the page before.
func (c *collector) hit(cand *candidate, part int) (hit, bool, error) {
	h := hit{doc: cand.doc, part: part}
	if c.order == valueOrder {
		if err := cand.load(); err != nil {
			return h, false, err
		}
		h.sort = c.sortValues(cand)
	}
	if c.order == newestOrder && c.out.more {
		return h, false, nil
	}
	return h, !c.pos.set || c.compare(h, c.pos.hit()) > 0, nil
}

func (c *collector) sortValues(cand *candidate) [][]byte {
	out := make([][]byte, len(c.q.Sort))
	for i, k := range c.q.Sort {
		if k.Param.Code == lastUpdated {
			out[i] = appendDoc(nil, cand.doc)
			continue
		}
		if value := c.v.e.opts.Terms.SortValue(k.Param, cand.row.keys, k.Descending); value != nil {
			out[i] = append([]byte{}, value...)
		}
	}
	return out
}

// shrink drops what cannot be on the page.
func (c *collector) shrink() {
	slices.SortFunc(c.kept, c.compare)
	if len(c.kept) > c.q.Count {
		c.kept, c.out.more = c.kept[:c.q.Count], true
	}
}

func (c *collector) finish() {
	if c.order != newestOrder {
		c.shrink()
	}
	c.out.hits = c.kept
}

// compare is the order of results.
func (c *collector) compare(a, b hit) int {
	if c.order == valueOrder {
		for i, k := range c.q.Sort {
			if i >= len(a.sort) || i >= len(b.sort) {
				break
			}
			if n := compareValues(a.sort[i], b.sort[i], k.Descending); n != 0 {
				return n
			}
		}
	}
	n := newestFirst(posting{doc: a.doc}, b.doc)
	if c.order == oldestOrder {
		n = -n
	}
	return cmp.Or(n, cmp.Compare(a.part, b.part))
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
	}
	n := slices.Compare(a, b)
	if descending {
		return -n
	}
	return n
}

// merge returns the matches of all scans, newest first.
func merge(scans []*typeScan) (func() (*candidate, error), error) {
	if len(scans) == 1 {
		return scans[0].next, nil
	}
	heads := make([]*candidate, len(scans))
	for i, s := range scans {
		var err error
		if heads[i], err = s.next(); err != nil {
			return nil, err
		}
	}
	last := -1
	return func() (*candidate, error) {
		if last >= 0 {
			var err error
			if heads[last], err = scans[last].next(); err != nil {
				return nil, err
			}
		}
		last = -1
		for i, h := range heads {
			if h != nil && (last < 0 || h.doc > heads[last].doc) {
				last = i
			}
		}
		if last < 0 {
			return nil, nil
		}
		heads[last].forget() // the others have moved the iterator since
		return heads[last], nil
	}, nil
}

// checkExpectations evaluates the expectations of a transaction on all that
// was written so far; Engine.write is held.
func (e *Engine) checkExpectations(ctx context.Context, expect []store.Expectation) error {
	for i, x := range expect {
		v := e.viewAt(ctx, e.last.seq)
		keys, err := v.keysOf(x)
		v.close()
		if err := errors.Join(err, v.err); err != nil {
			return err
		}
		if !slices.Equal(keys, x.Keys) {
			return &store.FailedPrecondition{Write: -1, Expectation: i}
		}
	}
	return nil
}

// keysOf returns the sorted keys an expectation finds.
func (v *view) keysOf(x store.Expectation) ([]store.Key, error) {
	q := x.Query
	q.After, q.Total = "", search.TotalNone
	if q.Count <= 0 {
		q.Count = len(x.Keys) + 1
	}
	m, err := v.match(q, position{total: -1})
	if err != nil {
		return nil, err
	}
	docs := make([]doc, len(m.hits))
	for i, h := range m.hits {
		docs[i] = h.doc
	}
	versions, err := v.fetch(docs)
	if err != nil {
		return nil, err
	}
	keys := make([]store.Key, 0, len(versions))
	for _, version := range versions {
		keys = append(keys, version.Key)
	}
	slices.SortFunc(keys, compareKeys)
	return keys, nil
}
