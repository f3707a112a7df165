package auth

import (
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jws"
)

// Bounds of an assertion. https://hl7.org/fhir/smart-app-launch/client-confidential-asymmetric.html
const (
	maxAssertion     = 16 << 10
	maxAssertionLife = 5 * time.Minute
	skew             = 30 * time.Second // clocks of clients that run ahead
	maxJTI           = 256
)

// claims of a JWT. Times are seconds since 1970.
type claims struct {
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  audience `json:"aud,omitempty"`
	Expires   float64  `json:"exp,omitempty"`
	NotBefore float64  `json:"nbf,omitempty"`
	Issued    float64  `json:"iat,omitempty"`
	ID        string   `json:"jti,omitempty"`
	Client    string   `json:"client_id,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	Purpose   string   `json:"purpose_of_use,omitempty"`
}

// audience is a string or a list of them.
type audience []string

// UnmarshalJSON reads both forms.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

func (a audience) is(url string) bool { return len(a) == 1 && a[0] == url }

func seconds(s float64) time.Time { return time.UnixMilli(int64(s * 1000)) }

// badClient is the answer to every assertion that proves nothing, so that it
// tells neither which clients exist nor how near a guess was.
func badClient(reason string) *Problem {
	return &Problem{Status: http.StatusUnauthorized, Code: "invalid_client",
		Description: "the client assertion does not prove the client", reason: reason}
}

// authenticate checks a client assertion and returns whose it is. claimed is
// the client id it gives, for the log, "" where no client has it.
func (s *Server) authenticate(assertion string) (client *Client, claimed string, p *Problem) {
	if len(assertion) > maxAssertion {
		return nil, "", badClient("too long")
	}
	message, err := jws.Parse([]byte(assertion), jws.WithCompact())
	if err != nil || len(message.Signatures()) != 1 {
		return nil, "", badClient("not a compact JWS")
	}
	var c claims
	if err := json.Unmarshal(message.Payload(), &c); err != nil {
		return nil, "", badClient("claims cannot be read")
	}
	client, known := s.cfg.Clients.lookup(c.Issuer)
	if !known {
		return nil, "", badClient("unknown client") // what it calls itself may be anything
	}
	header := message.Signatures()[0].ProtectedHeaders()
	kid, _ := header.KeyID()
	key, ok := client.Keys.LookupKeyID(kid)
	if !ok || kid == "" {
		return nil, c.Issuer, badClient("unknown kid")
	}
	want, err := algorithm(key)
	if err != nil {
		return nil, c.Issuer, badClient("unusable key")
	}
	if got, ok := header.Algorithm(); !ok || got != want {
		return nil, c.Issuer, badClient("algorithm is not the key's")
	}
	if _, err := jws.Verify([]byte(assertion), jws.WithKey(want, key), jws.WithCompact()); err != nil {
		return nil, c.Issuer, badClient("signature is wrong")
	}
	return client, c.Issuer, s.checkClaims(&c)
}

// checkClaims checks what a verified assertion says.
func (s *Server) checkClaims(c *claims) *Problem {
	now := s.cfg.Now()
	expires := seconds(c.Expires)
	switch {
	case c.Subject != c.Issuer:
		return badClient("iss and sub differ")
	case !c.Audience.is(s.cfg.TokenURL):
		return badClient("aud is not the token endpoint")
	case !expires.After(now):
		return badClient("expired")
	case expires.After(now.Add(maxAssertionLife + skew)):
		return badClient("lives longer than five minutes")
	case c.NotBefore != 0 && seconds(c.NotBefore).After(now.Add(skew)), c.Issued != 0 && seconds(c.Issued).After(now.Add(skew)):
		return badClient("not valid yet")
	case c.ID == "" || len(c.ID) > maxJTI:
		return badClient("no usable jti")
	}
	fresh, err := s.seen.first(c.Issuer, c.ID, expires, now)
	if err != nil {
		s.cfg.Log.Error("used assertions are not kept", slog.Any("error", err))
		return &Problem{Status: http.StatusInternalServerError, Code: "server_error", Description: "internal error"}
	}
	if !fresh {
		return badClient("replayed")
	}
	return nil
}

// replays remembers the ids of assertions until they expire, five minutes at
// the longest.
type replays struct {
	used  UsedAssertions // nil: not beyond the life of the process
	mu    sync.Mutex
	until map[UsedID]time.Time
	sweep time.Time
}

func newReplays(used UsedAssertions) (*replays, error) {
	r := &replays{used: used, until: map[UsedID]time.Time{}}
	if used == nil {
		return r, nil
	}
	var err error
	r.until, err = used.Load()
	return r, err
}

// first reports whether an id is seen for the first time, and remembers it. With
// an error it may be remembered, and must not be taken.
func (r *replays) first(client, jti string, until, now time.Time) (bool, error) {
	id := UsedID(sha256.Sum256([]byte(client + "\x00" + jti)))
	fresh, trim := r.note(id, until, now)
	if !fresh || r.used == nil {
		return fresh, nil
	}
	if err := r.used.Keep(id, until); err != nil {
		return false, err
	}
	if trim {
		return true, r.used.Trim(now)
	}
	return true, nil
}

func (r *replays) note(id UsedID, until, now time.Time) (fresh, swept bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.After(r.sweep) {
		for known, end := range r.until {
			if !end.After(now) {
				delete(r.until, known)
			}
		}
		r.sweep, swept = now.Add(time.Minute), true
	}
	if _, seen := r.until[id]; seen {
		return false, swept
	}
	r.until[id] = until
	return true, swept
}
