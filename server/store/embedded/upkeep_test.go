package embedded_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

func versions(t *testing.T, e *embedded.Engine) []store.Version {
	t.Helper()
	var out []store.Version
	for v, err := range e.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v)
	}
	return out
}

// TestBackup restores a whole and an incremental backup and wants the same
// store: versions, numbers, times, labels and index.
func TestBackup(t *testing.T) {
	now := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	opts := embedded.Options{Terms: storetest.Terms{}, KeepSnapshots: time.Minute, Now: func() time.Time { return now }}
	e := openMemory(t, opts)
	defer e.Close()
	fillNotes(t, e)
	now = now.Add(time.Hour)
	if err := e.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	fillNotes(t, e)
	var whole, more, none bytes.Buffer
	upTo, err := e.Backup(t.Context(), &whole, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	fillNotes(t, e)
	mustApply(t, e, note(store.Delete, "x1", ""))
	second, err := e.Backup(t.Context(), &more, upTo, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Backup(t.Context(), &none, second, nil); err != nil {
		t.Fatal(err)
	}

	copied := openMemory(t, opts)
	defer copied.Close()
	if err := copied.Restore(t.Context(), bytes.NewReader(more.Bytes())); err == nil {
		t.Error("an incremental backup was restored into an empty store")
	}
	for _, part := range [][]byte{whole.Bytes(), more.Bytes(), whole.Bytes(), none.Bytes()} {
		if err := copied.Restore(t.Context(), bytes.NewReader(part)); err != nil {
			t.Fatal(err)
		}
		wantClean(t, copied)
	}
	if diff := cmp.Diff(versions(t, e), versions(t, copied)); diff != "" {
		t.Errorf("(-original +copy):\n%s", diff)
	}
	a, _ := e.Status(t.Context())
	b, err := copied.Status(t.Context())
	if a.Origin == b.Origin || a.Origin == "" {
		t.Errorf("origin %q, of the copy %q", a.Origin, b.Origin)
	}
	b.Origin = a.Origin
	if err != nil || a != b {
		t.Errorf("status %+v, %v, want %+v", b, err, a)
	}
	q := search.Query{Must: search.Must{Unrestricted: true}, Count: 100, Where: []search.Clause{raw("code", "t19")}}
	p, err := copied.Search(t.Context(), q)
	if err != nil || len(p.Versions) != 1 || p.Versions[0].ID != "5" {
		t.Errorf("search in the copy: %d, %v", len(p.Versions), err)
	}
	if r := mustApply(t, copied, note(store.Update, "x1", "again")); r.Seq != a.Seq+1 {
		t.Errorf("the copy goes on at %d, after %d", r.Seq, a.Seq)
	}
}

// TestBackupDamaged cuts and changes a backup: restoring fails, and what it
// restored before is whole.
func TestBackupDamaged(t *testing.T) {
	opts := embedded.Options{Terms: storetest.Terms{}}
	e := openMemory(t, opts)
	defer e.Close()
	fillNotes(t, e)
	var b bytes.Buffer
	if _, err := e.Backup(t.Context(), &b, 0, nil); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < b.Len(); i += 7 {
		for what, r := range map[string]io.Reader{
			"cut":     bytes.NewReader(b.Bytes()[:i]),
			"changed": bytes.NewReader(append(append(bytes.Clone(b.Bytes()[:i]), b.Bytes()[i]^0x10), b.Bytes()[i+1:]...)),
		} {
			copied := openMemory(t, opts)
			err := copied.Restore(t.Context(), r)
			if err == nil {
				// A byte zstd does not use: then nothing may be missing.
				if diff := cmp.Diff(versions(t, e), versions(t, copied)); diff != "" {
					t.Errorf("%s at %d: no error and (-original +copy):\n%s", what, i, diff)
				}
			}
			wantClean(t, copied)
			_ = copied.Close()
		}
	}
}

func TestPurge(t *testing.T) {
	mem := vfs.NewMem()
	e, err := embedded.Open("store", embedded.Options{FS: mem, Terms: storetest.Terms{}})
	if err != nil {
		t.Fatal(err)
	}
	const secret = "highly-personal"
	key := func(id string) store.Key { return store.Key{Type: "Basic", ID: id} }
	for i := range 5 {
		mustApply(t, e, note(store.Update, "1", fmt.Sprint(secret, i)), note(store.Update, "2", fmt.Sprint("kept", i)))
	}
	mustApply(t, e, note(store.Update, "3", secret))
	mustApply(t, e, note(store.Delete, "3", ""))
	q := search.Query{Must: search.Must{Unrestricted: true}, Count: 1}
	page, err := e.Search(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(filesWith(t, mem, secret)) == 0 {
		t.Fatal("the content to erase is not to be found in the files")
	}
	if n, err := e.Purge(t.Context(), false, key("2"), key("9")); n != 4 || err != nil {
		t.Errorf("purged %d old versions, %v", n, err)
	}
	if n, err := e.Purge(t.Context(), true, key("1"), key("3")); n != 7 || err != nil {
		t.Errorf("purged %d versions, %v", n, err)
	}
	if n, err := e.Purge(t.Context(), true, key("1")); n != 0 || err != nil {
		t.Errorf("purged %d versions again, %v", n, err)
	}
	if r := wantClean(t, e); r.Resources != 1 || r.Versions != 1 {
		t.Errorf("left: %+v", r)
	}
	for _, id := range []string{"1", "3"} {
		if _, err := e.Read(t.Context(), key(id)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if v, err := e.Read(t.Context(), key("2")); err != nil || v.Version != 5 {
		t.Errorf("the current version: %d, %v", v.Version, err)
	}
	q.After, q.AsOf = page.Next, page.AsOf
	if _, err := e.Search(t.Context(), q); !errors.Is(err, store.ErrExpired) {
		t.Errorf("a page of before: %v", err)
	}
	if err := e.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	where := filesWith(t, mem, secret)
	for range 50 { // Pebble removes files it has replaced in the background
		if len(where) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
		where = filesWith(t, mem, secret)
	}
	if len(where) > 0 {
		t.Errorf("%v still hold erased content", where)
	}
	if r := mustApply(t, e, note(store.Update, "1", "new")); r.Versions[0].Version != 1 {
		t.Errorf("a new resource begins at version %d", r.Versions[0].Version)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = embedded.Open("store", embedded.Options{FS: mem, Terms: storetest.Terms{}}); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	wantClean(t, e)
}

func filesWith(t *testing.T, fs vfs.FS, text string) []string {
	t.Helper()
	var out []string
	for name, data := range files(t, fs) {
		if bytes.Contains(data, []byte(text)) {
			out = append(out, name)
		}
	}
	return out
}

func files(t *testing.T, fs vfs.FS) map[string][]byte {
	t.Helper()
	names, err := fs.List("store")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, name := range names {
		f, err := fs.Open(fs.PathJoin("store", name))
		if err != nil {
			continue
		}
		if out[name], err = io.ReadAll(f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	return out
}

// TestBackupAfterErasure: an incremental backup must not go on after one that
// still holds what was erased since, nor after one of another store.
func TestBackupAfterErasure(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	fillNotes(t, e)
	backup := func(since uint64) (uint64, error) {
		upTo, err := e.Backup(t.Context(), io.Discard, since, nil)
		if follows := e.Follows(t.Context(), since); !errors.Is(err, follows) {
			t.Errorf("after %d: %v, Follows says %v", since, err, follows)
		}
		return upTo, err
	}
	before, err := backup(0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup(before + 1); !errors.Is(err, embedded.ErrAhead) {
		t.Errorf("ahead of the store: %v", err)
	}
	if _, err := backup(before); err != nil {
		t.Error(err)
	}
	if n, err := e.Purge(t.Context(), true, store.Key{Type: "Basic", ID: "x1"}); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if _, err := backup(before); !errors.Is(err, embedded.ErrErased) {
		t.Errorf("after an erasure: %v", err)
	}
	after, err := backup(0)
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, e, note(store.Update, "x2", "more"))
	if _, err := backup(after); err != nil {
		t.Errorf("after a whole backup: %v", err)
	}
}

// TestEraseAtVersion: a resource that was written meanwhile stays, one named
// twice is erased once.
func TestEraseAtVersion(t *testing.T) {
	e := openMemory(t, embedded.Options{Terms: storetest.Terms{}})
	defer e.Close()
	key := func(id string) store.Key { return store.Key{Type: "Basic", ID: id} }
	for i := range 3 {
		mustApply(t, e, note(store.Update, "1", fmt.Sprint(i)), note(store.Update, "2", fmt.Sprint(i)))
	}
	counts, err := e.Erase(t.Context(), true, []store.Erasing{{Key: key("1"), Version: 2}, {Key: key("2"), Version: 3}, {Key: key("2")}, {Key: key("3"), Version: 1}})
	if diff := cmp.Diff([]int{0, 3, 0, 0}, counts); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if v, err := e.Read(t.Context(), key("1")); err != nil || v.Version != 3 {
		t.Errorf("what was written meanwhile: version %d, %v", v.Version, err)
	}
	if r := wantClean(t, e); r.Resources != 1 || r.Versions != 3 {
		t.Errorf("left: %+v", r)
	}
}

// TestOldFormatReadOnly: who may not write is told so, and the store stays as
// it is until somebody may.
func TestOldFormatReadOnly(t *testing.T) {
	opts := embedded.Options{Terms: storetest.Terms{}, FS: vfs.NewMem()}
	open := func(readOnly bool) (*embedded.Engine, error) {
		opts.ReadOnly = readOnly
		return embedded.Open("s", opts)
	}
	e, err := open(false)
	if err != nil {
		t.Fatal(err)
	}
	fillPersons(t, e)
	e.MakeOlder(1)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(true); !errors.Is(err, embedded.ErrOldFormat) {
		t.Errorf("read only: %v", err)
	}
	if e, err = open(false); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = open(true); err != nil {
		t.Fatalf("after it was brought up: %v", err)
	}
	defer e.Close()
	if r, err := e.Check(t.Context(), nil); err != nil || !r.Clean() {
		t.Errorf("%+v, %v", r, err)
	}
}
