package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/copy"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// TestStoreCopy copies the store of one data folder into another, repeats it,
// and checks the index of the copy.
func TestStoreCopy(t *testing.T) {
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	fillFolder(t, from)
	first := runCopy(t, 0, from, to)
	if first.Versions != 5 || first.Copied != 5 || first.Resources != 5 {
		t.Errorf("first copy %+v", first)
	}
	if again := runCopy(t, 0, from, to); again.Copied != 0 || again.SHA256 != first.SHA256 {
		t.Errorf("second copy %+v, first %+v", again, first)
	}
	if compared := runCopy(t, 0, from, to, "--compare-only"); compared.SHA256 != first.SHA256 {
		t.Errorf("comparison %+v, first %+v", compared, first)
	}
	runCopy(t, 1, filepath.Join(from, "nowhere"), to)
	runCopy(t, 1, from, filepath.Join(to, "nowhere"), "--compare-only")
	checkFolder(t, to)
}

func fillFolder(t *testing.T, folder string) {
	t.Helper()
	e, err := embedded.Open(filepath.Join(folder, "store"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	registry, err := serverRegistry()
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		w := store.Write{Key: store.Key{Type: "Patient", ID: fmt.Sprint(i)}, Method: store.Create}
		w.Stamp = func(version uint64, _ time.Time) ([]byte, [][]byte, error) {
			b := fmt.Appendf(nil, `{"resourceType":"Patient","id":"%d","meta":{"versionId":"%d"},"name":[{"family":"介護"}]}`, i, version)
			keys, err := indexKeys(registry, store.Version{JSON: b})
			return b, keys, err
		}
		if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{w}}); err != nil {
			t.Fatal(err)
		}
	}
}

func checkFolder(t *testing.T, folder string) {
	t.Helper()
	e, err := embedded.Open(filepath.Join(folder, "store"), embedded.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	registry, err := serverRegistry()
	if err != nil {
		t.Fatal(err)
	}
	report, err := e.Check(t.Context(), func(v store.Version) ([][]byte, error) { return indexKeys(registry, v) })
	if err != nil || !report.Clean() || report.Resources != 5 {
		t.Errorf("check of the copy: %+v, %v", report, err)
	}
}

func runCopy(t *testing.T, status int, args ...string) copy.Report {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := &app{ctx: t.Context(), stdout: &stdout, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" }}
	if got := a.main(append([]string{"store", "copy"}, args...)); got != status {
		t.Fatalf("store copy %s: status %d, want %d: %s", strings.Join(args, " "), got, status, &stderr)
	}
	var report copy.Report
	if status == 0 {
		if err := json.Unmarshal(stdout.Bytes(), &report); err != nil {
			t.Fatal(err)
		}
	}
	return report
}

// TestServeRefusesStores checks what serve says before it opens anything.
func TestServeRefusesStores(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a folder", []string{"--store", "/srv/data"}, "--store takes a connection string"},
		{"numbered alone", []string{"--server-number", "1"}, "for servers on one MongoDB"},
		{"no time", []string{"--store", "mongodb://h", "--store-timeout", "0s"}, "must be more than 0"},
		{"no connections", []string{"--store", "mongodb://h", "--store-connections", "0"}, "must be more than 0"},
		{"single writes with access control", []string{"--store", "mongodb://h", "--single-writes"}, "--single-writes works with --open only"},
		{"a broken connection string", []string{"--store", "mongodb://"}, "mongodb:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr bytes.Buffer
			a := &app{ctx: t.Context(), stdout: io.Discard, stderr: &stderr, now: time.Now, getenv: func(string) string { return "" }}
			args := append([]string{"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir()}, c.args...)
			if status := a.main(args); status != 1 || !strings.Contains(stderr.String(), c.want) {
				t.Errorf("status %d: %s", status, &stderr)
			}
		})
	}
}
