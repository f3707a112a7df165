package interaction

import (
	"context"
	"errors"
	"regexp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// idPattern is R4's data type id. https://hl7.org/fhir/R4/datatypes.html#id
var idPattern = regexp.MustCompile(`^[A-Za-z0-9\-.]{1,64}$`)

// ValidID reports whether s may be the id of a resource.
func ValidID(s string) bool { return idPattern.MatchString(s) }

// checkType refuses names that are not concrete R4 resource types.
func checkType(name string) error {
	if IsResourceType(name) {
		return nil
	}
	return Refuse(Unknown, fhir.NotSupported, "type-unknown", fhir.Messagef(
		"%q is not a resource type of FHIR R4", "%q は FHIR R4 のリソース型ではありません", name))
}

// IsResourceType reports whether name is a concrete R4 resource type.
func IsResourceType(name string) bool {
	t, ok := r4.TypeByName(name)
	return ok && t.Kind == r4.Resource && !t.Abstract
}

func checkKey(key store.Key) error {
	if err := checkType(key.Type); err != nil {
		return err
	}
	if !ValidID(key.ID) {
		return Refuse(BadRequest, fhir.Value, "id-invalid", fhir.Messagef(
			"the id must be 1 to 64 letters, digits, '-' or '.'", "id は半角英数字・'-'・'.' の1〜64文字でなければなりません"))
	}
	return nil
}

// allow refuses an action that no scope of the caller covers.
func allow(c *Call, resourceType string, a policy.Action) error {
	if c.Caller.Unrestricted || c.Caller.Scopes.Allow(resourceType, a) {
		return nil
	}
	return forbidden(resourceType)
}

// visibility asks the policy what the caller may see now.
func (s *Service) visibility(ctx context.Context, c *Call) (search.Must, error) {
	if c.Caller.Unrestricted {
		return search.Must{Unrestricted: true}, nil
	}
	return s.cfg.Policy.Visibility(ctx, c.Caller)
}

// current reads the current version of a resource the caller may see. Hidden
// and absent resources give the same refusal; a deletion gives Gone, with its
// version, only where the labels of what was deleted are visible.
func (s *Service) current(ctx context.Context, must search.Must, key store.Key) (store.Version, error) {
	v, err := s.cfg.Store.Read(ctx, key)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Version{}, notFound(key)
	case err != nil && !errors.Is(err, store.ErrGone):
		return store.Version{}, err
	case !must.Allows(key.Type, key.ID, v.Labels):
		return store.Version{}, notFound(key)
	case err != nil:
		return v, gone(key)
	}
	return v, nil
}
