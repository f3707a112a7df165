package sealedfs

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
)

// The errors of this package, found with errors.Is.
var (
	ErrWrongKey     = errors.New("the key is not the one the store was encrypted with")
	ErrEncrypted    = errors.New("the store is encrypted: a key is needed")
	ErrNotEncrypted = errors.New("the store is not encrypted: it cannot be opened with a key")
	ErrDamaged      = errors.New("an encrypted file is damaged or was changed")
)

// keyBytes is the length of every key.
const keyBytes = 32

// MasterKey wraps the keys of a folder. It is asked when a store is opened and
// when the master key changes, never in between; a key service (KMS) implements
// it with its own encrypt and decrypt calls.
type MasterKey interface {
	// Wrap encrypts and authenticates a key.
	Wrap(ctx context.Context, key []byte) (wrapped []byte, err error)
	// Unwrap is the reverse; ErrWrongKey where the key was wrapped by another.
	Unwrap(ctx context.Context, wrapped []byte) (key []byte, err error)
}

// LocalKey is a master key at hand.
type LocalKey struct{ aead cipher.AEAD }

// NewLocalKey takes 32 random bytes.
func NewLocalKey(key []byte) (LocalKey, error) {
	if len(key) != keyBytes {
		return LocalKey{}, fmt.Errorf("a master key has %d bytes, not %d", keyBytes, len(key))
	}
	aead, err := newAEAD(key)
	return LocalKey{aead}, err
}

// ReadKeyFile reads a master key from a file that holds 32 random bytes as 64
// hexadecimal digits or in base64, as `openssl rand -hex 32` prints them.
func ReadKeyFile(path string) (LocalKey, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return LocalKey{}, err
	}
	text := strings.TrimSpace(string(data))
	key, err := hex.DecodeString(text)
	if err != nil {
		if key, err = base64.StdEncoding.DecodeString(text); err != nil {
			return LocalKey{}, fmt.Errorf("key file %s: neither 64 hexadecimal digits nor base64", path)
		}
	}
	k, err := NewLocalKey(key)
	if err != nil {
		return LocalKey{}, fmt.Errorf("key file %s: %w", path, err)
	}
	return k, nil
}

// Wrap implements MasterKey.
func (k LocalKey) Wrap(_ context.Context, key []byte) ([]byte, error) {
	return wrap(k.aead, key, []byte(keysMagic))
}

// Unwrap implements MasterKey.
func (k LocalKey) Unwrap(_ context.Context, wrapped []byte) ([]byte, error) {
	key, err := unwrap(k.aead, wrapped, []byte(keysMagic))
	if err != nil {
		return nil, ErrWrongKey
	}
	return key, nil
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// wrap seals under a random nonce, which comes first.
func wrap(aead cipher.AEAD, plain, about []byte) ([]byte, error) {
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return aead.Seal(nonce, nonce, plain, about), nil
}

func unwrap(aead cipher.AEAD, sealed, about []byte) ([]byte, error) {
	n := aead.NonceSize()
	if len(sealed) < n {
		return nil, ErrDamaged
	}
	plain, err := aead.Open(nil, sealed[:n], sealed[n:], about)
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}
