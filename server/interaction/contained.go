package interaction

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// lookInside makes the query one over what contains the types asked for. Only
// resources of types the caller may search are looked into: where no type is
// asked for, these are also the types of contained resources.
// https://hl7.org/fhir/R4/search.html#contained
func (r *searching) lookInside(asked []string) error {
	all := r4.ResourceTypes()
	containers := slices.DeleteFunc(slices.Clone(all), func(t string) bool { return allow(r.c, t, policy.ActionSearch) != nil })
	switch len(containers) {
	case 0:
		return forbidden("Resource")
	case len(all):
		containers = nil
	}
	if len(asked) == 0 {
		asked = containers
	}
	r.req.Query.Types = asked
	r.plain = r.req.Query
	q, err := r.s.Registry().ContainedQuery(&r.req, containers)
	r.req.Query = q
	return err
}

// result is one match of a search: a resource as stored or, with the key of its
// type and no id, one that another contains.
type result struct {
	*store.Version
	container store.Key // the resource itself where it is in no other
	fragment  string    // "#id" of a contained resource
}

// results are the matches of a page.
func (r *searching) results(page store.Page) ([]result, error) {
	out := make([]result, len(page.Versions))
	for i := range page.Versions {
		v := &page.Versions[i]
		out[i] = result{Version: v, container: v.Key}
		if page.Parts == nil || page.Parts[i] == 0 {
			continue
		}
		e, err := decodeStored(v.JSON)
		if err != nil {
			return nil, err
		}
		inner := search.ContainedResource(e, page.Parts[i])
		if inner == nil {
			return nil, Internalf(errNoPart)
		}
		part := *v
		part.Key, part.JSON, part.Keys = store.Key{Type: inner.ResourceType()}, fhirjson.Append(nil, inner), nil
		out[i].Version, out[i].fragment = &part, "#"+inner.ID()
	}
	return out, nil
}
