package interaction

import (
	"context"

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
	if len(list) == 0 && len(q.Where) == 1 && len(q.Types) == 1 && q.Where[0].Param.Code == "_id" {
		return f.builtIns(q)
	}
	return list, nil
}

// builtIns finds the definitions of the server that a query names by id. By URL
// the terminology knows them itself.
func (f *finding) builtIns(q search.Query) ([]*fhir.Element, error) {
	named, err := f.s.named(q.Types[0], q.Where)
	if err != nil {
		return nil, err
	}
	list := make([]*fhir.Element, len(named))
	for i, v := range named {
		if list[i], err = decodeStored(v.JSON); err != nil {
			return nil, err
		}
	}
	return list, nil
}
