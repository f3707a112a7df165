package interaction

import (
	"context"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Patch changes a part of a resource. https://hl7.org/fhir/R4/http.html#patch
func (s *Service) Patch(ctx context.Context, c Call, key store.Key, patch Patch, cond Condition) (Written, error) {
	return s.one(ctx, &c, "patch", change{verb: verbPatch, key: key, patch: patch, ifMatch: cond.IfMatch})
}

// PatchMatching changes a part of the one resource that the criteria match.
func (s *Service) PatchMatching(ctx context.Context, c Call, resourceType, criteria string, patch Patch, cond Condition) (Written, error) {
	return s.one(ctx, &c, "patch", change{
		verb: verbPatch, key: store.Key{Type: resourceType}, criteria: &criteria, patch: patch, ifMatch: cond.IfMatch,
	})
}
