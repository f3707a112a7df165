package embedded_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

var startSize = flag.Int("start", 0, "number of resources at which TestStart measures and judges how long a store takes to open; 0 is a few, not judged")

// The bounds on opening a store, judged in the long runs only.
const (
	startAfterStop = time.Second
	startAfterKill = 10 * time.Second
)

const (
	startDirVar = "KAIGOFHIR_TEST_START_DIR" // set for the child
	startBatch  = 20                         // resources in a transaction of the child
	startFew    = 2000
)

// TestStart measures how long a store takes to open after a clean stop, and
// after kill -9 with a log as full as the options allow. `make start-times`
// runs it with a million resources and the buffers of a server.
func TestStart(t *testing.T) { plainAndSealed(t, testStart) }

func testStart(t *testing.T, sealed bool) {
	size, judged := startResources()
	dir := t.TempDir()
	e, _ := openStart(t, dir, sealed, nil)
	began := time.Now()
	for from := 0; from < size; from += 200 {
		if err := writeStart(t.Context(), e, from, min(200, size-from)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d resources written in %v", size, time.Since(began).Round(time.Millisecond))
	closeStart(t, e)

	e, stopped := openStart(t, dir, sealed, nil)
	wantResources(t, e, size, size)
	closeStart(t, e)

	acked := fillLogAndKill(t, dir, sealed, size)
	logged := logBytes(t, dir)
	e, killed := openStart(t, dir, sealed, nil)
	wantResources(t, e, acked, acked+startBatch)
	if !judged { // it would take minutes
		if r, err := e.Check(t.Context(), nil); err != nil || !r.Clean() {
			t.Errorf("check: %v, %q", err, r.Problems)
		}
	}
	closeStart(t, e)

	t.Logf("open %d resources: %v after a clean stop, %v after kill -9 with a log of %d MiB (%d resources)",
		size, stopped.Round(time.Millisecond), killed.Round(time.Millisecond), logged>>20, acked-size)
	if buffer := startOptions(sealed, nil).WithDefaults().MemTableBytes; uint64(logged) < buffer {
		t.Errorf("the log held %d bytes only, with buffers of %d: the test shows nothing", logged, buffer)
	}
	if judged && (stopped > startAfterStop || killed > startAfterKill) {
		t.Errorf("want at most %v after a clean stop and %v after kill -9", startAfterStop, startAfterKill)
	}
}

func startResources() (n int, judged bool) {
	if *startSize > 0 {
		return *startSize, true
	}
	return startFew, false
}

// startOptions are those of a server, with smaller buffers in the short run.
func startOptions(sealed bool, fs vfs.FS) embedded.Options {
	o := embedded.Options{FS: fs, Terms: storetest.Terms{}}
	if _, judged := startResources(); !judged {
		o.MemTableBytes = 1 << 20
	}
	if sealed {
		o.Master = masterKey("start")
	}
	return o
}

func openStart(t *testing.T, dir string, sealed bool, fs vfs.FS) (*embedded.Engine, time.Duration) {
	t.Helper()
	began := time.Now()
	e, err := embedded.Open(dir, startOptions(sealed, fs))
	if err != nil {
		t.Fatal(err)
	}
	return e, time.Since(began)
}

func closeStart(t *testing.T, e *embedded.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func writeStart(ctx context.Context, e *embedded.Engine, from, n int) error {
	var tx store.Tx
	for i := from; i < from+n; i++ {
		tx.Writes = append(tx.Writes, observation(i, i))
	}
	_, err := e.Apply(ctx, tx)
	return err
}

func wantResources(t *testing.T, e *embedded.Engine, low, high int) {
	t.Helper()
	s, err := e.Status(t.Context())
	if err != nil || s.Resources < int64(low) || s.Resources > int64(high) {
		t.Errorf("%d resources, %v, want %d to %d", s.Resources, err, low, high)
	}
	last := observation(low-1, low-1).Key
	if _, err := e.Read(t.Context(), last); err != nil {
		t.Errorf("the last acknowledged resource: %v", err)
	}
}

// fillLogAndKill has a child write until nothing fits into its buffers any
// more, kills it, and returns how many resources there must be.
func fillLogAndKill(t *testing.T, dir string, sealed bool, size int) (acked int) {
	t.Helper()
	child, out := startChild(t, sealed, startDirVar+"="+dir, "-test.run=^TestStartChild$", fmt.Sprint("-start=", *startSize))
	const silence = 2 * time.Second
	full := time.AfterFunc(time.Minute, func() { _ = child.Process.Kill() })
	acked = size
	s := bufio.NewScanner(out)
	for s.Scan() {
		var n int
		if _, err := fmt.Sscanf(s.Text()+"\n", "ack %d\n", &n); err == nil {
			acked = n
			full.Reset(silence)
		}
	}
	_ = child.Wait()
	if acked == size {
		t.Fatal("the child wrote nothing")
	}
	return acked
}

// TestStartChild is what TestStart kills. It makes no tables, so that its
// buffers are never emptied.
func TestStartChild(t *testing.T) {
	dir := os.Getenv(startDirVar)
	if dir == "" {
		t.Skip("only runs as the child of TestStart")
	}
	fs := &stuckFS{FS: vfs.Default}
	e, _ := openStart(t, dir, os.Getenv(crashSealedVar) != "", fs)
	fs.stuck.Store(true)
	for from, _ := startResources(); ; from += startBatch {
		if err := writeStart(t.Context(), e, from, startBatch); err != nil {
			t.Fatal(err)
		}
		fmt.Println("ack", from+startBatch)
	}
}

// stuckFS makes no tables once it is stuck.
type stuckFS struct {
	vfs.FS
	stuck atomic.Bool
}

func (fs *stuckFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if fs.stuck.Load() && strings.HasSuffix(name, ".sst") {
		select {}
	}
	return fs.FS.Create(name, c)
}

// logBytes is the size of the logs of a folder.
func logBytes(t *testing.T, dir string) (n int64) {
	t.Helper()
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range logs {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Size()
	}
	return n
}
