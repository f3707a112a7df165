package interaction

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Create stores a new resource under an id of the server's choice.
// ifNoneExist, where not nil, is the query of a conditional create: where it
// matches one resource that is the answer, where it matches several the
// create fails. https://hl7.org/fhir/R4/http.html#create
func (s *Service) Create(ctx context.Context, c Call, resourceType string, resource *fhir.Element, ifNoneExist *string) (Written, error) {
	return s.one(ctx, &c, "create", change{
		verb: verbCreate, key: store.Key{Type: resourceType}, resource: resource, criteria: ifNoneExist,
	})
}
