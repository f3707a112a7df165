package mongodb

import (
	"bytes"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// compile turns the criteria of a query into a condition. Chains are resolved
// here: their targets are searched first, under the same mandatory predicate.
func (v *view) compile(where []search.Clause, must search.Must) (condition, error) {
	outer := v.room // compile may be called for a chain of another query
	defer func() { v.room = outer }()
	v.room = v.e.opts.limits.set
	return v.conjunction(where, must)
}

func (v *view) conjunction(where []search.Clause, must search.Must) (condition, error) {
	list := make([]condition, 0, len(where))
	for _, c := range where {
		x, err := v.clause(c, must)
		if err != nil {
			return condition{}, err
		}
		if c.Not {
			x = not(x)
		}
		list = append(list, x)
	}
	return all(list...), nil
}

func (v *view) clause(c search.Clause, must search.Must) (condition, error) {
	switch {
	case len(c.Any) > 0:
		return v.any(c.Any, must)
	case c.Chain != nil:
		return v.chain(c, must)
	case c.Has != nil:
		return v.has(c.Has, must)
	case c.Contained != nil:
		return v.contained(c.Contained, must)
	}
	c.Not = false // compile looks at it
	ranges, negate, err := v.e.opts.Terms.Ranges(c)
	if err != nil {
		return condition{}, fmt.Errorf("%w: %w", store.ErrUnsupported, err)
	}
	x := inRanges(ranges)
	if negate {
		x = not(x)
	}
	return x, nil
}

func (v *view) any(alternatives [][]search.Clause, must search.Must) (condition, error) {
	list := make([]condition, 0, len(alternatives))
	for _, where := range alternatives {
		x, err := v.conjunction(where, must)
		if err != nil {
			return condition{}, err
		}
		list = append(list, x)
	}
	return either(list...), nil
}

// chain is met by a reference to one of the resources that meet a criterion.
func (v *view) chain(c search.Clause, must search.Must) (condition, error) {
	if c.Param == nil {
		return condition{}, fmt.Errorf("%w: a chain without a reference", store.ErrUnsupported)
	}
	where, err := v.compile([]search.Clause{c.Chain.Where}, must)
	if err != nil {
		return condition{}, err
	}
	targets := map[string]bool{}
	err = v.each(v.scope(c.Chain.Types, where, must), inAnyOrder, v.e.opts.limits.batch, false, func(c0 *candidate) (bool, error) {
		targets[text(v.e.opts.Terms.ReferenceKey(c.Param, c0.Type, c0.Name))] = true
		return true, nil
	})
	return v.oneOf("keys", targets, func(c *candidate) []string { return c.Keys }), err
}

// has is met by the resources that those who meet a criterion refer to.
func (v *view) has(h *search.Has, must search.Must) (condition, error) {
	where, err := v.compile([]search.Clause{h.Where}, must)
	if err != nil {
		return condition{}, err
	}
	targets := map[string]bool{}
	err = v.each(v.scope([]string{h.Type}, where, must), inAnyOrder, v.e.opts.limits.batch, true, func(c *candidate) (bool, error) {
		for _, ref := range v.e.opts.Terms.References(h.Reference, c.keys()) {
			targets[reference(store.Key{Type: ref.Type, ID: ref.ID})] = true
		}
		return true, nil
	})
	return v.oneOf("ref", targets, func(c *candidate) []string { return []string{c.Ref} }), err
}

// scope is met by what is there, of these types, visible, and meets where.
func (v *view) scope(types []string, where condition, must search.Must) condition {
	there := condition{filter: v.there(), test: always}
	if len(types) > 0 {
		there.filter = append(in("type", types), there.filter...)
	}
	return all(there, v.e.must(must), where)
}

// inRanges is met when one of the keys lies in one of the ranges.
func inRanges(ranges []search.Range) condition {
	var c condition
	exact := true
	var single []string
	filters := bson.A{}
	for _, r := range ranges {
		if isExact(r) {
			single = append(single, text(r.Low))
			continue
		}
		exact = exact && r.Keep == nil
		filters = append(filters, between(r))
	}
	if len(single) > 0 {
		filters = append(filters, in("keys", single))
	}
	switch len(filters) {
	case 0:
		c.filter = nothing
	case 1:
		c.filter = filters[0].(bson.D)
	default:
		c.filter = is("$or", filters)
	}
	c.test = judge{keys: true, ok: func(c *candidate) bool {
		return slices.ContainsFunc(c.keys(), func(key []byte) bool {
			return slices.ContainsFunc(ranges, func(r search.Range) bool { return inRange(r, key) })
		})
	}}
	if !exact {
		c.rest = c.test
	}
	return c
}

// between is the filter of a range. $elemMatch makes both bounds hold for one
// and the same key, and so bounds the scan of the index.
func between(r search.Range) bson.D {
	bounds := bson.D{{Key: "$gte", Value: text(r.Low)}}
	if len(r.High) > 0 {
		bounds = append(bounds, bson.E{Key: "$lt", Value: text(r.High)})
	}
	return is("keys", is("$elemMatch", bounds))
}

// isExact reports whether a range holds one key only.
func isExact(r search.Range) bool {
	n := len(r.Low)
	return r.Keep == nil && len(r.High) == n+1 && r.High[n] == 0 && bytes.Equal(r.High[:n], r.Low)
}

func inRange(r search.Range, key []byte) bool {
	return bytes.Compare(r.Low, key) <= 0 && (len(r.High) == 0 || bytes.Compare(key, r.High) < 0) &&
		(r.Keep == nil || r.Keep(key))
}
