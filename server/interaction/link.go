package interaction

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// CursorParam is the query parameter of paging links.
const CursorParam = "_cursor"

// cursor is what a paging link stands for. The link carries it encrypted, so
// that nothing of a query sent by POST shows in it.
type cursor struct {
	Kind  string `json:"k"` // "s" search, "h" history
	Type  string `json:"t,omitempty"`
	ID    string `json:"i,omitempty"`
	Group string `json:"g,omitempty"` // compartment "Patient/1"
	Query string `json:"q,omitempty"`
	start
	AsOf  uint64 `json:"v,omitempty"`
	Total int64  `json:"n"`
	// Back is where earlier pages start, the one before this page last.
	Back []start `json:"b,omitempty"`

	Everything bool   `json:"e,omitempty"`
	Asked      string `json:"f,omitempty"`

	Expires int64 `json:"x"` // Unix seconds
}

// start is where a page starts; the zero value is the first page.
type start struct {
	After string `json:"a,omitempty"`
	Rest  int    `json:"r,omitempty"` // see searching.complete
}

// maxBack bounds the bytes of the positions of earlier pages in a link. With the
// usual order that is some forty pages; a link called previous ends there.
const maxBack = 1200

// behind is Back of the page after the one that the cursor stands for.
func (c *cursor) behind() []start {
	all := append(slices.Clip(c.Back), c.start)
	size := 0
	for i := len(all) - 1; i >= 0; i-- {
		if size += len(all[i].After); size > maxBack {
			return all[i+1:]
		}
	}
	return all
}

// linkSealer encrypts cursors with AES-256-GCM, the caller bound in as
// additional data. The nonce is an HMAC of the content, so that sealing needs
// no randomness and equal content gives equal links.
type linkSealer struct {
	aead     cipher.AEAD
	nonceKey []byte
}

func newLinkSealer(key []byte) (*linkSealer, error) {
	if len(key) < 32 {
		return nil, errors.New("interaction: Key needs 32 bytes")
	}
	block, err := aes.NewCipher(derive(key, "paging link encryption"))
	if err != nil {
		return nil, fmt.Errorf("paging links: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("paging links: %w", err)
	}
	return &linkSealer{aead: aead, nonceKey: derive(key, "paging link nonce")}, nil
}

func derive(key []byte, use string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(use))
	return h.Sum(nil)
}

// seal returns the text of a cursor for a caller.
func (l *linkSealer) seal(cur cursor, caller policy.Caller) (string, error) {
	plain, err := json.Marshal(cur)
	if err != nil {
		return "", fmt.Errorf("paging link: %w", err)
	}
	bound := binding(caller)
	h := hmac.New(sha256.New, l.nonceKey)
	h.Write(bound)
	h.Write(plain)
	nonce := h.Sum(nil)[:l.aead.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(l.aead.Seal(nonce, nonce, plain, bound)), nil
}

// open reads a cursor; one that was changed, or made for somebody else, is
// refused like any other nonsense.
func (l *linkSealer) open(text string, caller policy.Caller, now time.Time) (cursor, error) {
	var cur cursor
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	n := l.aead.NonceSize()
	if err != nil || len(sealed) < n {
		return cur, badLink()
	}
	plain, err := l.aead.Open(nil, sealed[:n], sealed[n:], binding(caller))
	if err != nil || json.Unmarshal(plain, &cur) != nil {
		return cur, badLink()
	}
	if now.Unix() > cur.Expires {
		return cur, Refuse(Gone, fhir.Expired, "page-expired", fhir.Messagef(
			"this page is no longer available; search again", "このページは有効期限が切れました。検索をやり直してください"))
	}
	return cur, nil
}

func badLink() *Refusal {
	return Refuse(BadRequest, fhir.Invalid, "page-invalid", fhir.Messagef(
		"this is not a paging link given to this client", "このページ送りリンクは無効です"))
}

// binding is what a link is bound to.
func binding(c policy.Caller) []byte {
	var b []byte
	for _, s := range [...]string{c.Client, string(c.Kind), c.Organization, c.Patient, string(c.Acting), c.Purpose, strconv.FormatBool(c.Unrestricted)} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}
