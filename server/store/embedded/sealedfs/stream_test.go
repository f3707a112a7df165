package sealedfs_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

// TestStream reads streams back whole, changed and under another key.
func TestStream(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for _, size := range []int{0, 1, 4095, 4096, 4097, 20_000} {
		want := text(size, rng)
		var out bytes.Buffer
		w, err := sealedfs.SealTo(t.Context(), &out, key(t, "k"))
		if err != nil {
			t.Fatal(err)
		}
		for rest := want; len(rest) > 0; {
			n := 1 + rng.IntN(min(len(rest), 9000))
			if _, err := w.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		sealed := out.Bytes()
		read := func(b []byte, name string) ([]byte, error) {
			r, err := sealedfs.UnsealFrom(t.Context(), bytes.NewReader(b), key(t, name))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		}
		if got, err := read(sealed, "k"); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes: read %d, %v", size, len(got), err)
		}
		if _, err := read(sealed, "other"); !errors.Is(err, sealedfs.ErrWrongKey) {
			t.Errorf("another key: %v", err)
		}
		for range 200 {
			broken := bytes.Clone(sealed)
			at := rng.IntN(len(broken))
			broken[at] ^= byte(1 + rng.IntN(255))
			if got, err := read(broken, "k"); err == nil || !bytes.HasPrefix(want, got) ||
				!errors.Is(err, sealedfs.ErrDamaged) && !errors.Is(err, sealedfs.ErrWrongKey) {
				t.Fatalf("byte %d changed: read %d, %v", at, len(got), err)
			}
		}
	}
}
