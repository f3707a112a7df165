package embedded_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

// breaking is a disk whose writing breaks after a number of operations, and
// stays broken.
type breaking struct {
	left  atomic.Int64
	fault error
}

func (d *breaking) String() string { return "breaking disk" }

func (d *breaking) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && d.left.Add(-1) < 0 {
		return d.fault
	}
	return nil
}

// TestFaultyDisk breaks the disk at random moments: the store becomes
// read-only, what was acknowledged can still be read, what was not is not seen,
// and on a new disk everything acknowledged is there.
func TestFaultyDisk(t *testing.T) { plainAndSealed(t, testFaultyDisk) }

func testFaultyDisk(t *testing.T, sealed bool) {
	rounds, _ := crashRounds(t, 8)
	acknowledged := 0
	for i := range rounds {
		seed := rand.Uint64()
		fault := error(syscall.ENOSPC)
		if i%2 == 0 {
			fault = errors.New("input/output error")
		}
		t.Run(fmt.Sprintf("%v, seed %d", fault, seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			mem := vfs.NewCrashableMem()
			disk := &breaking{fault: fault}
			disk.left.Store(1 << 40)
			e, err := embedded.Open("store", crashOptions(errorfs.Wrap(mem, disk), sealed))
			if err != nil {
				t.Fatal(err)
			}
			disk.left.Store(rng.Int64N(600))
			acked := -1
			writePairs(e, 0, 0, func(n int) { acked = n })
			wantReadOnly(t, e)
			acknowledged += acked + 1
			if next, problems := verifyPairs(t.Context(), e, 0, acked); next != acked+1 || len(problems) > 0 {
				t.Errorf("acknowledged %d, readable up to %d, %q", acked, next-1, problems)
			}
			if err := e.Close(); err == nil {
				t.Error("closing did not tell of the fault")
			}
			again, err := embedded.Open("store", crashOptions(mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rng}), sealed))
			if err != nil {
				t.Fatal(err)
			}
			defer again.Close()
			if _, problems := verifyPairs(t.Context(), again, 0, acked); len(problems) > 0 {
				t.Errorf("%q", problems)
			}
			wantClean(t, again)
		})
	}
	t.Logf("%d broken disks, %d acknowledged transactions of 3 writes looked for", rounds, acknowledged)
	if acknowledged == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
}

func wantReadOnly(t *testing.T, e *embedded.Engine) {
	t.Helper()
	_, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{note(store.Create, "after", "x")}})
	if !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("a write after the fault: %v", err)
	}
	if s, err := e.Status(t.Context()); err != nil || !s.ReadOnly {
		t.Errorf("status %+v, %v", s, err)
	}
}

// TestDamagedFile flips bytes in a sorted file: an answer is right or an
// error, never wrong, and the store takes no more writes once it noticed.
func TestDamagedFile(t *testing.T) { plainAndSealed(t, testDamagedFile) }

func testDamagedFile(t *testing.T, sealed bool) {
	mem := vfs.NewMem()
	opts := embedded.Options{FS: mem, Terms: storetest.Terms{}, CacheBytes: 1 << 20}
	if sealed {
		opts.Master = masterKey("k")
	}
	e, err := embedded.Open("store", opts)
	if err != nil {
		t.Fatal(err)
	}
	const n = 3000
	for i := range n {
		if i%100 == 0 {
			var tx store.Tx
			for j := range 100 {
				tx.Writes = append(tx.Writes, note(store.Create, fmt.Sprint(i+j), fmt.Sprint("text", i+j)))
			}
			if _, err := e.Apply(t.Context(), tx); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	damageTables(t, mem)
	if e, err = embedded.Open("store", opts); err != nil {
		t.Skipf("the damage was found at once: %v", err)
	}
	faults := 0
	for i := range n {
		v, err := e.Read(t.Context(), store.Key{Type: "Basic", ID: fmt.Sprint(i)})
		switch {
		case err != nil && !errors.Is(err, store.ErrNotFound):
			faults++
		case err != nil || string(v.JSON) != fmt.Sprint("text", i):
			t.Fatalf("resource %d: %q, %v", i, v.JSON, err)
		}
	}
	p, err := e.Search(t.Context(), search.Query{Must: search.Must{Unrestricted: true}, Total: search.TotalAccurate})
	if err == nil && p.Total != n {
		t.Errorf("a wrong total: %d", p.Total)
	}
	if faults == 0 && err == nil {
		t.Error("the damage was not noticed: the test damaged nothing of use")
	}
	wantReadOnly(t, e)
	_ = e.Close()
}

// damageTables flips a byte in every 20,000 of each table, its end left out,
// which is read at Open.
func damageTables(t *testing.T, fs vfs.FS) {
	t.Helper()
	names, err := fs.List("store")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.HasSuffix(name, ".sst") {
			continue
		}
		path := fs.PathJoin("store", name)
		f, err := fs.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		for at := 1000; at < len(data)*9/10; at += 20_000 {
			data[at] ^= 0xff
		}
		if f, err = fs.Create(path, vfs.WriteCategoryUnspecified); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
