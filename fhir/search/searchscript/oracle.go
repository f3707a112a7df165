package searchscript

import (
	"errors"
	"math"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Oracle is the Engine over search.Naive.
type Oracle struct {
	Registry *search.Registry
	naive    *search.Naive
}

// Load implements Engine.
func (o *Oracle) Load(records []*Record) error {
	o.naive = search.NewNaive(o.Registry)
	for _, r := range records {
		if err := o.naive.Put(r.Resource, r.Labels); err != nil {
			return err
		}
	}
	return nil
}

// Search implements Engine.
func (o *Oracle) Search(resourceType, query string, must search.Must) (Answer, error) {
	req, err := o.Registry.With(o.naive.Find(must)).Parse(resourceType, query)
	issues := fhir.Issues(nil)
	if errors.As(err, &issues) {
		return Answer{Refused: issues}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	q := req.Query
	if req.Directives.LooksInside() {
		if q, err = o.Registry.ContainedQuery(&req, nil); errors.As(err, &issues) {
			return Answer{Refused: issues}, nil
		}
	}
	q.Must = must
	if !req.Directives.CountGiven {
		q.Count = math.MaxInt32
	}
	found, err := o.naive.Search(q)
	if err != nil {
		return Answer{}, err
	}
	out := Answer{Total: found.Total, Unknown: req.Unknown, Matches: keysOf(found.Resources)}
	matches := slices.Clone(found.Resources)
	for i, part := range found.Parts {
		if part > 0 {
			matches[i] = search.ContainedResource(matches[i], part)
			out.Matches[i] += "#" + matches[i].ID()
		}
	}
	out.Included = keysOf(o.naive.Include(matches, req.Directives.Include, req.Directives.RevInclude, must))
	return out, nil
}

func keysOf(resources []*fhir.Element) []string {
	out := make([]string, len(resources))
	for i, r := range resources {
		out[i] = r.ResourceType() + "/" + r.ID()
	}
	return out
}
