package sealedfs_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

func key(t *testing.T, name string) sealedfs.LocalKey {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	k, err := sealedfs.NewLocalKey(sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func open(t *testing.T, disk vfs.FS, k sealedfs.MasterKey) vfs.FS {
	t.Helper()
	fs, err := sealedfs.Open(t.Context(), disk, "d", k, false)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// put writes data in pieces of random size, synced now and then.
func put(t *testing.T, fs vfs.FS, name string, data []byte, rng *rand.Rand, syncs bool) {
	t.Helper()
	f, err := fs.Create("d/"+name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	for len(data) > 0 {
		n := min(len(data), 1+rng.IntN(1+rng.IntN(20_000)))
		if _, err := f.Write(append([]byte(nil), data[:n]...)); err != nil {
			t.Fatal(err)
		}
		data = data[n:]
		if syncs && rng.IntN(3) == 0 {
			if err := f.Sync(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, fs vfs.FS, name string) ([]byte, error) {
	t.Helper()
	f, err := fs.Open("d/" + name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(f)
}

// disk reads and writes what really lies there.
func raw(t *testing.T, disk vfs.FS, name string) []byte {
	t.Helper()
	data, err := get(t, disk, name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func setRaw(t *testing.T, disk vfs.FS, name string, data []byte) {
	t.Helper()
	f, err := disk.Create("d/"+name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(append([]byte(nil), data...)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func text(n int, rng *rand.Rand) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(rng.IntN(26))
	}
	return b
}

// TestRoundTrip reads back what was written, from begin to end and at random.
func TestRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	disk := vfs.NewMem()
	fs := open(t, disk, key(t, "k"))
	sizes := []int{0, 1, 4095, 4096, 4097, 8191, 8192, 8193}
	for range 60 {
		sizes = append(sizes, rng.IntN(60_000))
	}
	for i, size := range sizes {
		for _, syncs := range []bool{false, true} {
			name := fmt.Sprintf("%d-%v.sst", i, syncs)
			want := text(size, rng)
			put(t, fs, name, want, rng, syncs)
			got, err := get(t, fs, name)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s of %d bytes: %d bytes, %v", name, size, len(got), err)
			}
			if size > 20 && bytes.Contains(raw(t, disk, name), want[:20]) {
				t.Errorf("%s lies in the clear", name)
			}
			f, err := fs.Open("d/" + name)
			if err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err != nil || info.Size() != int64(size) {
				t.Errorf("%s: size %v, %v, want %d", name, info.Size(), err, size)
			}
			if info, err := fs.Stat("d/" + name); err != nil || !syncs && info.Size() != int64(size) {
				t.Errorf("%s: size by name %v, %v, want %d", name, info.Size(), err, size)
			}
			for range 20 {
				from := rng.IntN(size + 1)
				p := make([]byte, rng.IntN(10_000))
				n, err := f.ReadAt(p, int64(from))
				if wantN := min(len(p), size-from); n != wantN || !bytes.Equal(p[:n], want[from:from+n]) || (err == nil) != (n == len(p)) {
					t.Fatalf("%s: %d bytes at %d: %d, %v", name, len(p), from, n, err)
				}
			}
			_ = f.Close()
		}
	}
}

// TestChanged changes one byte of a file: no reader gets other bytes than were
// written, and all are told.
func TestChanged(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	disk := vfs.NewMem()
	fs := open(t, disk, key(t, "k"))
	for _, name := range []string{"1.sst", "2.log", "MANIFEST-3"} {
		want := text(30_000, rng)
		put(t, fs, name, want, rng, name != "1.sst")
		clean := raw(t, disk, name)
		for range 200 {
			broken := bytes.Clone(clean)
			at := rng.IntN(len(broken))
			broken[at] ^= byte(1 + rng.IntN(255))
			setRaw(t, disk, name, broken)
			got, err := get(t, fs, name)
			if err == nil && !bytes.HasPrefix(want, got) {
				t.Fatalf("%s, byte %d changed: other bytes were read", name, at)
			}
			// The end of a log that was never proved to be on disk looks torn.
			if err == nil && (name == "1.sst" || at < len(broken)/3) {
				t.Fatalf("%s, byte %d changed: nobody was told", name, at)
			}
			if err != nil && (!errors.Is(err, sealedfs.ErrDamaged) || !errors.Is(err, pebble.ErrCorruption)) {
				t.Fatalf("%s, byte %d changed: %v", name, at, err)
			}
		}
	}
}

// TestTorn cuts files off anywhere, and fills the end with zeros, as a crash
// does: logs and manifests end before, tables are damaged.
func TestTorn(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	disk := vfs.NewMem()
	fs := open(t, disk, key(t, "k"))
	for _, name := range []string{"1.sst", "2.log", "MANIFEST-3"} {
		want := text(20_000, rng)
		put(t, fs, name, want, rng, name != "1.sst")
		whole := raw(t, disk, name)
		for range 300 {
			cut := 1 + rng.IntN(len(whole)-1)
			torn := bytes.Clone(whole[:cut])
			if rng.IntN(2) == 0 {
				torn = append(torn, make([]byte, rng.IntN(10_000))...)
			}
			setRaw(t, disk, name, torn)
			got, err := get(t, fs, name)
			if !bytes.HasPrefix(want, got) {
				t.Fatalf("%s cut at %d: other bytes were read", name, cut)
			}
			const header, block = 72, 4096
			overheads := len(whole) - len(want)
			if name != "1.sst" && (err != nil && cut > header || len(got) < cut-overheads-block) {
				t.Fatalf("%s cut at %d: %d bytes, %v", name, cut, len(got), err)
			}
		}
	}
}

// TestSwapped puts blocks and files in each other's place.
func TestSwapped(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	disk := vfs.NewMem()
	fs := open(t, disk, key(t, "k"))
	put(t, fs, "1.sst", text(20_000, rng), rng, false)
	put(t, fs, "2.sst", text(20_000, rng), rng, false)
	const header, frame = 72, 4096 + 40
	one, two := raw(t, disk, "1.sst"), raw(t, disk, "2.sst")
	for name, data := range map[string][]byte{
		"a block of another file": append(append(bytes.Clone(one[:header+frame]), two[header+frame:header+2*frame]...), one[header+2*frame:]...),
		"two blocks exchanged":    append(append(append(bytes.Clone(one[:header]), one[header+frame:header+2*frame]...), one[header:header+frame]...), one[header+2*frame:]...),
		"a block left out":        append(bytes.Clone(one[:header]), one[header+frame:]...),
		"the header of another":   append(bytes.Clone(two[:header]), one[header:]...),
		"no header":               one[header:],
	} {
		setRaw(t, disk, "3.sst", data)
		if _, err := get(t, fs, "3.sst"); !errors.Is(err, sealedfs.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeys opens folders with right, wrong and no keys.
func TestKeys(t *testing.T) {
	disk := vfs.NewMem()
	fs := open(t, disk, key(t, "k"))
	rng := rand.New(rand.NewPCG(5, 6))
	put(t, fs, "1.sst", []byte("old"), rng, false)
	try := func(dir string, k sealedfs.MasterKey) error {
		_, err := sealedfs.Open(t.Context(), disk, dir, k, false)
		return err
	}
	if err := try("d", key(t, "other")); !errors.Is(err, sealedfs.ErrWrongKey) {
		t.Errorf("wrong key: %v", err)
	}
	if err := try("d", nil); !errors.Is(err, sealedfs.ErrEncrypted) {
		t.Errorf("no key: %v", err)
	}
	if err := disk.MkdirAll("plain", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := try("plain", nil); err != nil {
		t.Error(err)
	}
	f, err := disk.Create("plain/000001.log", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	_ = f.Close()
	if err := try("plain", key(t, "k")); !errors.Is(err, sealedfs.ErrNotEncrypted) {
		t.Errorf("a key for a plain folder: %v", err)
	}
	if err := sealedfs.ChangeMaster(t.Context(), disk, "d", key(t, "other"), key(t, "new")); !errors.Is(err, sealedfs.ErrWrongKey) {
		t.Errorf("change with the wrong key: %v", err)
	}
	if err := sealedfs.ChangeMaster(t.Context(), disk, "d", key(t, "k"), key(t, "new")); err != nil {
		t.Fatal(err)
	}
	if err := try("d", key(t, "k")); !errors.Is(err, sealedfs.ErrWrongKey) {
		t.Errorf("the old key after the change: %v", err)
	}
	fs = open(t, disk, key(t, "new"))
	put(t, fs, "2.sst", []byte("new"), rng, false)
	for name, want := range map[string]string{"1.sst": "old", "2.sst": "new"} {
		if got, err := get(t, fs, name); err != nil || string(got) != want {
			t.Errorf("%s after the change: %q, %v", name, got, err)
		}
	}
}

func TestSmallFiles(t *testing.T) {
	disk := vfs.NewMem()
	open(t, disk, key(t, "k"))
	keys, err := sealedfs.OpenKeys(t.Context(), disk, "d", key(t, "k"))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal("a", []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := keys.Unseal("a", sealed); err != nil || string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := keys.Unseal("b", sealed); !errors.Is(err, sealedfs.ErrDamaged) {
		t.Errorf("under another name: %v", err)
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 1
		if _, err := keys.Unseal("a", broken); !errors.Is(err, sealedfs.ErrDamaged) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		if _, err := keys.Unseal("a", sealed[:i]); !errors.Is(err, sealedfs.ErrDamaged) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
}

func TestKeyFile(t *testing.T) {
	for _, c := range []struct {
		name, content string
		ok            bool
	}{
		{"hexadecimal", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", true},
		{"base64", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n", true},
		{"short", "0001", false},
		{"empty", "", false},
		{"words", "a pass phrase is no key", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := sealedfs.ReadKeyFile(path); (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
		})
	}
}
