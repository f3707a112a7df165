package interaction

import (
	"context"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// finding answers what the criteria of one request draw on, such as stored value
// sets: under the predicate of its caller, all from one snapshot.
type finding struct {
	s    *Service
	ctx  context.Context //nolint:containedctx // lives for one request
	must search.Must
	asOf uint64 // of the first answer; 0 before it
}

// find implements search.Find.
func (f *finding) find(q search.Query) ([]*fhir.Element, error) {
	q.Must, q.AsOf, q.Total = f.must, f.asOf, search.TotalNone
	page, err := f.s.cfg.Store.Search(f.ctx, q)
	if err != nil {
		return nil, err
	}
	f.asOf = page.AsOf
	list := make([]*fhir.Element, len(page.Versions))
	for i, v := range page.Versions {
		if !f.must.Allows(v.Type, v.ID, v.Labels) {
			return nil, Internalf(errLeak)
		}
		if list[i], err = decodeStored(v.JSON); err != nil {
			return nil, err
		}
	}
	return f.builtIns(q, list)
}

// builtIns adds the definitions of the server to what is stored: those of the
// guide that meet the criteria or, of all, the one that a lone _id names.
func (f *finding) builtIns(q search.Query, list []*fhir.Element) ([]*fhir.Element, error) {
	if f.s.cfg.Definitions == nil {
		return list, nil
	}
	if len(q.Where) == 1 && names(q.Where[0]) && q.Where[0].Param.Code == "_id" {
		return f.named(q, list)
	}
	for _, typ := range q.Types {
		for _, e := range f.s.cfg.Definitions.Guide(typ) {
			ok, err := f.s.Registry().Match(q.Where, e, nobody{})
			if err != nil {
				return nil, err
			}
			if ok {
				list = append(list, e)
			}
		}
	}
	return list, nil
}

// named adds the definitions that a query names by id, where none is stored.
func (f *finding) named(q search.Query, list []*fhir.Element) ([]*fhir.Element, error) {
	for _, typ := range q.Types {
		named, err := f.s.named(typ, q.Where)
		if err != nil {
			return nil, err
		}
		for _, v := range named {
			if slices.ContainsFunc(list, func(e *fhir.Element) bool { return e.ResourceType() == typ && e.ID() == v.ID }) {
				continue
			}
			e, err := decodeStored(v.JSON)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}
