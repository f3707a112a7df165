package embedded

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// containedNode is met by a version that contains a resource which meets every
// inner node. Contained resources are tested on their own keys, which they have
// among those of the version.
type containedNode struct {
	inner []node
	// outer are met by every version that meets the node, and by others: those
	// that contain, apart from each other, what the inner nodes ask for.
	outer []node
}

func (v *view) compileContained(c *search.Contained, must search.Must) (*containedNode, error) {
	inner, err := v.compileAll(c.Where, must, true)
	if err != nil {
		return nil, err
	}
	n := &containedNode{inner: inner}
	for _, in := range inner {
		if out := v.outerOf(in); out != nil {
			n.outer = append(n.outer, out)
		}
	}
	if len(n.outer) == 0 {
		n.outer = []node{&rangesNode{ranges: []search.Range{v.e.opts.Terms.Within(search.Range{})}}}
	}
	return n, nil
}

// outerOf returns what holds for the container where the inner node is met; nil
// where that is nothing to look for.
func (v *view) outerOf(inner node) node {
	switch inner := inner.(type) {
	case *rangesNode:
		out := &rangesNode{ranges: make([]search.Range, len(inner.ranges))}
		for i, r := range inner.ranges {
			out.ranges[i] = v.e.opts.Terms.Within(r)
		}
		return out
	case *anyNode:
		out := &anyNode{}
		for _, all := range inner.alternatives {
			var nodes []node
			for _, in := range all {
				if n := v.outerOf(in); n != nil {
					nodes = append(nodes, n)
				}
			}
			if len(nodes) == 0 {
				return nil
			}
			out.alternatives = append(out.alternatives, nodes)
		}
		return out
	}
	return nil
}

func (n *containedNode) probe(v *view, typ string, limit int) ([]posting, bool, error) {
	return probeAll(v, typ, append(slices.Clip(n.outer), testOnly{n}), limit)
}

func (n *containedNode) open(v *view, typ string) (cursor, bool, error) {
	for _, out := range n.outer {
		if c, _, err := out.open(v, typ); c != nil || err != nil {
			return c, false, err
		}
	}
	return nil, false, nil
}

func (n *containedNode) test(c *candidate) (bool, error) {
	parts, err := n.parts(c)
	return len(parts) > 0, err
}

// parts are the places, from 1, of the contained resources that meet the inner
// nodes.
func (n *containedNode) parts(c *candidate) ([]int, error) {
	if err := c.load(); err != nil {
		return nil, err
	}
	var parts []int
	for i, keys := range c.v.e.opts.Terms.ContainedKeys(c.row.keys) {
		if keys == nil {
			continue
		}
		inner := candidate{v: c.v, typ: c.typ, row: row{keys: keys}, loaded: true}
		ok, err := inner.meets(n.inner)
		if err != nil {
			return nil, err
		}
		if ok {
			parts = append(parts, i+1)
		}
	}
	return parts, nil
}

// testOnly is a node that no search starts from.
type testOnly struct{ inner *containedNode }

func (testOnly) probe(*view, string, int) ([]posting, bool, error) { return nil, false, nil }

func (testOnly) open(*view, string) (cursor, bool, error) { return nil, false, nil }

func (n testOnly) test(c *candidate) (bool, error) { return n.inner.test(c) }

// splitter makes the results of matches where a query has Parts.
type splitter struct {
	whole     []node
	contained *containedNode
}

func (v *view) compileParts(p *search.Parts, must search.Must) (*splitter, error) {
	if p == nil {
		return nil, nil
	}
	whole, err := v.compile(p.Whole, must)
	if err != nil {
		return nil, err
	}
	contained, err := v.compileContained(&p.Contained, must)
	return &splitter{whole: whole, contained: contained}, err
}

// onlyItself are the results of a match without Parts.
var onlyItself = []int{0}

// of are the results that a match stands for.
func (s *splitter) of(c *candidate) ([]int, error) {
	if s == nil {
		return onlyItself, nil
	}
	parts, err := s.contained.parts(c)
	if err != nil || len(s.whole) == 0 {
		return parts, err
	}
	whole, err := c.meets(s.whole)
	if whole {
		parts = slices.Insert(parts, 0, 0)
	}
	return parts, err
}
