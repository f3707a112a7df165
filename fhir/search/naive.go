package search

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Naive answers whole queries over resources in memory, plainly and slowly: it
// is the oracle of the storage engines. What it finds comes from the content
// of resources alone; only for the order of _sort does it use the keys. It
// belongs to one goroutine.
type Naive struct {
	registry *Registry
	records  map[Reference]*record
	put      int64
}

// record is one resource with what a store keeps beside it.
type record struct {
	ref      Reference
	resource *fhir.Element
	labels   Labels
	updated  int64 // meta.lastUpdated, or the order of putting where it has none
	keys     [][]byte
}

// NewNaive returns an empty set of resources.
func NewNaive(r *Registry) *Naive {
	return &Naive{registry: r, records: map[Reference]*record{}}
}

// Put adds a resource or replaces the one of the same type and id.
func (n *Naive) Put(resource *fhir.Element, l Labels) error {
	keys, err := n.registry.Keys(resource)
	if err != nil {
		return err
	}
	n.put++
	rec := &record{ref: Reference{resource.ResourceType(), resource.ID()}, resource: resource, labels: l, updated: n.put, keys: keys}
	if at, _, ok := parseDate(resource.Text("meta", "lastUpdated"), n.registry.opts.Zone); ok {
		rec.updated = at
	}
	n.records[rec.ref] = rec
	return nil
}

// Delete removes a resource.
func (n *Naive) Delete(resourceType, id string) { delete(n.records, Reference{resourceType, id}) }

// Answer is what a query finds.
type Answer struct {
	Resources []*fhir.Element // one page
	// Parts tells for each of them which contained resource is meant, from 1,
	// or 0 for itself; nil where the query has no Parts.
	Parts []int
	Total int64  // of all matches, -1 where not asked for
	Next  string // Query.After of the next page, "" at the end
}

// Search answers a query. Query.AsOf is not looked at.
func (n *Naive) Search(q Query) (Answer, error) {
	found, err := n.matches(q)
	if err != nil {
		return Answer{}, err
	}
	slices.SortFunc(found, func(a, b *record) int { return compareRecords(q.Sort, a, b) })
	var parts []int
	if q.Parts != nil {
		if found, parts, err = n.split(found, q); err != nil {
			return Answer{}, err
		}
	}
	out := Answer{Total: -1}
	if q.Total == TotalAccurate || q.Total == TotalEstimate || q.Count == 0 {
		out.Total = int64(len(found))
	}
	start, _ := strconv.Atoi(q.After)
	start = min(max(start, 0), len(found))
	end := min(start+q.Count, len(found))
	for _, rec := range found[start:end] {
		out.Resources = append(out.Resources, rec.resource)
	}
	if parts != nil {
		out.Parts = parts[start:end]
	}
	if q.Count > 0 && end < len(found) {
		out.Next = strconv.Itoa(end)
	}
	return out, nil
}

// Find returns a Find over the resources for a caller with that predicate.
func (n *Naive) Find(must Must) Find {
	return func(q Query) ([]*fhir.Element, error) {
		q.Must = must
		a, err := n.Search(q)
		return a.Resources, err
	}
}

func (n *Naive) matches(q Query) ([]*record, error) {
	var found []*record
	seen := visible{n, q.Must}
	for _, rec := range n.records {
		if len(q.Types) > 0 && !slices.Contains(q.Types, rec.ref.Type) || !seen.allows(rec) {
			continue
		}
		ok, err := n.registry.Match(q.Where, rec.resource, seen)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, rec)
		}
	}
	return found, nil
}

// split repeats each match for every result that it stands for.
func (n *Naive) split(found []*record, q Query) (split []*record, parts []int, err error) {
	for _, rec := range found {
		of, err := n.registry.parts(q.Parts, rec.resource, visible{n, q.Must})
		if err != nil {
			return nil, nil, err
		}
		split, parts = append(split, slices.Repeat([]*record{rec}, len(of))...), append(parts, of...)
	}
	return split, parts, nil
}

// compareRecords orders by the sort keys, what has no value last, then newest
// first, then by type and id.
func compareRecords(sort []SortKey, a, b *record) int {
	for _, key := range sort {
		va, vb := SortValue(key.Param, a.keys, key.Descending), SortValue(key.Param, b.keys, key.Descending)
		switch c := bytes.Compare(va, vb); {
		case va == nil && vb == nil:
		case va == nil:
			return 1
		case vb == nil:
			return -1
		case c != 0 && key.Descending:
			return -c
		case c != 0:
			return c
		}
	}
	return cmp.Or(cmp.Compare(b.updated, a.updated), cmp.Compare(a.ref.Type, b.ref.Type), cmp.Compare(a.ref.ID, b.ref.ID))
}

// visible is the Resolver of what a caller may see.
type visible struct {
	n    *Naive
	must Must
}

func (v visible) allows(rec *record) bool {
	return v.must.Allows(rec.ref.Type, rec.ref.ID, rec.labels)
}

// Resource implements Resolver.
func (v visible) Resource(resourceType, id string) *fhir.Element {
	rec := v.n.records[Reference{resourceType, id}]
	if rec == nil || !v.allows(rec) {
		return nil
	}
	return rec.resource
}

// All implements Resolver.
func (v visible) All(resourceType string) []*fhir.Element {
	var out []*fhir.Element
	for _, rec := range v.n.records {
		if rec.ref.Type == resourceType && v.allows(rec) {
			out = append(out, rec.resource)
		}
	}
	slices.SortFunc(out, func(a, b *fhir.Element) int { return cmp.Compare(a.ID(), b.ID()) })
	return out
}

// Include returns what _include and _revinclude add to the matches, sorted by
// type and id, without the matches themselves and without what the caller may
// not see. https://hl7.org/fhir/R4/search.html#include
func (n *Naive) Include(matches []*fhir.Element, include, revInclude []Include, must Must) []*fhir.Element {
	in := inclusion{n: n, seen: visible{n, must}, have: map[Reference]bool{}}
	for _, m := range matches {
		in.have[Reference{m.ResourceType(), m.ID()}] = true
	}
	level := in.step(matches, include, revInclude, false)
	for len(level) > 0 {
		level = in.step(level, include, revInclude, true)
	}
	slices.SortFunc(in.added, func(a, b *fhir.Element) int {
		return cmp.Or(cmp.Compare(a.ResourceType(), b.ResourceType()), cmp.Compare(a.ID(), b.ID()))
	})
	return in.added
}

// inclusion collects included resources.
type inclusion struct {
	n     *Naive
	seen  visible
	have  map[Reference]bool
	added []*fhir.Element
}

// step adds what the resources of a level bring in; beyond the matches only
// includes that iterate count.
func (in *inclusion) step(level []*fhir.Element, include, revInclude []Include, iterate bool) []*fhir.Element {
	before := len(in.added)
	for _, res := range level {
		for _, inc := range include {
			if inc.Iterate || !iterate {
				in.forward(res, inc)
			}
		}
		for _, inc := range revInclude {
			if inc.Iterate || !iterate {
				in.reverse(res, inc)
			}
		}
	}
	return slices.Clone(in.added[before:])
}

func (in *inclusion) forward(res *fhir.Element, inc Include) {
	if inc.Source != "" && inc.Source != res.ResourceType() {
		return
	}
	for _, ref := range in.references(res, inc) {
		if inc.Target == "" || inc.Target == ref.Type {
			in.add(ref)
		}
	}
}

func (in *inclusion) reverse(res *fhir.Element, inc Include) {
	self := Reference{res.ResourceType(), res.ID()}
	if inc.Target != "" && inc.Target != self.Type {
		return
	}
	for _, rec := range in.n.records {
		if (inc.Source == "" || inc.Source == rec.ref.Type) && slices.Contains(in.references(rec.resource, inc), self) {
			in.add(rec.ref)
		}
	}
}

// references are those of the parameter named, or of all.
func (in *inclusion) references(res *fhir.Element, inc Include) []Reference {
	x := &extraction{r: in.n.registry, root: res}
	if !inc.Wildcard {
		return x.localReferences(inc.Param)
	}
	var out []Reference
	for _, b := range x.r.table(res.ResourceType()).params {
		if b.Type == "reference" {
			out = append(out, x.localReferences(b.Parameter)...)
		}
	}
	return out
}

func (in *inclusion) add(ref Reference) {
	if in.have[ref] {
		return
	}
	if res := in.seen.Resource(ref.Type, ref.ID); res != nil {
		in.have[ref] = true
		in.added = append(in.added, res)
	}
}
