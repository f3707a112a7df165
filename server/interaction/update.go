package interaction

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Condition restricts a write to a state of the resource.
type Condition struct {
	IfMatch *uint64 // the version that must be current
	IfNone  bool    // there must be none (If-None-Match: *)
}

// Update replaces a resource, or creates it with the client's id where that
// is allowed. https://hl7.org/fhir/R4/http.html#update
func (s *Service) Update(ctx context.Context, c Call, key store.Key, resource *fhir.Element, cond Condition) (Written, error) {
	return s.one(ctx, &c, "update", change{
		verb: verbUpdate, key: key, resource: resource, ifMatch: cond.IfMatch, ifNone: cond.IfNone,
	})
}

// UpdateMatching replaces the one resource that the criteria match, or
// creates one where they match none.
// https://hl7.org/fhir/R4/http.html#cond-update
func (s *Service) UpdateMatching(ctx context.Context, c Call, resourceType, criteria string, resource *fhir.Element, cond Condition) (Written, error) {
	return s.one(ctx, &c, "update", change{
		verb: verbUpdate, key: store.Key{Type: resourceType}, criteria: &criteria,
		resource: resource, ifMatch: cond.IfMatch, ifNone: cond.IfNone,
	})
}
