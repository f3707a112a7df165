// Package auth is the authorization server: SMART Backend Services. A client
// proves itself with a JWT signed by its own key and gets a short-lived access
// token whose scopes the sharing matrix bounds.
// https://hl7.org/fhir/smart-app-launch/backend-services.html
package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// Config wires a Server. Issuer, TokenURL, Audience, Clients, Keys, Now and
// NewID are required.
type Config struct {
	// Issuer is the URL of this authorization server, TokenURL that of its
	// token endpoint, which assertions must have as audience, and Audience the
	// base URL of the FHIR endpoint that access tokens are for.
	Issuer, TokenURL, Audience string
	// KeySetURL is where KeySet is served; "" for nowhere.
	KeySetURL string
	Clients   *Clients
	Keys      KeyStore
	// Used keeps which assertions were used, so that one that was intercepted
	// is refused after a restart too; nil forgets them with the process.
	Used   UsedAssertions
	Now    func() time.Time
	NewID  func() string   // ids of tokens, unguessable
	Matrix *sharing.Matrix // nil: the national one
	// Life is how long access tokens live: 5 minutes at least and 15 at most;
	// zero is 5 minutes.
	Life time.Duration
	// Limit is asked before any cryptography is done for a token request; the
	// client id is as claimed. Where ok is false the answer is 429, and wait
	// says when to come back. nil never limits.
	Limit func(r *http.Request, client string) (wait time.Duration, ok bool)
	// Log gets refusals with their reason. Nothing secret is ever logged. nil
	// discards.
	Log *slog.Logger
}

// Server issues and verifies access tokens. It is safe for concurrent use.
type Server struct {
	cfg   Config
	keys  atomic.Pointer[ring]
	seen  *replays
	known *knownTokens
}

// New returns a Server. It loads its signing key or makes one on first use.
func New(cfg Config) (*Server, error) {
	if cfg.Issuer == "" || cfg.TokenURL == "" || cfg.Audience == "" || cfg.Clients == nil || cfg.Keys == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("auth: incomplete Config")
	}
	if cfg.Matrix == nil {
		cfg.Matrix = sharing.National()
	}
	if cfg.Life == 0 {
		cfg.Life = 5 * time.Minute
	}
	if cfg.Life < 5*time.Minute || cfg.Life > maxLife {
		return nil, errors.New("auth: access tokens live 5 to 15 minutes")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	keys, err := loadRing(cfg.Keys, cfg.Now())
	if err != nil {
		return nil, err
	}
	seen, err := newReplays(cfg.Used)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, seen: seen, known: newKnownTokens()}
	s.keys.Store(&keys)
	return s, nil
}

// caller returns who a client is, with scopes.
func (s *Server) caller(c *Client, scopes policy.Scopes, purpose string) policy.Caller {
	return policy.Caller{
		Client: c.ID, Kind: c.Kind, Organization: c.Organization, Patient: c.Patient, Acting: c.Acting,
		Purpose: purpose, Scopes: scopes, Unrestricted: c.Kind == policy.Operator,
	}
}

// refused notes a refusal in the log.
func (s *Server) refused(ctx context.Context, what, client string, p *Problem) {
	s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, what, slog.String("client", client), slog.String("error", p.Code), slog.String("reason", p.Description))
}
