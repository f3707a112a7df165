package mongodb

import (
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// contained is met by a version that contains a resource which meets every
// criterion. The server is asked for those that contain, apart from each other,
// what the criteria ask for; which of them it is in is judged here, on the keys
// that contained resources have among those of the version.
func (v *view) contained(in *search.Contained, must search.Must) (condition, error) {
	find, err := v.containedParts(in, must)
	if err != nil {
		return condition{}, err
	}
	outer, exact, err := v.outer(in.Where)
	if err != nil {
		return condition{}, err
	}
	if len(outer) == 0 {
		outer = []condition{inRanges([]search.Range{v.e.opts.Terms.Within(search.Range{})})}
	}
	x := all(outer...)
	x.test = judge{keys: true, ok: func(c *candidate) bool { return len(find(c)) > 0 }}
	if !x.exact() || !exact || len(in.Where) > 1 {
		x.rest = x.test
	}
	return x, nil
}

// containedParts returns a function that finds the places, from 1, of the
// contained resources that meet the criteria.
func (v *view) containedParts(in *search.Contained, must search.Must) (func(*candidate) []int, error) {
	where, err := v.compile(in.Where, must)
	if err != nil {
		return nil, err
	}
	return func(c *candidate) []int {
		var parts []int
		for i, keys := range v.e.opts.Terms.ContainedKeys(c.keys()) {
			if keys == nil {
				continue
			}
			inner := &candidate{decoded: keys}
			inner.Keys = texts(keys)
			if where.test.ok(inner) {
				parts = append(parts, i+1)
			}
		}
		return parts
	}, nil
}

// outer are conditions that hold for the container where the criteria hold in
// it. exact says that every criterion has one; those of negations and chains
// are left out.
func (v *view) outer(where []search.Clause) (list []condition, exact bool, err error) {
	exact = true
	for _, c := range where {
		switch {
		case c.Not || c.Chain != nil || c.Has != nil || c.Contained != nil:
			exact = false
		case len(c.Any) > 0:
			x, complete, err := v.outerAny(c.Any)
			if err != nil {
				return nil, false, err
			}
			if exact = exact && complete; x != nil {
				list = append(list, *x)
			}
		default:
			ranges, negate, err := v.e.opts.Terms.Ranges(c)
			if err != nil {
				return nil, false, fmt.Errorf("%w: %w", store.ErrUnsupported, err)
			}
			if negate {
				exact = false
				continue
			}
			for i, r := range ranges {
				ranges[i] = v.e.opts.Terms.Within(r)
			}
			list = append(list, inRanges(ranges))
		}
	}
	return list, exact, nil
}

// outerAny is outer for alternatives; nil where one of them asks for nothing
// that can be looked for.
func (v *view) outerAny(alternatives [][]search.Clause) (*condition, bool, error) {
	var list []condition
	exact := true
	for _, where := range alternatives {
		outer, complete, err := v.outer(where)
		if err != nil || len(outer) == 0 {
			return nil, false, err
		}
		exact = exact && complete && len(where) == 1
		list = append(list, all(outer...))
	}
	x := either(list...)
	return &x, exact, nil
}

// onlyItself are the results of a match without Parts.
var onlyItself = []int{0}

// splitter returns a function that tells the results a match stands for.
func (v *view) splitter(p *search.Parts, must search.Must) (func(*candidate) []int, error) {
	if p == nil {
		return nil, nil
	}
	find, err := v.containedParts(&p.Contained, must)
	if err != nil {
		return nil, err
	}
	whole, err := v.compile(p.Whole, must)
	if err != nil {
		return nil, err
	}
	return func(c *candidate) []int {
		parts := find(c)
		if len(p.Whole) > 0 && whole.test.ok(c) {
			parts = slices.Insert(parts, 0, 0)
		}
		return parts
	}, nil
}
