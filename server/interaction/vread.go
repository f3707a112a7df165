package interaction

import (
	"context"
	"errors"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// VRead returns one version of a resource; one that records a deletion gives
// Gone. A version is visible by its own labels, and only while the resource
// itself is: a form that moved out of a caller's sight takes its past along.
// https://hl7.org/fhir/R4/http.html#vread
func (s *Service) VRead(ctx context.Context, c Call, key store.Key, version uint64) (store.Version, error) {
	v, err := s.vread(ctx, &c, key, version)
	return v, s.record(ctx, &c, Access{Interaction: "vread", Type: key.Type, Asked: key, Seen: seen(v)}, err)
}

func (s *Service) vread(ctx context.Context, c *Call, key store.Key, version uint64) (store.Version, error) {
	if err := checkKey(key); err != nil {
		return store.Version{}, err
	}
	if err := allow(c, key.Type, policy.ActionRead); err != nil {
		return store.Version{}, err
	}
	must, err := s.visibility(ctx, c)
	if err != nil {
		return store.Version{}, err
	}
	if _, err := s.current(ctx, must, key); err != nil && AsRefusal(err).Reason != Gone {
		return store.Version{}, err
	}
	v, err := s.cfg.Store.ReadVersion(ctx, key, version)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Version{}, noVersion(key, version)
	case err != nil && !errors.Is(err, store.ErrGone):
		return store.Version{}, err
	case !must.Allows(key.Type, key.ID, v.Labels):
		return store.Version{}, noVersion(key, version)
	case v.Method == store.Delete:
		return v, gone(key)
	}
	return v, nil
}

func noVersion(key store.Key, version uint64) *Refusal {
	return Refuse(Unknown, fhir.NotFound, "version-not-found", fhir.Messagef(
		"%s has no version %d", "%s に版 %d はありません", key.String(), version))
}
