package interaction

import (
	"context"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Delete deletes a resource. Deleting one that is deleted, absent or hidden
// does nothing and succeeds, the same for all three.
// https://hl7.org/fhir/R4/http.html#delete
func (s *Service) Delete(ctx context.Context, c Call, key store.Key, cond Condition) (Written, error) {
	return s.one(ctx, &c, "delete", change{verb: verbDelete, key: key, ifMatch: cond.IfMatch})
}

// DeleteMatching deletes the resource the criteria match; several only where
// Options.DeleteMultiple allows it.
// https://hl7.org/fhir/R4/http.html#3.1.0.7.1
func (s *Service) DeleteMatching(ctx context.Context, c Call, resourceType, criteria string, cond Condition) (Written, error) {
	return s.one(ctx, &c, "delete", change{
		verb: verbDelete, key: store.Key{Type: resourceType}, criteria: &criteria, ifMatch: cond.IfMatch,
	})
}
