package interaction

import (
	"context"

	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Read returns the current version of a resource, or the definition of the
// server under that key.
// https://hl7.org/fhir/R4/http.html#read
func (s *Service) Read(ctx context.Context, c Call, key store.Key) (store.Version, error) {
	v, err := s.read(ctx, &c, key)
	return v, s.record(ctx, &c, Access{Interaction: "read", Type: key.Type, Asked: key, Seen: seen(v)}, err)
}

func (s *Service) read(ctx context.Context, c *Call, key store.Key) (store.Version, error) {
	if err := checkKey(key); err != nil {
		if _, ok := s.builtIn(key); !ok { // R4 has an id that is too long itself
			return store.Version{}, err
		}
	}
	if err := allow(c, key.Type, policy.ActionRead); err != nil {
		return store.Version{}, err
	}
	must, err := s.visibility(ctx, c)
	if err != nil {
		return store.Version{}, err
	}
	v, err := s.current(ctx, must, key)
	if err == nil {
		return v, nil
	}
	if reason := AsRefusal(err).Reason; reason == Unknown || reason == Gone {
		if own, ok := s.builtIn(key); ok {
			return own, nil
		}
	}
	return v, err
}
