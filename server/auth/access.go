package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/kaigofhir/kaigofhir/server/policy"
)

// accessType is the media type of access tokens, so that no other JWT passes
// for one. https://www.rfc-editor.org/rfc/rfc9068
const accessType = "at+jwt"

// issue returns a signed access token. Who the client is, is not in it: that is
// looked up at each use, so that a client removed is gone at once.
func (s *Server) issue(c *Client, scopes policy.Scopes, purpose string) (string, error) {
	now := s.cfg.Now()
	payload, err := json.Marshal(claims{
		Issuer: s.cfg.Issuer, Subject: c.ID, Client: c.ID, Audience: audience{s.cfg.Audience},
		Issued: float64(now.Unix()), Expires: float64(now.Add(s.cfg.Life).Unix()), ID: s.cfg.NewID(),
		Scope: scopes.Requested(), Purpose: purpose,
	})
	if err != nil {
		return "", err
	}
	key := (*s.keys.Load())[0]
	header := jws.NewHeaders()
	if err := errors.Join(header.Set(jws.TypeKey, accessType), header.Set(jws.KeyIDKey, key.kid)); err != nil {
		return "", err
	}
	token, err := jws.Sign(payload, jws.WithKey(jwa.ES256(), key.private, jws.WithProtectedHeaders(header)))
	return string(token), err
}

var errBadToken = &Problem{Status: http.StatusUnauthorized, Code: "invalid_token", Description: "the access token is missing, wrong or expired"}

// Verify returns who an access token makes the caller. The error is a *Problem
// and does not tell what is wrong with the token.
func (s *Server) Verify(token string) (policy.Caller, error) {
	now := s.cfg.Now()
	known, ok := s.known.find(token, now)
	if !ok {
		if known, ok = s.open(token); !ok {
			return policy.Caller{}, errBadToken
		}
	}
	client, registered := s.cfg.Clients.lookup(known.client.ID)
	if _, good := s.keys.Load().find(known.kid, now); !good || !registered || !known.expires.After(now) || known.issued.After(now.Add(skew)) {
		return policy.Caller{}, errBadToken
	}
	if client != known.client { // registered anew since
		known.client, known.scopes = client, s.bounded(client, known.scope)
	}
	s.known.keep(token, known, now)
	return s.caller(client, known.scopes, known.purpose), nil
}

// open checks a token's signature and claims, times apart.
func (s *Server) open(token string) (knownToken, bool) {
	c, kid, ok := s.verified(token)
	if !ok || c.Issuer != s.cfg.Issuer || c.Subject != c.Client || !c.Audience.is(s.cfg.Audience) {
		return knownToken{}, false
	}
	client, ok := s.cfg.Clients.lookup(c.Client)
	if !ok {
		return knownToken{}, false
	}
	return knownToken{client: client, kid: kid, scope: c.Scope, scopes: s.bounded(client, c.Scope), purpose: c.Purpose,
		expires: seconds(c.Expires), issued: seconds(c.Issued)}, true
}

// verified returns the claims of a token that this server signed, and the id of
// the key it used.
func (s *Server) verified(token string) (c claims, kid string, ok bool) {
	message, err := jws.Parse([]byte(token), jws.WithCompact())
	if err != nil || len(token) > maxAssertion || len(message.Signatures()) != 1 {
		return c, "", false
	}
	header := message.Signatures()[0].ProtectedHeaders()
	alg, _ := header.Algorithm()
	kid, _ = header.KeyID()
	kind, _ := header.Type()
	key, good := s.keys.Load().find(kid, s.cfg.Now())
	if alg != jwa.ES256() || !good || kind != accessType {
		return c, "", false
	}
	payload, err := jws.Verify([]byte(token), jws.WithKey(jwa.ES256(), key.private.Public()), jws.WithCompact())
	return c, kid, err == nil && json.Unmarshal(payload, &c) == nil
}

// Authenticate returns the caller of a request from its bearer token. A request
// without one gets the same error as one with a bad one; the HTTP layer adds
// Challenge to its 401. https://www.rfc-editor.org/rfc/rfc6750
func (s *Server) Authenticate(r *http.Request) (policy.Caller, error) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return policy.Caller{}, errBadToken
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return policy.Caller{}, errBadToken
	}
	return s.Verify(strings.TrimSpace(token))
}

// Challenge is the WWW-Authenticate header of a 401.
const Challenge = `Bearer realm="fhir", error="invalid_token"`

// claimedClient returns the client id an assertion claims, unverified, for the
// rate limit.
func claimedClient(assertion string) string {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || len(assertion) > maxAssertion {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var c claims
	if json.Unmarshal(payload, &c) != nil {
		return ""
	}
	return c.Issuer
}
