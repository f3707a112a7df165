package embedded_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

func masterKey(name string) sealedfs.MasterKey {
	sum := sha256.Sum256([]byte(name))
	k, err := sealedfs.NewLocalKey(sum[:])
	if err != nil {
		panic(err)
	}
	return k
}

func TestKitSealed(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		e, err := embedded.Open(t.TempDir(), embedded.Options{MemTableBytes: 64 << 10, Master: masterKey("k")})
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

// TestKitSealedTinyLimits is TestKitTinyLimits on an encrypted store.
func TestKitSealedTinyLimits(t *testing.T) {
	storetest.RunSynthetic(t, func(t *testing.T) store.Store {
		e, err := embedded.Open(t.TempDir(), embedded.Options{Terms: storetest.Terms{}, MemTableBytes: 64 << 10, Master: masterKey("k")}.Tiny())
		if err != nil {
			t.Fatal(err)
		}
		return e
	})
}

// TestNothingInTheClear looks for a name in every file of a folder: in the log,
// in tables, in what is left after a clean stop. In a store that is not
// encrypted it is found, so that the search itself can fail.
func TestNothingInTheClear(t *testing.T) {
	const name = "介護花子KAIGOHANAKO"
	plainAndSealed(t, func(t *testing.T, sealed bool) {
		dir := t.TempDir()
		e, err := embedded.Open(dir, crashOptions(nil, sealed))
		if err != nil {
			t.Fatal(err)
		}
		look := func(when string) {
			t.Helper()
			if found := diskFilesWith(t, dir, name); (len(found) > 0) == sealed {
				t.Errorf("%s: sealed %v, found in %v", when, sealed, found)
			}
		}
		for i := range 20 {
			mustApply(t, e, note(store.Create, fmt.Sprint(i), name))
		}
		look("in the log")
		if err := e.Compact(t.Context()); err != nil {
			t.Fatal(err)
		}
		look("in tables")
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		look("after a clean stop")
	})
}

// diskFilesWith returns the files below a folder that hold a text.
func diskFilesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			found = append(found, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestMasterKey opens stores with right, wrong and no keys, and changes the
// key.
func TestMasterKey(t *testing.T) {
	dir := t.TempDir()
	open := func(k sealedfs.MasterKey) (*embedded.Engine, error) {
		return embedded.Open(dir, embedded.Options{Terms: storetest.Terms{}, Master: k})
	}
	e, err := open(masterKey("k"))
	if err != nil {
		t.Fatal(err)
	}
	fillNotes(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(nil); !errors.Is(err, sealedfs.ErrEncrypted) {
		t.Errorf("no key: %v", err)
	}
	if _, err := open(masterKey("x")); !errors.Is(err, sealedfs.ErrWrongKey) {
		t.Errorf("wrong key: %v", err)
	}
	if err := sealedfs.ChangeMaster(t.Context(), vfs.Default, dir, masterKey("k"), masterKey("new")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(masterKey("k")); !errors.Is(err, sealedfs.ErrWrongKey) {
		t.Errorf("the old key after the change: %v", err)
	}
	if e, err = open(masterKey("new")); err != nil {
		t.Fatal(err)
	}
	wantClean(t, e)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if e, err = open(nil); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open(masterKey("k")); !errors.Is(err, sealedfs.ErrNotEncrypted) {
		t.Errorf("a key for a store in the clear: %v", err)
	}
}
