package embedded

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// compile turns criteria into nodes. Chains are resolved here: their targets
// are searched first, under the same mandatory predicate.
func (v *view) compile(where []search.Clause, must search.Must) ([]node, error) {
	return v.compileAll(where, must, false)
}

// compileAll is compile; inside tells that the criteria are of contained
// resources, whose type is among their keys and is not that of the list they
// are found in.
func (v *view) compileAll(where []search.Clause, must search.Must, inside bool) ([]node, error) {
	nodes := make([]node, 0, len(where))
	for _, c := range where {
		n, err := v.compileClause(c, must, inside)
		if err != nil {
			return nil, err
		}
		if c.Not {
			n = notNode{n}
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

func (v *view) compileClause(c search.Clause, must search.Must, inside bool) (node, error) {
	switch {
	case len(c.Any) > 0:
		return v.compileAny(c.Any, must, inside)
	case c.Chain != nil:
		return v.compileChain(c, must)
	case c.Has != nil:
		return v.compileHas(c.Has, must)
	case c.Contained != nil:
		return v.compileContained(c.Contained, must)
	}
	if types, ok := typesOf(c); ok && !inside {
		return types, nil
	}
	c.Not = false // compile looks at it
	ranges, negate, err := v.e.opts.Terms.Ranges(c)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrUnsupported, err)
	}
	n := node(newRanges(ranges))
	if negate {
		n = notNode{n}
	}
	return n, nil
}

// typesOf recognises a clause that names types, which the index is split by.
func typesOf(c search.Clause) (typeNode, bool) {
	if c.Param == nil || c.Param.Code != "_type" || c.Modifier != search.ModifierNone || len(c.Values) == 0 {
		return nil, false
	}
	var types typeNode
	for _, value := range c.Values {
		if value.System != nil || value.Code == "" {
			return nil, false
		}
		types = append(types, value.Code)
	}
	return types, true
}

func (v *view) compileAny(alternatives [][]search.Clause, must search.Must, inside bool) (node, error) {
	out := &anyNode{}
	for _, all := range alternatives {
		nodes, err := v.compileAll(all, must, inside)
		if err != nil {
			return nil, err
		}
		out.alternatives = append(out.alternatives, nodes)
	}
	return out, nil
}

// compileChain finds the resources a reference may point to.
func (v *view) compileChain(c search.Clause, must search.Must) (node, error) {
	if c.Param == nil {
		return nil, fmt.Errorf("%w: a chain without a reference", store.ErrUnsupported)
	}
	nodes, err := v.compile([]search.Clause{c.Chain.Where}, must)
	if err != nil {
		return nil, err
	}
	out := &rangesNode{exact: true}
	err = v.each(c.Chain.Types, nodes, must, func(c0 *candidate) error {
		if err := c0.load(); err != nil {
			return err
		}
		out.ranges = append(out.ranges, exactRange(v.e.opts.Terms.ReferenceKey(c.Param, c0.typ, c0.row.id)))
		return nil
	})
	slices.SortFunc(out.ranges, func(a, b search.Range) int { return bytes.Compare(a.Low, b.Low) })
	return out, err
}

// compileHas finds the resources that others refer to.
func (v *view) compileHas(h *search.Has, must search.Must) (node, error) {
	nodes, err := v.compile([]search.Clause{h.Where}, must)
	if err != nil {
		return nil, err
	}
	targets := map[search.Reference]bool{}
	err = v.each([]string{h.Type}, nodes, must, func(c *candidate) error {
		if err := c.load(); err != nil {
			return err
		}
		for _, ref := range v.e.opts.Terms.References(h.Reference, c.row.keys) {
			targets[ref] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v.setOf(targets)
}

// setOf looks up the current versions of resources.
func (v *view) setOf(targets map[search.Reference]bool) (node, error) {
	out := &setNode{byType: map[string][]posting{}}
	for ref := range targets {
		p, ok, err := v.e.pointerAt(v.snap, store.Key{Type: ref.Type, ID: ref.ID}, v.seq)
		if err != nil {
			return nil, err
		}
		if ok && p.live() {
			out.byType[ref.Type] = append(out.byType[ref.Type], posting{doc: p.doc, labels: p.labels})
		}
		if err := v.tick(); err != nil {
			return nil, err
		}
	}
	for typ, set := range out.byType {
		out.byType[typ] = sortPostings(set)
	}
	return out, nil
}

// each calls f with every visible resource that meets the nodes.
func (v *view) each(types []string, nodes []node, must search.Must, f func(*candidate) error) error {
	if len(types) == 0 {
		types = v.e.knownTypes()
	}
	for _, typ := range types {
		s, err := v.openScan(typ, nodes, must, newestAt(v.seq))
		if err != nil {
			return err
		}
		for {
			c, err := s.next()
			if err != nil {
				return err
			}
			if c == nil {
				break
			}
			if err := f(c); err != nil {
				return err
			}
		}
	}
	return nil
}
