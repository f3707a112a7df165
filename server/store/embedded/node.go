package embedded

import (
	"bytes"
	"iter"
	"slices"
	"sort"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// node is one condition of a query, ready to be evaluated on any type.
type node interface {
	// probe returns all versions that meet the condition, if a look at no
	// more than limit index entries finds them; complete tells.
	probe(v *view, typ string, limit int) (found []posting, complete bool, err error)
	// open returns a cursor over a superset of the versions that meet the
	// condition, nil where there is no cheap one. exact says that it is
	// the set itself.
	open(v *view, typ string) (c cursor, exact bool, err error)
	// test tells whether a version meets the condition.
	test(c *candidate) (bool, error)
}

// candidate is a version that is being tested.
type candidate struct {
	v   *view
	typ string
	posting
	raw    []byte // the encoded row, in the memory of the iterator
	row    row
	loaded bool // row is decoded
}

// read reads the row without decoding it.
func (c *candidate) read() error {
	if c.raw != nil {
		return nil
	}
	var err error
	c.raw, err = c.v.rawRow(c.doc)
	return err
}

// load reads and decodes the row.
func (c *candidate) load() error {
	if c.loaded {
		return nil
	}
	if err := c.read(); err != nil {
		return err
	}
	var err error
	c.row, err = decodeRow(c.raw, c.v.keys)
	c.v.keys = c.row.keys
	c.loaded = err == nil
	return err
}

// forget is called when the iterator has moved on.
func (c *candidate) forget() { c.raw, c.loaded = nil, false }

// rangesNode is met when one of the keys lies in one of the ranges.
type rangesNode struct {
	ranges []search.Range
	// exact ranges hold one key each and are sorted: the result of a chain, or
	// the codes of a value set.
	exact bool
}

// manyRanges is from where on ranges are searched rather than tried in turn.
const manyRanges = 8

func newRanges(ranges []search.Range) *rangesNode {
	n := &rangesNode{ranges: ranges}
	if len(ranges) >= manyRanges && !slices.ContainsFunc(ranges, func(r search.Range) bool { return !isExact(r) }) {
		n.ranges, n.exact = slices.Clone(ranges), true
		slices.SortFunc(n.ranges, func(a, b search.Range) int { return bytes.Compare(a.Low, b.Low) })
	}
	return n
}

// exactRange holds one key.
func exactRange(key []byte) search.Range {
	return search.Range{Low: key, High: append(bytes.Clone(key), 0)}
}

func isExact(r search.Range) bool {
	n := len(r.Low)
	return r.Keep == nil && len(r.High) == n+1 && r.High[n] == 0 && bytes.Equal(r.High[:n], r.Low)
}

func (n *rangesNode) test(c *candidate) (bool, error) {
	if len(n.ranges) == 1 && !n.exact && !c.loaded {
		if err := c.read(); err != nil {
			return false, err
		}
		return rowHas(c.raw, n.ranges[0])
	}
	if err := c.load(); err != nil {
		return false, err
	}
	if n.exact {
		return slices.ContainsFunc(c.row.keys, n.hasKey), nil
	}
	for _, r := range n.ranges {
		i := sort.Search(len(c.row.keys), func(i int) bool { return bytes.Compare(c.row.keys[i], r.Low) >= 0 })
		for ; i < len(c.row.keys) && (len(r.High) == 0 || bytes.Compare(c.row.keys[i], r.High) < 0); i++ {
			if r.Keep == nil || r.Keep(c.row.keys[i]) {
				return true, nil
			}
		}
	}
	return false, nil
}

// rowHas looks for a key of the range in an encoded row.
func rowHas(raw []byte, r search.Range) (bool, error) {
	in := reader{b: raw}
	in.bytes() // the id
	for len(in.b) > 0 {
		key := in.bytes()
		if bytes.Compare(key, r.Low) < 0 {
			continue
		}
		if len(r.High) > 0 && bytes.Compare(key, r.High) >= 0 {
			break // keys are sorted
		}
		if in.err == nil && (r.Keep == nil || r.Keep(key)) {
			return true, nil
		}
	}
	return false, in.err
}

func (n *rangesNode) hasKey(key []byte) bool {
	_, found := slices.BinarySearchFunc(n.ranges, key, func(r search.Range, key []byte) int { return bytes.Compare(r.Low, key) })
	return found
}

func (n *rangesNode) probe(v *view, typ string, limit int) ([]posting, bool, error) {
	if len(n.ranges) > limit {
		return nil, false, nil
	}
	s := rangeScan{v: v, typ: typ, budget: limit, found: make([]posting, 0, min(limit, 128))}
	for r := range n.inLists(v, typ) {
		if err := s.scan(r); err != nil {
			return nil, false, err
		}
	}
	if s.budget < 0 {
		return nil, false, nil
	}
	return sortPostings(s.found), true, nil
}

// inLists yields the ranges of the lists of a type that hold what meets the
// condition.
func (n *rangesNode) inLists(v *view, typ string) iter.Seq[search.Range] {
	return func(yield func(search.Range) bool) {
		for _, r := range n.ranges {
			if !yield(r) {
				return
			}
			if also, ok := v.e.opts.Terms.AlsoIn(typ, r); ok && !yield(also) {
				return
			}
		}
	}
}

// rangeScan collects the visible postings of ranges until the budget of
// entries is used up, which makes it negative.
type rangeScan struct {
	v      *view
	typ    string
	budget int
	found  []posting
}

func (s *rangeScan) scan(r search.Range) error {
	w, err := s.v.walker()
	if err != nil {
		return err
	}
	low, high := rangeBounds(s.typ, r)
	head := len(s.typ) + 3
	var list, term []byte
	for ok := w.seek(low, high); ok; {
		if s.budget--; s.budget < 0 {
			return nil
		}
		if r.Keep != nil && !bytes.Equal(w.list, list) {
			list = append(list[:0], w.list...)
			term = termOf(term[:0], list[head:len(list)-2])
			if !r.Keep(term) {
				ok = w.seek(after(list), high)
				continue
			}
		}
		if s.v.visible(w.cur) {
			s.found = append(s.found, w.cur)
		}
		if err := s.v.tick(); err != nil {
			return err
		}
		ok = w.next()
	}
	return w.err
}

// rangeBounds are the bounds of a range in the index of a type.
func rangeBounds(typ string, r search.Range) (low, high []byte) {
	low = listKey(typ, listTerm, r.Low)
	if len(r.High) == 0 {
		return low, append(typePrefix(spaceIndex, typ), listTerm+1)
	}
	return low, listKey(typ, listTerm, r.High)
}

func (n *rangesNode) open(v *view, typ string) (cursor, bool, error) {
	lists, ok, err := n.lists(v, typ)
	if err != nil || !ok {
		return nil, false, err
	}
	c, err := v.openLists(lists)
	return c, true, err
}

// openLists opens a union of lists.
func (v *view) openLists(lists [][]byte) (cursor, error) {
	parts := make([]cursor, 0, len(lists))
	for _, l := range lists {
		c, err := v.openList(l)
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
	}
	if len(parts) == 1 {
		return parts[0], nil
	}
	return &unionCursor{parts: parts}, nil
}

// lists returns the lists the ranges consist of, if they are few.
func (n *rangesNode) lists(v *view, typ string) ([][]byte, bool, error) {
	var lists [][]byte
	most := v.e.opts.plan.union
	if len(n.ranges) > most {
		return nil, false, nil
	}
	head := len(typ) + 3
	for r := range n.inLists(v, typ) {
		if isExact(r) {
			lists = append(lists, listKey(typ, listTerm, r.Low))
			continue
		}
		it, err := v.looker()
		if err != nil {
			return nil, false, err
		}
		low, high := rangeBounds(typ, r)
		for steps, ok := 0, it.SeekGE(low); ok && bytes.Compare(it.Key(), high) < 0; steps++ {
			if len(lists) >= most || steps > 4*most {
				return nil, false, nil
			}
			list := bytes.Clone(it.Key()[:len(it.Key())-docBytes])
			if r.Keep == nil || r.Keep(termOf(nil, list[head:len(list)-2])) {
				lists = append(lists, list)
			}
			ok = it.SeekGE(after(list))
		}
		if err := it.Error(); err != nil {
			return nil, false, err
		}
	}
	slices.SortFunc(lists, slices.Compare)
	return slices.CompactFunc(lists, slices.Equal), true, nil
}

// setNode is met by the versions of a set found before, by type.
type setNode struct{ byType map[string][]posting }

func (n *setNode) probe(_ *view, typ string, limit int) ([]posting, bool, error) {
	set := n.byType[typ]
	return set, len(set) <= limit, nil
}

func (n *setNode) open(_ *view, typ string) (cursor, bool, error) {
	return &setCursor{set: n.byType[typ]}, true, nil
}

func (n *setNode) test(c *candidate) (bool, error) {
	_, found := slices.BinarySearchFunc(n.byType[c.typ], c.doc, newestFirst)
	return found, nil
}

// typeNode is met by the types it names, in any case of letters.
type typeNode []string

func (typeNode) probe(*view, string, int) ([]posting, bool, error) { return nil, false, nil }

func (typeNode) open(*view, string) (cursor, bool, error) { return nil, false, nil }

func (n typeNode) test(c *candidate) (bool, error) { return n.has(c.typ), nil }

func (n typeNode) has(typ string) bool {
	return slices.ContainsFunc(n, func(t string) bool { return strings.EqualFold(t, typ) })
}

// narrow drops what is decided by the type alone. possible is false where no
// version of the type can meet all nodes.
func narrow(typ string, nodes []node) (_ []node, possible bool) {
	if !slices.ContainsFunc(nodes, hasTypes) {
		return nodes, true
	}
	var out []node
	for _, n := range nodes {
		switch n := n.(type) {
		case typeNode:
			if !n.has(typ) {
				return nil, false
			}
		case *anyNode:
			m, possible := n.narrow(typ)
			if !possible {
				return nil, false
			}
			out = append(out, m...)
		default:
			out = append(out, n)
		}
	}
	return out, true
}

func hasTypes(n node) bool {
	switch n := n.(type) {
	case typeNode:
		return true
	case *anyNode:
		return slices.ContainsFunc(n.alternatives, func(all []node) bool { return slices.ContainsFunc(all, hasTypes) })
	}
	return false
}

// narrow returns what is left of a disjunction, nothing where it is met.
func (n *anyNode) narrow(typ string) (_ []node, possible bool) {
	left := &anyNode{}
	for _, all := range n.alternatives {
		all, possible := narrow(typ, all)
		if possible && len(all) == 0 {
			return nil, true
		}
		if possible {
			left.alternatives = append(left.alternatives, all)
		}
	}
	switch len(left.alternatives) {
	case 0:
		return nil, false
	case 1:
		return left.alternatives[0], true
	}
	return []node{left}, true
}

// notNode is met when the other is not.
type notNode struct{ inner node }

func (notNode) probe(*view, string, int) ([]posting, bool, error) { return nil, false, nil }

func (notNode) open(*view, string) (cursor, bool, error) { return nil, false, nil }

func (n notNode) test(c *candidate) (bool, error) {
	ok, err := n.inner.test(c)
	return !ok && err == nil, err
}

// anyNode is met when all nodes of one alternative are.
type anyNode struct{ alternatives [][]node }

func (n *anyNode) probe(v *view, typ string, limit int) ([]posting, bool, error) {
	var out []posting
	for _, all := range n.alternatives {
		found, complete, err := probeAll(v, typ, all, limit)
		if err != nil || !complete {
			return nil, false, err
		}
		out = append(out, found...)
	}
	return sortPostings(out), len(out) <= limit, nil
}

// probeAll finds the versions that meet all nodes, if one of the nodes is met
// by few.
func probeAll(v *view, typ string, nodes []node, limit int) ([]posting, bool, error) {
	for i, n := range nodes {
		found, complete, err := n.probe(v, typ, limit)
		if err != nil {
			return nil, false, err
		}
		if !complete {
			continue
		}
		var out []posting
		for _, p := range found {
			c := candidate{v: v, typ: typ, posting: p}
			ok, err := c.meets(nodes[:i], nodes[i+1:])
			if err != nil {
				return nil, false, err
			}
			if ok {
				out = append(out, p)
			}
		}
		return out, true, nil
	}
	return nil, false, nil
}

func (c *candidate) meets(lists ...[]node) (bool, error) {
	for _, nodes := range lists {
		for _, n := range nodes {
			if ok, err := n.test(c); !ok || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (n *anyNode) open(v *view, typ string) (cursor, bool, error) {
	var parts []cursor
	exact := true
	for _, all := range n.alternatives {
		var first cursor
		for _, m := range all {
			c, ok, err := m.open(v, typ)
			if err != nil {
				return nil, false, err
			}
			if c != nil {
				first, exact = c, exact && ok && len(all) == 1
				break
			}
		}
		if first == nil {
			return nil, false, nil
		}
		parts = append(parts, first)
	}
	return &unionCursor{parts: parts}, exact, nil
}

func (n *anyNode) test(c *candidate) (bool, error) {
	for _, all := range n.alternatives {
		if ok, err := c.meets(all); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}
