package embedded

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// A timeline is a list of the index in the order of a search parameter: the
// records of a patient by date, the latest first. A page in that order is its
// first entries. Terms.Timeline says which lists have one, Terms.TimelineKind by
// which other keys it is kept apart too: the records of a patient of one kind.
//
//	key   i type 00 listMoment term moment ^doc
//	      i type 00 listKindMoment term kind moment ^doc
//	      where moment is 00 ^value with a value, 01 without
//	value flags signature posting
//
// ^value is the escaped value, complemented. A version with several values
// has an entry for the highest and one for the lowest. The signature sums up
// the version's keys, so that most entries that do not match are passed over
// without reading them.
const (
	withValue = 0
	noValue   = 1

	highest = 1 // flags: where the entry counts in descending order
	lowest  = 2 // and in ascending order

	headBytes = 1 + 8
)

// signature has two of 64 bits set for every hint.
type signature uint64

// signatureOf returns the bits of a hint. The hash is FNV-1a: part of the format.
func signatureOf(hint []byte) signature {
	h := uint64(14695981039346656037)
	for _, c := range hint {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return 1<<(h>>58) | 1<<(h>>52&63)
}

func (e *Engine) signature(keys [][]byte) signature {
	var s signature
	for _, k := range keys {
		if hint := e.opts.Terms.Hint(k); hint != nil {
			s |= signatureOf(hint)
		}
	}
	return s
}

// eachMoment is eachEntry for timelines.
func (e *Engine) eachMoment(typ string, keys [][]byte, d doc, f func(key, head []byte) error) error {
	var m *moments // one parameter orders all timelines of a type
	for _, k := range keys {
		p, list := e.opts.Terms.Timeline(typ, k)
		if p == nil || !bytes.Equal(list, k) {
			continue
		}
		if m == nil {
			m = e.momentsOf(p, keys, d, f)
		}
		if err := m.enter(listKey(typ, listMoment, k)); err != nil {
			return err
		}
		for _, kind := range keys {
			if !e.opts.Terms.TimelineKind(kind) {
				continue
			}
			if err := m.enter(kindList(typ, k, kind)); err != nil {
				return err
			}
		}
	}
	return nil
}

// kindList is the prefix of the timeline of one kind.
func kindList(typ string, term, kind []byte) []byte {
	return appendTerm(listKey(typ, listKindMoment, term), kind)
}

// moments enters one version into timelines of one order.
type moments struct {
	doc       doc
	high, low []byte
	head      [headBytes]byte // the flags are set for each entry
	f         func(key, head []byte) error
}

func (e *Engine) momentsOf(p *search.Parameter, keys [][]byte, d doc, f func(key, head []byte) error) *moments {
	m := &moments{doc: d, f: f, high: e.opts.Terms.SortValue(p, keys, true), low: e.opts.Terms.SortValue(p, keys, false)}
	binary.BigEndian.PutUint64(m.head[1:], uint64(e.signature(keys)))
	return m
}

// enter calls f with the entries of one timeline, whose prefix it may grow.
func (m *moments) enter(list []byte) error {
	n := len(list)
	entry := func(value []byte, flags byte) error {
		m.head[0] = flags
		list = appendNewestFirst(appendMoment(list[:n], value), m.doc)
		return m.f(list, m.head[:])
	}
	if bytes.Equal(m.high, m.low) {
		return entry(m.high, highest|lowest)
	}
	if err := entry(m.high, highest); err != nil {
		return err
	}
	return entry(m.low, lowest)
}

// appendMoment appends what stands between term and doc.
func appendMoment(b, value []byte) []byte {
	if value == nil {
		return append(b, noValue)
	}
	b = append(b, withValue)
	n := len(b)
	b = appendTerm(b, value)
	complement(b[n:])
	return b
}

func complement(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

// momentValue is the reverse of appendMoment.
func momentValue(between []byte) []byte {
	if between[0] == noValue {
		return nil
	}
	escaped := bytes.Clone(between[1:])
	complement(escaped)
	return termOf([]byte{}, escaped[:len(escaped)-2])
}

// timeline is a search that walks one.
type timeline struct {
	v          *view
	typ        string
	prefix     []byte // of the list
	descending bool
	must       *mustFilter
	masks      [][]signature // an entry must hold one of each
	tests      []node
	rejected   int
	page       *collector
}

// openTimeline returns a timeline in which a search finds its page, nil where
// there is none or another plan is better.
func (v *view) openTimeline(typ string, nodes []node, c *collector) (*timeline, error) {
	q := c.q
	if c.counting && c.pos.set || c.split != nil || q.Count <= 0 || c.order != valueOrder || len(q.Sort) > 1 {
		return nil, nil
	}
	at, term, err := v.timelineTerm(typ, nodes, q.Sort[0].Param)
	if term == nil || err != nil {
		return nil, err
	}
	prefix := listKey(typ, listMoment, term)
	tests := slices.Concat(nodes[:at], nodes[at+1:])
	kindAt, kind, err := v.timelineKind(typ, tests)
	if err != nil {
		return nil, err
	}
	which := ""
	if kind != nil {
		prefix, tests, which = kindList(typ, term, kind), slices.Delete(tests, kindAt, kindAt+1), " and a kind"
	}
	for _, n := range tests {
		if _, few, err := n.probe(v, typ, v.e.opts.plan.timeline); few || err != nil {
			return nil, err
		}
	}
	t := &timeline{v: v, typ: typ, prefix: prefix, descending: q.Sort[0].Descending,
		must: v.mustOf(q.Must, typ), tests: tests, page: c}
	for _, n := range tests {
		if masks := v.masks(n); masks != nil {
			t.masks = append(t.masks, masks)
		}
	}
	v.explain(typ, "walk the timeline of condition %d%s, test the others on signatures and keys", at+1, which)
	return t, nil
}

// timelineTerm finds a condition that is one list with a timeline, and returns
// the term by which that is kept.
func (v *view) timelineTerm(typ string, nodes []node, by *search.Parameter) (_ int, list []byte, _ error) {
	at, term, err := v.oneList(typ, nodes, func(key []byte) bool {
		p, _ := v.e.opts.Terms.Timeline(typ, key)
		return p != nil && p.Code == by.Code
	})
	if term != nil {
		_, list = v.e.opts.Terms.Timeline(typ, term)
	}
	return at, list, err
}

// timelineKind finds a condition that is one list of a kind.
func (v *view) timelineKind(typ string, nodes []node) (int, []byte, error) {
	return v.oneList(typ, nodes, v.e.opts.Terms.TimelineKind)
}

// oneList finds the first condition that is one list, whose term is wanted.
func (v *view) oneList(typ string, nodes []node, wanted func(key []byte) bool) (at int, term []byte, err error) {
	for i, n := range nodes {
		r, ok := n.(*rangesNode)
		if !ok || len(r.ranges) != 1 || !wanted(r.ranges[0].Low) {
			continue
		}
		lists, ok, err := r.lists(v, typ)
		if err != nil {
			return 0, nil, err
		}
		if !ok || len(lists) != 1 {
			continue
		}
		if term := termOf(nil, lists[0][len(typ)+3:len(lists[0])-2]); wanted(term) {
			return i, term, nil
		}
	}
	return 0, nil, nil
}

// masks returns signatures of which every version that meets a node holds at
// least one; nil where there are none.
func (v *view) masks(n node) []signature {
	r, ok := n.(*rangesNode)
	if !ok || len(r.ranges) > v.e.opts.plan.union {
		return nil
	}
	out := make([]signature, 0, len(r.ranges))
	for _, one := range r.ranges {
		hint := v.e.opts.Terms.Hint(one.Low)
		if hint == nil || !isExact(one) && (len(one.High) == 0 || bytes.Compare(one.High, after(hint)) > 0) {
			return nil
		}
		out = append(out, signatureOf(hint))
	}
	return out
}

// moment is an entry of a timeline that may be a match.
type moment struct {
	posting
	between []byte
}

// run fills the page. It returns false when the tests reject so much that
// another plan is better.
func (t *timeline) run() (bool, error) {
	if t.must.nothing() {
		return true, nil
	}
	it, err := t.v.newIter(t.prefix)
	if err != nil {
		return false, err
	}
	if t.descending {
		_, err = t.forward(it, t.start(withValue))
	} else {
		more := true
		if !t.page.pos.set || t.page.pos.sort[0] != nil {
			more, err = t.backward(it)
		}
		if more && err == nil {
			_, err = t.forward(it, t.start(noValue))
		}
	}
	t.page.out.hits = t.page.kept
	return t.rejected < t.v.e.opts.plan.rejects, err
}

// start is the key from which to walk forward.
func (t *timeline) start(flag byte) []byte {
	pos := t.page.pos
	if !pos.set || flag == noValue && pos.sort[0] != nil {
		return append(slices.Clone(t.prefix), flag)
	}
	return appendNewestFirst(appendMoment(slices.Clone(t.prefix), pos.sort[0]), pos.doc)
}

// forward walks until the page is full, which more denies.
func (t *timeline) forward(it *pebble.Iterator, from []byte) (more bool, err error) {
	for ok := it.SeekGE(from); ok; ok = it.Next() {
		m, ok, err := t.read(it)
		if err != nil {
			return false, err
		}
		if ok {
			if more, err := t.take(m); !more || err != nil {
				return false, err
			}
		}
	}
	return true, it.Error()
}

// backward walks the entries with a value from the lowest up. Those of one
// value come oldest first and are turned round.
func (t *timeline) backward(it *pebble.Iterator) (more bool, err error) {
	from := append(slices.Clone(t.prefix), noValue)
	if t.page.pos.set {
		from = after(appendMoment(slices.Clone(t.prefix), t.page.pos.sort[0]))
	}
	var group []moment
	flush := func() (bool, error) {
		for _, m := range slices.Backward(group) {
			if more, err := t.take(m); !more || err != nil {
				return false, err
			}
		}
		group = group[:0]
		return true, nil
	}
	for ok := it.SeekLT(from); ok; ok = it.Prev() {
		m, ok, err := t.read(it)
		if err != nil {
			return false, err
		}
		if !ok {
			continue
		}
		if len(group) > 0 && !bytes.Equal(group[0].between, m.between) {
			if more, err := flush(); !more || err != nil {
				return false, err
			}
		}
		m.between = bytes.Clone(m.between)
		group = append(group, m)
	}
	if err := it.Error(); err != nil {
		return false, err
	}
	return flush()
}

// read reads an entry and tells whether it may be a match. What it returns
// shares the memory of the iterator.
func (t *timeline) read(it *pebble.Iterator) (moment, bool, error) {
	var m moment
	if err := t.v.tick(); err != nil {
		return m, false, err
	}
	key := it.Key()
	value, err := it.ValueAndErr()
	if err != nil {
		return m, false, err
	}
	if len(value) < headBytes {
		return m, false, errCorrupt
	}
	if m.posting, err = decodePosting(key, value[headBytes:]); err != nil {
		return m, false, err
	}
	flag := byte(lowest)
	if t.descending {
		flag = highest
	}
	if value[0]&flag == 0 || !t.v.visible(m.posting) || !t.signed(signature(binary.BigEndian.Uint64(value[1:]))) {
		return m, false, nil
	}
	m.between = key[len(t.prefix) : len(key)-docBytes]
	ok, err := t.must.allows(m.doc, m.labels)
	return m, ok, err
}

func (t *timeline) signed(s signature) bool {
	for _, any := range t.masks {
		if !slices.ContainsFunc(any, func(mask signature) bool { return s&mask == mask }) {
			return false
		}
	}
	return true
}

// take tests an entry and puts it on the page; more is false when the page is
// full or too much was rejected.
func (t *timeline) take(m moment) (more bool, err error) {
	c := t.page
	var h hit
	if !c.out.more {
		h = hit{doc: m.doc, sort: [][]byte{momentValue(m.between)}}
	}
	if c.pos.set && c.compare(h, c.pos.hit()) <= 0 {
		return true, nil
	}
	cand := candidate{v: t.v, typ: t.typ, posting: m.posting}
	ok, err := cand.meets(t.tests)
	if err != nil {
		return false, err
	}
	if !ok {
		t.rejected++
		return t.rejected < t.v.e.opts.plan.rejects, nil
	}
	c.out.total++
	switch {
	case c.out.more: // only counted
	case len(c.kept) < c.q.Count:
		c.kept = append(c.kept, h)
	default:
		c.out.more = true
	}
	return !c.out.more || c.counting, nil
}

// onTimeline finds the page in a timeline, if there is a good one.
func (c *collector) onTimeline(types []string, nodes []node) (bool, error) {
	if len(types) != 1 || c.pos.set && len(c.pos.sort) != 1 {
		return false, nil
	}
	nodes, possible := narrow(types[0], nodes)
	if !possible {
		return true, nil
	}
	t, err := c.v.openTimeline(types[0], nodes, c)
	if t == nil || err != nil {
		return false, err
	}
	done, err := t.run()
	if !done {
		c.v.explain(types[0], "many rejected: another plan")
		c.kept, c.out = nil, matches{}
	}
	return done, err
}
