package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// KeyStore keeps the server's private signing key between runs.
type KeyStore interface {
	// Load returns what Save was given, or an error that is fs.ErrNotExist.
	Load() ([]byte, error)
	// Save keeps the key, readable by nobody else.
	Save(key []byte) error
}

// KeyFile is a KeyStore in one file with mode 0600.
type KeyFile string

// Load reads the file.
func (f KeyFile) Load() ([]byte, error) { return os.ReadFile(string(f)) }

// Save writes the file whole or not at all.
func (f KeyFile) Save(key []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(string(f)), ".key-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone already where the rename succeeded
	if _, err = tmp.Write(key); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), string(f))
}

// MemoryKey is a KeyStore for tests and servers without a data folder; tokens
// die with it.
type MemoryKey struct{ der []byte }

// Load returns the key saved.
func (m *MemoryKey) Load() ([]byte, error) {
	if m.der == nil {
		return nil, fs.ErrNotExist
	}
	return m.der, nil
}

// Save keeps the key in memory.
func (m *MemoryKey) Save(key []byte) error { m.der = key; return nil }

// signer holds the key that signs access tokens: ES256.
type signer struct {
	private *ecdsa.PrivateKey
	kid     string
}

func loadSigner(keys KeyStore) (*signer, error) {
	der, err := keys.Load()
	if errors.Is(err, fs.ErrNotExist) {
		der, err = newSigningKey(keys)
	}
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("auth: the signing key cannot be read") // the cause could quote it
	}
	private, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || private.Curve != elliptic.P256() {
		return nil, errors.New("auth: the signing key is not a P-256 key")
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return nil, fmt.Errorf("auth: signing key: %w", err)
	}
	sum := sha256.Sum256(public)
	return &signer{private, base64.RawURLEncoding.EncodeToString(sum[:12])}, nil
}

func newSigningKey(keys KeyStore) ([]byte, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return nil, err
	}
	return der, keys.Save(der)
}

const minRSABits = 2048

// algorithm returns the one algorithm a client's key is used with: RS384 for
// RSA, ES384 for P-384. The header of a JWT never chooses.
func algorithm(key jwk.Key) (jwa.SignatureAlgorithm, error) {
	var raw any
	if err := jwk.Export(key, &raw); err != nil {
		return jwa.EmptySignatureAlgorithm(), errors.New("the key cannot be read")
	}
	switch k := raw.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSABits {
			return jwa.RS384(), nil
		}
		return jwa.EmptySignatureAlgorithm(), fmt.Errorf("RSA keys have %d bits at least", minRSABits)
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P384() {
			return jwa.ES384(), nil
		}
	}
	return jwa.EmptySignatureAlgorithm(), errors.New("keys are RSA (RS384) or P-384 (ES384)")
}
