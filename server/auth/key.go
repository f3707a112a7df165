package auth

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
)

// KeyStore keeps the server's private signing keys between runs.
type KeyStore interface {
	// Load returns what Save was given, or an error that is fs.ErrNotExist.
	Load() ([]byte, error)
	// Save keeps the keys, readable by nobody else.
	Save(key []byte) error
}

// KeyFile is a KeyStore in one file with mode 0600.
type KeyFile string

// Load reads the file.
func (f KeyFile) Load() ([]byte, error) { return os.ReadFile(string(f)) }

// Save writes the file whole or not at all.
func (f KeyFile) Save(key []byte) error {
	file, err := replaceFile(string(f), key)
	if err != nil {
		return err
	}
	return file.Close()
}

// MemoryKey is a KeyStore for tests and servers without a data folder; tokens
// die with it.
type MemoryKey struct{ keys []byte }

// Load returns the keys saved.
func (m *MemoryKey) Load() ([]byte, error) {
	if m.keys == nil {
		return nil, fs.ErrNotExist
	}
	return m.keys, nil
}

// Save keeps the keys in memory.
func (m *MemoryKey) Save(key []byte) error { m.keys = key; return nil }

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
