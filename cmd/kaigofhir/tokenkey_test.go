package main

import (
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// TestRotateTokenKey gives a running server new keys for its tokens.
func TestRotateTokenKey(t *testing.T) {
	f := startFlow(t)
	data := filepath.Join(t.TempDir(), "data")
	wantFailure(t, "no such file", "rotate-token-key", "--data", data)
	f.process.kill()
	f.serve(t, data)
	old, err := f.world.Token(t.Context(), "operator")
	if err != nil {
		t.Fatal(err)
	}
	works := func() bool {
		status, _, _ := f.process.send("GET", "Organization?_summary=count", "", "Authorization", "Bearer "+old)
		return status == http.StatusOK
	}
	if !works() || keysServed(t, f.process.ready.URL) != 1 {
		t.Fatal("before: one key, and its token works")
	}
	mustRun(t, "rotate-token-key", "--data", data)
	waitFor(t, "two keys", func() bool { return keysServed(t, f.process.ready.URL) == 2 })
	if !works() {
		t.Error("the old token is refused")
	}
	mustRun(t, "rotate-token-key", "--data", data, "--drop-old")
	waitFor(t, "the old token refused", func() bool { return !works() })
	if n := keysServed(t, f.process.ready.URL); n != 1 {
		t.Errorf("%d keys after dropping the old", n)
	}
	if err := f.process.stop(); err != nil {
		t.Fatalf("%v\n%s", err, f.process.stderr)
	}
}

// keysServed counts the keys that the server's configuration leads to.
func keysServed(t *testing.T, base string) int {
	t.Helper()
	get := func(url string) []byte {
		res, err := http.Get(url) //nolint:noctx // a test
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		data, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d, %v", url, res.StatusCode, err)
		}
		return data
	}
	var configuration struct {
		KeySet string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(get(base+"/.well-known/smart-configuration"), &configuration); err != nil || !strings.HasPrefix(configuration.KeySet, "http") {
		t.Fatal(configuration, err)
	}
	set, err := jwk.Parse(get(configuration.KeySet))
	if err != nil {
		t.Fatal(err)
	}
	return set.Len()
}

func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 100 {
		if is() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}
