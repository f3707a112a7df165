package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/kaigofhir/kaigofhir/server/auth"
)

// keySet fetches the public keys.
func (b *bench) keySet() jwk.Set {
	b.Helper()
	w := httptest.NewRecorder()
	b.server.KeySet(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/auth/jwks", nil))
	set, err := jwk.Parse(w.Body.Bytes())
	if w.Code != http.StatusOK || err != nil {
		b.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
	for i := range set.Len() {
		key, _ := set.Key(i)
		if private, err := jwk.IsPrivateKey(key); err != nil || private {
			b.Fatal("a private key is told")
		}
	}
	return set
}

// signedBy reports whether a token verifies with the n-th public key alone.
func (b *bench) signedBy(token string, n int) bool {
	b.Helper()
	key, ok := b.keySet().Key(n)
	if !ok {
		return false
	}
	_, err := jws.Verify([]byte(token), jws.WithKey(jwa.ES256(), key))
	return err == nil
}

func (b *bench) accepts(what, token string, want bool) {
	b.Helper()
	if _, err := b.server.Verify(token); (err == nil) != want {
		b.Errorf("%s: %v", what, err)
	}
}

func (b *bench) rotate(keys auth.KeyStore, dropOld bool) {
	b.Helper()
	kid, err := auth.RotateKey(keys, b.now, dropOld)
	if err == nil {
		err = b.server.ReloadKeys()
	}
	if err != nil {
		b.Fatal(err)
	}
	if first, _ := b.keySet().Key(0); first == nil {
		b.Fatal("no key")
	} else if id, _ := first.KeyID(); id != kid {
		b.Errorf("the newest key is %s, want %s", id, kid)
	}
}

// TestRotation: the newest key signs; those before it are accepted as long as
// their tokens may live, remembered tokens and forged ones included.
func TestRotation(t *testing.T) {
	keys := auth.KeyFile(t.TempDir() + "/token.key")
	b := newBench(t, func(c *auth.Config) { c.Keys, c.Life = keys, 15*time.Minute })
	first, unseen := b.token("office-software", everyone), b.token("office-software", everyone)
	b.accepts("the first", first, true)
	b.now = b.now.Add(time.Minute)
	b.rotate(keys, false)
	second := b.token("office-software", everyone)
	if b.keySet().Len() != 2 || !b.signedBy(second, 0) || b.signedBy(second, 1) || !b.signedBy(first, 1) {
		t.Errorf("%d keys; new tokens are signed by the newest, old ones by the other", b.keySet().Len())
	}
	b.accepts("the first, remembered", first, true)
	b.accepts("the first key's, not seen before", unseen, true)
	b.accepts("the second", second, true)

	b.now = b.now.Add(13 * time.Minute)
	b.rotate(keys, false)
	if n := b.keySet().Len(); n != 3 {
		t.Errorf("%d keys, want 3", n)
	}
	b.accepts("the second, after another change", second, true)
	b.now = b.now.Add(4 * time.Minute)
	if n := b.keySet().Len(); n != 2 {
		t.Errorf("%d keys, want 2: no token of the first lives any more", n)
	}

	third := b.token("office-software", everyone)
	b.accepts("the third", third, true)
	b.rotate(keys, true)
	b.accepts("the third, remembered, dropped", third, false)
	if n := b.keySet().Len(); n != 1 {
		t.Errorf("%d keys after dropping the old", n)
	}
	b.accepts("a new one", b.token("office-software", everyone), true)
}

// TestStolenKey: who has an old key cannot forge tokens that outlive it.
func TestStolenKey(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	keys := new(auth.MemoryKey) // as it was kept before keys could be changed
	if err := keys.Save(der); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(c *auth.Config) { c.Keys = keys })
	newest, _ := b.keySet().Key(0)
	kid, _ := newest.KeyID()
	header := jws.NewHeaders()
	if err := header.Set(jws.TypeKey, "at+jwt"); err != nil {
		t.Fatal(err)
	}
	if err := header.Set(jws.KeyIDKey, kid); err != nil {
		t.Fatal(err)
	}
	payload := []byte(`{"iss":"https://care.example","sub":"operator","client_id":"operator","aud":"` + audience + `","exp":4102444800,"iat":1,"scope":"system/*.cruds"}`)
	forged, err := jws.Sign(payload, jws.WithKey(jwa.ES256(), private, jws.WithProtectedHeaders(header)))
	if err != nil {
		t.Fatal(err)
	}
	b.accepts("while the key is in use", string(forged), true) // the test shows nothing otherwise
	b.rotate(keys, false)
	b.accepts("just after the change", string(forged), true)
	b.now = b.now.Add(17 * time.Minute)
	b.accepts("remembered, when the key is old", string(forged), false)
}

// TestBrokenKeys: keys that cannot be read change nothing in a server that runs,
// and keep another from starting.
func TestBrokenKeys(t *testing.T) {
	keys := new(auth.MemoryKey)
	b := newBench(t, func(c *auth.Config) { c.Keys = keys })
	token := b.token("office-software", everyone)
	good, err := keys.Load()
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": {}, "cut": good[:len(good)/2], "more": append(append([]byte{}, good...), "x"...), "other": []byte("x")} {
		if err := keys.Save(data); err != nil {
			t.Fatal(err)
		}
		if err := b.server.ReloadKeys(); err == nil {
			t.Errorf("%s: taken", name)
		}
		if _, err := auth.RotateKey(keys, b.now, true); err == nil {
			t.Errorf("%s: replaced", name)
		}
		b.accepts(name, token, true)
	}
}
