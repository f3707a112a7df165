package search

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// KeysVersion is raised whenever Keys returns other keys for the same resource
// under the same parameters. A store whose keys are of another version must be
// given new ones before all searches on it are right.
//
//	1  keys of the resource itself
//	2  and of the resources it contains
//	3  and of places (near)
const KeysVersion = 3

// Contained is met by a resource that contains one which meets every criterion
// of Where, the same one all of them. What a contained resource refers to is
// looked for as usual; nothing refers to it from outside, so that Where has no
// Has. https://hl7.org/fhir/R4/search.html#contained
type Contained struct{ Where []Clause }

// Parts makes what is found within the matches the results of a query, each of
// them once: a page, its size, the position after it and the total are of
// results then. Those of one match follow each other, the match itself first,
// then its contained resources in their order.
type Parts struct {
	// Whole: a match that meets all of these is a result itself. Where it is
	// empty, none is.
	Whole []Clause
	// Contained: each contained resource that meets all of these is a result.
	Contained Contained
}

// A key of a contained resource stands among the keys of its container:
//
//	# 00 ^key 00 01 ordinal
//
// ^key is the key it would have by itself, 00 written as 00 ff, and ordinal its
// place in the container, from 0, in four bytes. So the keys of all contained
// resources sort by value, as those of resources do, and can still be told
// apart. No parameter has the code #.
const containedCode = "#"

var containedPrefix = keyPrefix(containedCode)

const ordinalBytes = 4

// containedKeys adds the keys of the contained resources.
func (x *extraction) containedKeys(k *keys) {
	container := x.root
	inner := &keys{}
	n := -1
	for c := range container.All("contained") {
		n++
		t := x.r.table(c.ResourceType())
		if t == nil {
			continue
		}
		x.root, x.container = c, container
		inner.buf, inner.ends = inner.buf[:0], inner.ends[:0]
		for _, b := range t.params {
			x.parameterKeys(inner, b)
		}
		for i := range inner.ends {
			k.buf = appendContained(k.buf, inner.at(i), n)
			k.end()
		}
	}
	x.root, x.container = container, nil
}

func appendContained(dst, key []byte, ordinal int) []byte {
	dst = appendEscaped(append(dst, containedPrefix...), key)
	return binary.BigEndian.AppendUint32(dst, uint32(ordinal))
}

// ContainedKey returns the key of a contained resource as it stands among those
// of its container; ordinal is its place there, from 0.
func ContainedKey(key []byte, ordinal int) []byte { return appendContained(nil, key, ordinal) }

// Within returns the range of the keys that contained resources have in r, as
// they stand among the keys of their container. That of the zero Range holds
// all keys of contained resources.
func Within(r Range) Range {
	out := Range{Low: concat(containedPrefix, escapedBound(r.Low)), High: successor(containedPrefix)}
	if len(r.High) > 0 {
		out.High = concat(containedPrefix, escapedBound(r.High))
	}
	if keep := r.Keep; keep != nil {
		out.Keep = func(key []byte) bool {
			inner, _ := cutEscaped(key[len(containedPrefix):])
			return keep(inner)
		}
	}
	return out
}

// ContainedKeys takes the keys of the contained resources out of those of their
// container: for each its own keys, sorted; nil for one that has none. The keys
// must be sorted, as Keys returns them.
func ContainedKeys(keys [][]byte) [][][]byte {
	from, _ := slices.BinarySearchFunc(keys, containedPrefix, bytes.Compare)
	var out [][][]byte
	for _, key := range keys[from:] {
		rest, ok := bytes.CutPrefix(key, containedPrefix)
		if !ok {
			break
		}
		inner, ordinal := cutEscaped(rest)
		if len(ordinal) != ordinalBytes {
			continue
		}
		n := int(binary.BigEndian.Uint32(ordinal))
		for len(out) <= n {
			out = append(out, nil)
		}
		out[n] = append(out[n], inner)
	}
	return out
}

// ContainedResource returns a contained resource by its place, from 1; nil
// where there is none.
func ContainedResource(container *fhir.Element, part int) *fhir.Element {
	for c := range container.All("contained") {
		if part--; part == 0 {
			return c
		}
	}
	return nil
}

// ContainedQuery returns the query for what a request asks for with _contained:
// resources of these types (nil: all types) that contain, or with both also
// are, what was asked for. The types searched for become criteria. Sort,
// predicate, count and total stay as they are. The error is a fhir.Issues.
func (r *Registry) ContainedQuery(req *Request, containers []string) (Query, error) {
	p := parser{r: r, req: *req}
	if err := p.checkContained(); err != nil {
		return Query{}, err
	}
	q := req.Query
	where := q.Where
	if len(q.Types) > 0 {
		kind := Clause{Param: r.typeParam}
		for _, t := range q.Types {
			kind.Values = append(kind.Values, Value{Raw: t, Code: t})
		}
		where = append(slices.Clip(where), kind)
	}
	inside := Contained{Where: where}
	q.Types = containers
	q.Where = []Clause{{Contained: &inside}}
	parts := Parts{Contained: inside}
	if req.Directives.Contained == "both" {
		if len(where) == 0 { // every resource is asked for
			where = []Clause{r.anything()}
		}
		parts.Whole = where
		q.Where = []Clause{{Any: [][]Clause{where, q.Where}}}
	}
	if req.Directives.ContainedType == "contained" {
		q.Parts = &parts
	}
	return q, nil
}

// anything is a criterion that every resource meets.
func (r *Registry) anything() Clause {
	return Clause{Param: r.typeParam, Modifier: ModifierMissing}
}

// LooksInside reports whether the request asks for contained resources.
func (d *Directives) LooksInside() bool { return d.Contained == "true" || d.Contained == "both" }

// checkContained refuses what cannot be asked of contained resources.
func (p *parser) checkContained() error {
	for _, k := range p.req.Query.Sort {
		if k.Param.Code != "_lastUpdated" {
			return p.refuse("_sort", fhir.NotSupported, "search-contained", "with _contained, results are sorted by _lastUpdated only",
				"_contained を指定した検索では _lastUpdated でのみ並べ替えできます")
		}
	}
	if slices.ContainsFunc(p.req.Query.Where, reversed) {
		return p.refuse("_contained", fhir.NotSupported, "search-contained", "nothing refers to contained resources: _has and _list cannot be used with it",
			"contained リソースは外から参照されないため、_has・_list とは併用できません")
	}
	return nil
}

// reversed reports whether a criterion asks what refers to the resource.
func reversed(c Clause) bool {
	return c.Has != nil || slices.ContainsFunc(c.Any, func(all []Clause) bool { return slices.ContainsFunc(all, reversed) })
}

// OfOlderKeys returns the registry of a store whose resources may have keys of
// an older KeysVersion: contained resources and places cannot be searched in it.
func (r *Registry) OfOlderKeys() *Registry {
	older := *r
	older.olderKeys = true
	return &older
}

// FindsContained reports whether contained resources can be searched.
func (r *Registry) FindsContained() bool { return !r.olderKeys }
