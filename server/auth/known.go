package auth

import (
	"crypto/sha256"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/server/policy"
)

// maxKnown bounds the remembered access tokens.
const maxKnown = 10_000

// knownToken is an access token whose signature was checked before.
type knownToken struct {
	client          *Client // as registered when it was checked
	kid             string  // of the key that signed it
	scope           string
	scopes          policy.Scopes
	purpose         string
	expires, issued time.Time
}

// knownTokens spares checking the signature of a token at each of its uses.
// Tokens are found by their SHA-256, so that none lies here in clear.
type knownTokens struct {
	mu     sync.RWMutex
	byHash map[[sha256.Size]byte]knownToken
}

func newKnownTokens() *knownTokens {
	return &knownTokens{byHash: map[[sha256.Size]byte]knownToken{}}
}

func (k *knownTokens) find(token string, now time.Time) (knownToken, bool) {
	k.mu.RLock()
	t, ok := k.byHash[sha256.Sum256([]byte(token))]
	k.mu.RUnlock()
	return t, ok && t.expires.After(now)
}

// keep remembers a token. Where there are too many the expired ones go, and if
// that does not help all of them.
func (k *knownTokens) keep(token string, t knownToken, now time.Time) {
	hash := sha256.Sum256([]byte(token))
	k.mu.Lock()
	defer k.mu.Unlock()
	if have, ok := k.byHash[hash]; ok && have.client == t.client {
		return
	}
	if len(k.byHash) >= maxKnown {
		for h, old := range k.byHash {
			if !old.expires.After(now) {
				delete(k.byHash, h)
			}
		}
		if len(k.byHash) >= maxKnown {
			clear(k.byHash)
		}
	}
	k.byHash[hash] = t
}
