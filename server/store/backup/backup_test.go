package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store/backup"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// source is a store whose backup says what it is told, or fails.
type source struct {
	text string
	err  error
}

func (s source) Backup(_ context.Context, w io.Writer, _ uint64, _ func(done, of uint64)) (uint64, error) {
	_, err := io.WriteString(w, s.text)
	return 7, errors.Join(err, s.err)
}

func (s source) Follows(context.Context, uint64) error { return nil }

func folder(t *testing.T, dir string, master sealedfs.MasterKey) *backup.Folder {
	t.Helper()
	f, err := backup.Open(dir, master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func names(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return strings.Join(list, " ")
}

func read(t *testing.T, f *backup.Folder, name string) string {
	t.Helper()
	var text []byte
	err := f.Read(t.Context(), name, func(r io.Reader) (err error) {
		text, err = io.ReadAll(r)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestWhole: a file is there as a whole or not at all, and none is replaced.
func TestWhole(t *testing.T) {
	dir := t.TempDir()
	f := folder(t, dir, nil)
	if err := os.WriteFile(filepath.Join(dir, "a.tmp"), []byte("left by a crash"), 0o600); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	if _, err := f.Write(t.Context(), source{"half", broken}, "a", 0, nil); !errors.Is(err, broken) || names(t, dir) != "" {
		t.Errorf("a backup that breaks: %v, left %q", err, names(t, dir))
	}
	if r, err := f.Write(t.Context(), source{"one", nil}, "a", 3, nil); err != nil || r != (backup.Report{File: "a", Since: 3, UpTo: 7}) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := f.Write(t.Context(), source{"two", nil}, "a", 0, nil); !errors.Is(err, backup.ErrExists) || read(t, f, "a") != "one" {
		t.Errorf("over another: %v, %q", err, read(t, f, "a"))
	}
	if info, err := os.Stat(filepath.Join(dir, "a")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestStaysInside: neither dots nor links lead out of the folder.
func TestStaysInside(t *testing.T) {
	outside, dir := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"away": outside, "file": secret, "new.tmp": filepath.Join(outside, "new")} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	f := folder(t, dir, nil)
	for _, name := range []string{"../x", "away/x", secret + "2", "x/../../x"} {
		if _, err := f.Write(t.Context(), source{"x", nil}, name, 0, nil); err == nil {
			t.Errorf("wrote %s", name)
		}
	}
	if _, err := f.Write(t.Context(), source{"x", nil}, "file", 0, nil); !errors.Is(err, backup.ErrExists) {
		t.Errorf("over a link: %v", err)
	}
	if _, err := f.Write(t.Context(), source{"x", nil}, "new", 0, nil); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"file", "away/secret", "../" + filepath.Base(outside) + "/secret"} {
		if err := f.Read(t.Context(), name, func(io.Reader) error { return nil }); err == nil {
			t.Errorf("read %s", name)
		}
	}
	if got := names(t, outside); got != "secret" {
		t.Errorf("outside lie %q", got)
	}
}

func TestUsable(t *testing.T) {
	for name, want := range map[string]bool{
		"full": true, "2026-04-01_full.1": true, "a": true, strings.Repeat("a", 100): true,
		"": false, ".": false, "..": false, "../a": false, "a/b": false, `a\b`: false, "/a": false, ".a": false, "-a": false,
		"a.tmp": false, "a b": false, "全": false, "a\x00": false, strings.Repeat("a", 101): false,
	} {
		if backup.Usable(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

// TestSealed: under a key the file tells nothing, and opens with its key only.
func TestSealed(t *testing.T) {
	dir := t.TempDir()
	one, err := sealedfs.NewLocalKey(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	two, err := sealedfs.NewLocalKey(bytes.Repeat([]byte{2}, 32))
	if err != nil {
		t.Fatal(err)
	}
	f := folder(t, dir, one)
	if _, err := f.Write(t.Context(), source{"personal", nil}, "a", 0, nil); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "a"))
	if err != nil || bytes.Contains(raw, []byte("personal")) || read(t, f, "a") != "personal" {
		t.Errorf("%v: %q", err, raw)
	}
	if _, err := folder(t, dir, nil).Range(t.Context(), "a"); !errors.Is(err, backup.ErrEncrypted) {
		t.Errorf("without a key: %v", err)
	}
	if _, err := folder(t, dir, two).Range(t.Context(), "a"); err == nil {
		t.Error("it opens with another key")
	}
}

// TestRange: what is read of a backup is what was told when it was written.
func TestRange(t *testing.T) {
	e, err := embedded.OpenMemory(embedded.Options{Terms: storetest.Terms{}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	f := folder(t, t.TempDir(), nil)
	r, err := f.Write(t.Context(), e, "full", 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Range(t.Context(), "full"); err != nil || got != r {
		t.Errorf("%+v, %v, want %+v", got, err, r)
	}
}
