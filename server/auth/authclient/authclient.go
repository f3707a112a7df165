// Package authclient is the other side of package auth: it makes keys, signs
// client assertions and fetches access tokens, as the software of an
// organisation would. https://hl7.org/fhir/smart-app-launch/backend-services.html
package authclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// Key is a client's private key.
type Key struct {
	private jwk.Key
	alg     jwa.SignatureAlgorithm
	kid     string
}

// NewKey makes a key: ES384, or RS384 with 2048 bits.
func NewKey(algorithm, kid string) (*Key, error) {
	var raw any
	var err error
	switch algorithm {
	case "ES384":
		raw, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "RS384":
		raw, err = rsa.GenerateKey(rand.Reader, 2048)
	default:
		return nil, fmt.Errorf("authclient: %q is neither ES384 nor RS384", algorithm)
	}
	if err != nil {
		return nil, fmt.Errorf("authclient: %w", err)
	}
	private, err := jwk.Import(raw)
	if err != nil {
		return nil, fmt.Errorf("authclient: %w", err)
	}
	if err := errors.Join(private.Set(jwk.KeyIDKey, kid), private.Set(jwk.AlgorithmKey, algorithm)); err != nil {
		return nil, fmt.Errorf("authclient: %w", err)
	}
	return keyOf(private)
}

// ParseKey reads what MarshalJSON wrote.
func ParseKey(data []byte) (*Key, error) {
	private, err := jwk.ParseKey(data)
	if err != nil {
		return nil, errors.New("authclient: the key cannot be read") // the cause could quote it
	}
	return keyOf(private)
}

func keyOf(private jwk.Key) (*Key, error) {
	name, _ := private.Algorithm()
	kid, _ := private.KeyID()
	alg, ok := jwa.LookupSignatureAlgorithm(fmt.Sprint(name))
	secret, err := jwk.IsPrivateKey(private)
	if !ok || kid == "" || err != nil || !secret {
		return nil, errors.New("authclient: a key has alg, kid and a private part")
	}
	return &Key{private, alg, kid}, nil
}

// MarshalJSON writes the private key as a JWK. Keep it secret.
func (k *Key) MarshalJSON() ([]byte, error) { return json.Marshal(k.private) }

// Public returns the key set to register with the server.
func (k *Key) Public() (jwk.Set, error) {
	public, err := jwk.PublicKeyOf(k.private)
	if err != nil {
		return nil, fmt.Errorf("authclient: %w", err)
	}
	set := jwk.NewSet()
	return set, set.AddKey(public)
}

// Sign returns the claims as a JWT signed by the key.
func (k *Key) Sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("authclient: %w", err)
	}
	header := jws.NewHeaders()
	if err := errors.Join(header.Set(jws.TypeKey, "JWT"), header.Set(jws.KeyIDKey, k.kid)); err != nil {
		return "", fmt.Errorf("authclient: %w", err)
	}
	token, err := jws.Sign(payload, jws.WithKey(k.alg, k.private, jws.WithProtectedHeaders(header)))
	if err != nil {
		return "", fmt.Errorf("authclient: %w", err)
	}
	return string(token), nil
}

// Assertion returns a client assertion for the token endpoint, good for four
// minutes and for one use.
func (k *Key) Assertion(clientID, tokenURL string, now time.Time) (string, error) {
	return k.Sign(map[string]any{"iss": clientID, "sub": clientID, "aud": tokenURL,
		"iat": now.Unix(), "exp": now.Add(4 * time.Minute).Unix(), "jti": rand.Text()})
}

// Client fetches tokens for one registered client.
type Client struct {
	ID       string
	Key      *Key
	TokenURL string
	HTTP     *http.Client // nil: http.DefaultClient
}

// Token is the answer of the token endpoint.
type Token struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	Scope       string `json:"scope"`      // as granted
}

// Fetch asks for a token with the scopes, at the time now.
func (c *Client) Fetch(ctx context.Context, scope string, now time.Time) (Token, error) {
	assertion, err := c.Key.Assertion(c.ID, c.TokenURL, now)
	if err != nil {
		return Token{}, err
	}
	form := Form(assertion, scope)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.TokenURL, strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, fmt.Errorf("authclient: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return Token{}, fmt.Errorf("authclient: %w", err)
	}
	defer resp.Body.Close()
	return readToken(resp)
}

// Form returns the form of a token request.
func Form(assertion, scope string) url.Values {
	return url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion":      {assertion},
		"scope":                 {scope},
	}
}

func readToken(resp *http.Response) (Token, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return Token{}, fmt.Errorf("authclient: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var problem struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(body, &problem) // the status tells enough where it is no JSON
		return Token{}, fmt.Errorf("authclient: %s: %s %s", resp.Status, problem.Error, problem.Description)
	}
	var t Token
	if err := json.Unmarshal(body, &t); err != nil || t.AccessToken == "" {
		return Token{}, errors.New("authclient: the answer holds no token")
	}
	return t, nil
}
