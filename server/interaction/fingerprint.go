package interaction

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// Owner identifies a caller for what is bound to it, whichever token it has.
func Owner(c policy.Caller) string {
	sum := sha256.Sum256(binding(c))
	return hex.EncodeToString(sum[:])
}

// Fingerprint stands for everything that the policy lets the caller see at
// this moment, its scopes included. What was computed for the caller under one
// fingerprint may be handed out as long as the fingerprint is the same; another
// one means that a consent, a relation or a scope is not what it was.
func (s *Service) Fingerprint(ctx context.Context, c policy.Caller) (string, error) {
	must, err := s.visibility(ctx, &Call{Caller: c})
	if err != nil {
		return "", err
	}
	type grant struct {
		Types, Forms, Authors, Patients []string
		Set                             bool // Patients is a condition, if an empty one
		ID                              string
	}
	grants := make([]grant, len(must.Any))
	for i, g := range must.Any {
		grants[i] = grant{Types: g.Types, Forms: g.Forms, Authors: g.Authors, Set: g.Patients != nil, ID: g.ID, Patients: idsOf(g.Patients)}
	}
	seen, err := json.Marshal([]any{Owner(c), c.Scopes.String(), must.Unrestricted, grants})
	if err != nil {
		return "", fmt.Errorf("fingerprint: %w", err)
	}
	sum := sha256.Sum256(seen)
	return hex.EncodeToString(sum[:]), nil
}

func idsOf(p search.Patients) []string {
	if p == nil {
		return nil
	}
	return p.IDs()
}
