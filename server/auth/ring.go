package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// signer is a key that signs access tokens: ES256.
type signer struct {
	private *ecdsa.PrivateKey
	kid     string
	made    time.Time // zero for a key of before keys were changed
}

// ring are the signing keys, newest first. The newest signs; one before it is
// good for checking until the tokens it signed have expired. It is immutable.
type ring []*signer

// maxLife is the longest an access token lives.
const maxLife = 15 * time.Minute

// handover is how long a key may go on signing after the next one was made,
// because a running server has not seen it yet.
const handover = time.Minute

// at returns the keys that may be accepted.
func (r ring) at(now time.Time) ring {
	for i := 1; i < len(r); i++ {
		if now.After(r[i-1].made.Add(maxLife + handover)) {
			return r[:i]
		}
	}
	return r
}

// find returns the key of an id, if it may be accepted.
func (r ring) find(kid string, now time.Time) (*signer, bool) {
	for _, s := range r.at(now) {
		if s.kid == kid {
			return s, true
		}
	}
	return nil, false
}

// The keys are kept as PEM, newest first, each with the time it was made. The
// DER of one key is what was kept before keys could be changed.
const (
	keyBlock   = "PRIVATE KEY"
	madeHeader = "Made"
)

var errUnreadable = errors.New("auth: the signing keys cannot be read") // the cause could quote them

// loadRing reads the keys, or makes the first.
func loadRing(keys KeyStore, now time.Time) (ring, error) {
	data, err := keys.Load()
	if errors.Is(err, fs.ErrNotExist) {
		first, err := newSigner(now)
		if err != nil {
			return nil, err
		}
		return ring{first}, saveRing(keys, ring{first})
	}
	if err != nil {
		return nil, fmt.Errorf("auth: signing keys: %w", err)
	}
	return parseRing(data)
}

func parseRing(data []byte) (ring, error) {
	if s, err := parseSigner(data, time.Time{}); err == nil {
		return ring{s}, nil
	}
	var r ring
	for len(data) > 0 {
		block, rest := pem.Decode(data)
		if block == nil || block.Type != keyBlock {
			return nil, errUnreadable
		}
		made, err := time.Parse(time.RFC3339Nano, block.Headers[madeHeader])
		if err != nil {
			return nil, errUnreadable
		}
		s, err := parseSigner(block.Bytes, made)
		if err != nil {
			return nil, err
		}
		r, data = append(r, s), rest
	}
	if len(r) == 0 {
		return nil, errUnreadable
	}
	return r, nil
}

func parseSigner(der []byte, made time.Time) (*signer, error) {
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errUnreadable
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("auth: a signing key is not a P-256 key")
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	sum := sha256.Sum256(public)
	return &signer{private, base64.RawURLEncoding.EncodeToString(sum[:12]), made}, nil
}

func newSigner(now time.Time) (*signer, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	return parseSigner(der, now)
}

func saveRing(keys KeyStore, r ring) error {
	var data []byte
	for _, s := range r {
		der, err := x509.MarshalPKCS8PrivateKey(s.private)
		if err != nil {
			return fmt.Errorf("auth: signing key: %w", err)
		}
		headers := map[string]string{madeHeader: s.made.UTC().Format(time.RFC3339Nano)}
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: keyBlock, Headers: headers, Bytes: der})...)
	}
	if err := keys.Save(data); err != nil {
		return fmt.Errorf("auth: signing keys: %w", err)
	}
	return nil
}

// RotateKey makes a key that signs access tokens from now on, and returns its
// id. Keys before it are kept as long as tokens they signed may be in use, or,
// with dropOld, not at all. A server that runs takes it up with ReloadKeys.
func RotateKey(keys KeyStore, now time.Time, dropOld bool) (kid string, err error) {
	old, err := loadRing(keys, now)
	if err != nil {
		return "", err
	}
	next, err := newSigner(now)
	if err != nil {
		return "", err
	}
	r := ring{next}
	if !dropOld {
		r = append(r, old...).at(now)
	}
	return next.kid, saveRing(keys, r)
}

// ReloadKeys takes up the signing keys as they are kept now. Tokens of keys that
// are gone are refused from then on.
func (s *Server) ReloadKeys() error {
	data, err := s.cfg.Keys.Load()
	if err != nil {
		return fmt.Errorf("auth: signing keys: %w", err)
	}
	r, err := parseRing(data)
	if err != nil {
		return err
	}
	s.keys.Store(&r)
	return nil
}

// KeySet serves the public keys by which access tokens can be checked, newest
// first. It needs no token. https://www.rfc-editor.org/rfc/rfc7517
func (s *Server) KeySet(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		writeProblem(w, &Problem{Status: http.StatusMethodNotAllowed, Code: "invalid_request", Description: "use GET"})
		return
	}
	set := jwk.NewSet()
	for _, key := range s.keys.Load().at(s.cfg.Now()) {
		public, err := jwk.Import(key.private.Public())
		if err == nil {
			err = errors.Join(public.Set(jwk.KeyIDKey, key.kid), public.Set(jwk.AlgorithmKey, jwa.ES256()),
				public.Set(jwk.KeyUsageKey, "sig"), set.AddKey(public))
		}
		if err != nil {
			s.cfg.Log.ErrorContext(r.Context(), "public key not written", "error", err)
			writeProblem(w, &Problem{Status: http.StatusInternalServerError, Code: "server_error", Description: "internal error"})
			return
		}
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=60")
	_ = json.NewEncoder(w).Encode(set) // the client is gone where it fails
}
