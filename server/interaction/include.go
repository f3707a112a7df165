package interaction

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// errLeak reports an engine that returned what the predicate hides.
var errLeak = errors.New("the storage engine returned a resource the caller may not see")

// errNoPart reports one that found what a resource does not contain.
var errNoPart = errors.New("the storage engine found a contained resource that is not there")

// included are the resources that go along with the matches of a page.
type included struct {
	versions []store.Version
	cut      bool // there were more than the limit
}

// gathering collects included resources, each once. All are found by queries
// under the same predicate and snapshot as the matches.
type gathering struct {
	r    *searching
	ctx  context.Context //nolint:containedctx // lives for one search
	must search.Must
	asOf uint64
	have map[store.Key]bool
	out  included
}

// include follows _include and _revinclude from the matches, and again from
// what :iterate ones bring until nothing new comes.
// https://hl7.org/fhir/R4/search.html#revinclude
func (r *searching) include(ctx context.Context, must search.Must, matches []result, asOf uint64) (included, error) {
	d := r.req.Directives
	if len(d.Include)+len(d.RevInclude) == 0 {
		return included{}, nil
	}
	g := &gathering{r: r, ctx: ctx, must: must, asOf: asOf, have: map[store.Key]bool{}}
	from, first := make([]store.Version, len(matches)), true
	for i, m := range matches {
		from[i] = *m.Version
		g.have[m.Key] = true
	}
	for len(from) > 0 && !g.out.cut {
		had := len(g.out.versions)
		for _, inc := range d.Include {
			if first || inc.Iterate {
				if err := g.forward(inc, from); err != nil {
					return g.out, err
				}
			}
		}
		for _, inc := range d.RevInclude {
			if first || inc.Iterate {
				if err := g.reverse(inc, from); err != nil {
					return g.out, err
				}
			}
		}
		from, first = g.out.versions[had:], false
	}
	return g.out, nil
}

// forward adds what the resources refer to by the include's parameter.
func (g *gathering) forward(inc search.Include, from []store.Version) error {
	wanted := map[string][]string{}
	for _, v := range from {
		if inc.Source != "" && inc.Source != "*" && inc.Source != v.Type {
			continue
		}
		keys, err := g.r.s.keys(v)
		if err != nil {
			return err
		}
		for _, p := range g.parameters(inc, v.Type) {
			for _, ref := range search.References(p, keys) {
				key := store.Key{Type: ref.Type, ID: ref.ID}
				if (inc.Target == "" || inc.Target == ref.Type) && !g.have[key] && !slices.Contains(wanted[ref.Type], ref.ID) {
					wanted[ref.Type] = append(wanted[ref.Type], ref.ID)
				}
			}
		}
	}
	for _, typ := range slices.Sorted(maps.Keys(wanted)) {
		if err := g.fetch(typ, wanted[typ]); err != nil {
			return err
		}
	}
	return nil
}

// parameters returns the reference parameters an include follows from a type.
func (g *gathering) parameters(inc search.Include, resourceType string) []*search.Parameter {
	if !inc.Wildcard {
		return []*search.Parameter{inc.Param}
	}
	return g.r.s.references(resourceType)
}

// references returns the reference parameters of a type.
func (s *Service) references(resourceType string) []*search.Parameter {
	var list []*search.Parameter
	for _, p := range s.Registry().Parameters(resourceType) {
		if p.Type == "reference" {
			list = append(list, p)
		}
	}
	return list
}

// fetch adds the resources of a type with these ids, as far as visible.
func (g *gathering) fetch(resourceType string, ids []string) error {
	p, ok := g.r.s.Registry().Lookup(resourceType, "_id")
	if !ok {
		return errors.New("interaction: no search parameter _id")
	}
	clause := search.Clause{Param: p}
	for _, id := range ids {
		clause.Values = append(clause.Values, search.Value{Raw: id, Code: id})
	}
	return g.add(search.Query{Types: []string{resourceType}, Where: []search.Clause{clause}})
}

// reverse adds what refers to the resources by the include's parameter.
func (g *gathering) reverse(inc search.Include, from []store.Version) error {
	var keys []store.Key
	for _, v := range from {
		if v.ID != "" && (inc.Target == "" || inc.Target == v.Type) { // nothing refers to contained resources
			keys = append(keys, v.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	sources := []string{inc.Source}
	if inc.Source == "" || inc.Source == "*" {
		sources = r4.ResourceTypes()
	}
	for _, source := range sources {
		var clause search.Clause
		for _, p := range g.parameters(inc, source) {
			clause.Any = append(clause.Any, []search.Clause{referenceClause(p, keys...)})
		}
		if len(clause.Any) == 1 {
			clause = clause.Any[0][0]
		} else if len(clause.Any) == 0 {
			continue
		}
		if err := g.add(search.Query{Types: []string{source}, Where: []search.Clause{clause}}); err != nil {
			return err
		}
	}
	return nil
}

// add runs a query under the predicate and snapshot of the search and keeps
// what is new, up to the limit.
func (g *gathering) add(q search.Query) error {
	limit := g.r.s.cfg.Options.MaxIncludes
	q.Must, q.AsOf, q.Total = g.must, g.asOf, search.TotalNone
	q.Count = limit + 1
	q.Keys = slices.ContainsFunc(g.r.req.Directives.Include, func(inc search.Include) bool { return inc.Iterate })
	page, err := g.r.s.cfg.Store.Search(g.ctx, q)
	if err != nil {
		return err
	}
	for _, v := range page.Versions {
		if !g.must.Allows(v.Type, v.ID, v.Labels) {
			return Internalf(errLeak)
		}
		if g.have[v.Key] {
			continue
		}
		if len(g.out.versions) == limit {
			g.out.cut = true
			return nil
		}
		g.have[v.Key] = true
		g.out.versions = append(g.out.versions, v)
	}
	return nil
}

// keys returns the index keys of a version, from the engine or made anew.
func (s *Service) keys(v store.Version) ([][]byte, error) {
	if v.Keys != nil {
		return v.Keys, nil
	}
	e, err := decodeStored(v.JSON)
	if err != nil {
		return nil, err
	}
	return s.Registry().Keys(e)
}
