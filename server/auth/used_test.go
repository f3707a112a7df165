package auth_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/auth/authclient"
)

// TestReplayAfterRestart: an assertion that was used is refused by the next
// process too, also when the file ends in half a record.
func TestReplayAfterRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "used")
	now := newBench(t).now
	start := func(more ...func(*auth.Config)) *bench {
		used, err := auth.OpenUsedFile(path, now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = used.Close() })
		return newBench(t, append(more, func(c *auth.Config) { c.Used = used })...)
	}
	first := start()
	once := first.sign(first.key, first.claims())
	if status, body := first.post(authclient.Form(once, everyone)); status != http.StatusOK {
		t.Fatalf("%d %v", status, body)
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) == 0 || strings.Contains(string(data), "office") {
		t.Fatalf("%v: %q", err, data)
	}
	if err := os.WriteFile(path, append(data, "torn"...), 0o600); err != nil { // the first is not closed, as after a kill
		t.Fatal(err)
	}
	second := start(func(c *auth.Config) { c.Clients = first.clients })
	refusesClient(t, second, once)
	fresh := first.sign(first.key, first.claims())
	if status, body := second.post(authclient.Form(fresh, everyone)); status != http.StatusOK {
		t.Errorf("another assertion of that client: %d %v", status, body)
	}
	refusesClient(t, start(func(c *auth.Config) { c.Clients = first.clients }), fresh)
}

// brokenUsed cannot keep anything.
type brokenUsed struct{}

func (brokenUsed) Load() (map[auth.UsedID]time.Time, error) { return map[auth.UsedID]time.Time{}, nil }
func (brokenUsed) Keep(auth.UsedID, time.Time) error        { return errors.New("disk full") }
func (brokenUsed) Trim(time.Time) error                     { return nil }

// TestUsedNotKept: without a record of it there is no token.
func TestUsedNotKept(t *testing.T) {
	b := newBench(t, func(c *auth.Config) { c.Used = brokenUsed{} })
	if status, body := b.post(authclient.Form(b.sign(b.key, b.claims()), everyone)); status != http.StatusInternalServerError || body["access_token"] != nil {
		t.Errorf("%d %v", status, body)
	}
}

// TestUsedFile: the file stays small, and holds what matters.
func TestUsedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "used")
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	f, err := auth.OpenUsedFile(path, now)
	if err != nil {
		t.Fatal(err)
	}
	id := func(n int) (id auth.UsedID) { id[0], id[1] = byte(n), byte(n>>8); return id }
	for i := range 1500 {
		until := now.Add(time.Minute)
		if i >= 1490 {
			until = now.Add(time.Hour)
		}
		if err := f.Keep(id(i), until); err != nil {
			t.Fatal(err)
		}
	}
	size := func() int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
		return info.Size()
	}
	full := size()
	if err := f.Trim(now); err != nil || size() != full {
		t.Errorf("trimmed too early: %d of %d, %v", size(), full, err)
	}
	if err := f.Trim(now.Add(2 * time.Minute)); err != nil || size() != full/150 {
		t.Errorf("trimmed to %d of %d, %v", size(), full, err)
	}
	if err := f.Keep(id(2000), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	again, err := auth.OpenUsedFile(path, now.Add(2*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	known, err := again.Load()
	if err != nil || len(known) != 11 || !known[id(1490)].Equal(now.Add(time.Hour)) || known[id(2000)].IsZero() {
		t.Errorf("%d known, %v", len(known), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("%v, %v", left, err)
	}
}
