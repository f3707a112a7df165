package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/storetest"
)

const (
	crashDirVar    = "KAIGOFHIR_TEST_CRASH_DIR"    // set for the child
	crashSealedVar = "KAIGOFHIR_TEST_CRASH_SEALED" // set for the child of an encrypted store
	crashRoundsVar = "KAIGOFHIR_TEST_CRASH_ROUNDS" // 200 in the long run
	crashWriters   = 8
)

func crashRounds(t *testing.T, normal int) int {
	text := os.Getenv(crashRoundsVar)
	if text == "" {
		return normal
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func crashOptions(fs vfs.FS, sealed bool) embedded.Options {
	o := embedded.Options{FS: fs, Terms: storetest.Terms{}, MemTableBytes: 256 << 10, CacheBytes: 4 << 20}
	if sealed {
		o.Master = masterKey("crash")
	}
	return o
}

// plainAndSealed runs a test on a store in the clear and on an encrypted one.
func plainAndSealed(t *testing.T, test func(t *testing.T, sealed bool)) {
	t.Run("plain", func(t *testing.T) { test(t, false) })
	t.Run("sealed", func(t *testing.T) { test(t, true) })
}

// writePairs writes until it fails: each transaction updates two resources of
// the writer to the same text and creates a third. acked is told each number
// that was acknowledged.
func writePairs(e *embedded.Engine, writer, from int, acked func(n int)) {
	for n := from; ; n++ {
		text := fmt.Sprint(n)
		_, err := e.Apply(context.Background(), store.Tx{Writes: []store.Write{
			note(store.Update, fmt.Sprintf("%d-a", writer), text),
			note(store.Update, fmt.Sprintf("%d-b", writer), text),
			note(store.Create, fmt.Sprintf("%d-n%d", writer, n), text),
		}})
		if err != nil {
			return
		}
		acked(n)
	}
}

// verifyPairs checks what a crash left and returns the next number to write.
func verifyPairs(t *testing.T, e *embedded.Engine, writer, acked int) (next, lost int) {
	t.Helper()
	read := func(id string) int {
		v, err := e.Read(t.Context(), store.Key{Type: "Basic", ID: fmt.Sprintf("%d-%s", writer, id)})
		if err != nil {
			return -1
		}
		n, err := strconv.Atoi(string(v.JSON))
		if err != nil {
			t.Errorf("writer %d: %s is damaged", writer, id)
		}
		return n
	}
	a, b := read("a"), read("b")
	if a != b {
		t.Errorf("writer %d: half a transaction: %d and %d", writer, a, b)
	}
	for n := 0; n <= a; n++ {
		if read(fmt.Sprint("n", n)) != n {
			t.Errorf("writer %d: record %d of %d is not there", writer, n, a)
		}
	}
	return a + 1, max(0, acked-a)
}

// TestCrashChild is what TestKill kills.
func TestCrashChild(t *testing.T) {
	dir := os.Getenv(crashDirVar)
	if dir == "" {
		t.Skip("only runs as the child of TestKill")
	}
	e, err := embedded.Open(dir, crashOptions(nil, os.Getenv(crashSealedVar) != ""))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range crashWriters {
		wg.Go(func() {
			from := 0
			if v, err := e.Read(t.Context(), store.Key{Type: "Basic", ID: fmt.Sprintf("%d-a", w)}); err == nil {
				from, _ = strconv.Atoi(string(v.JSON))
				from++
			}
			writePairs(e, w, from, func(n int) { fmt.Printf("ack %d %d\n", w, n) })
		})
	}
	wg.Wait()
}

// TestKill kills a writing process at random moments and wants every
// acknowledged write back.
func TestKill(t *testing.T) { plainAndSealed(t, testKill) }

func testKill(t *testing.T, sealed bool) {
	dir := t.TempDir()
	acked := make([]int, crashWriters)
	for w := range acked {
		acked[w] = -1
	}
	total := 0
	for round := range crashRounds(t, 4) {
		readAcks(t, runAndKill(t, dir, sealed, time.Duration(20+rand.IntN(180))*time.Millisecond), acked)
		started := time.Now()
		e, err := embedded.Open(dir, crashOptions(nil, sealed))
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(started); d > 10*time.Second {
			t.Errorf("opening after a crash took %v", d)
		}
		for w := range acked {
			next, lost := verifyPairs(t, e, w, acked[w])
			if lost > 0 {
				t.Errorf("round %d, writer %d: %d acknowledged writes are lost", round, w, lost)
			}
			total = max(total, next)
		}
		wantClean(t, e)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if total == 0 {
		t.Error("the child wrote nothing")
	}
}

// runAndKill starts the child, kills it some time after its first
// acknowledgement, and returns what it printed.
func runAndKill(t *testing.T, dir string, sealed bool, after time.Duration) io.Reader {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrashChild$")
	child.Env = append(os.Environ(), crashDirVar+"="+dir)
	if sealed {
		child.Env = append(child.Env, crashSealedVar+"=1")
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	pr, pw := io.Pipe()
	go func() {
		var once sync.Once
		buf := make([]byte, 4096)
		for {
			n, err := out.Read(buf)
			once.Do(func() { time.AfterFunc(after, func() { _ = child.Process.Kill() }) })
			_, _ = pw.Write(buf[:n])
			if err != nil {
				_ = child.Wait()
				_ = pw.Close()
				return
			}
		}
	}()
	return pr
}

// readAcks notes the highest number acknowledged to each writer.
func readAcks(t *testing.T, r io.Reader, acked []int) {
	t.Helper()
	s := bufio.NewScanner(r)
	for s.Scan() {
		var w, n int
		if _, err := fmt.Sscanf(s.Text()+"\n", "ack %d %d\n", &w, &n); err == nil {
			acked[w] = max(acked[w], n)
		}
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
}

// losePower runs writers on a file system, takes a copy as after a loss of
// power at a random moment, and returns the copy with what had been
// acknowledged before; unsynced is how much of what was not synced stays, in
// percent.
func losePower(t *testing.T, mem *vfs.MemFS, fs vfs.FS, rng *rand.Rand, unsynced int, sealed bool) (*vfs.MemFS, []int) {
	t.Helper()
	e, err := embedded.Open("store", crashOptions(fs, sealed))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	acked := make([]int, crashWriters)
	var wg sync.WaitGroup
	for w := range acked {
		acked[w] = -1
		wg.Go(func() { writePairs(e, w, 0, func(n int) { mu.Lock(); acked[w] = n; mu.Unlock() }) })
	}
	time.Sleep(time.Duration(20+rng.IntN(100)) * time.Millisecond)
	mu.Lock()
	before := append([]int(nil), acked...)
	mu.Unlock()
	clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rng})
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	return clone, before
}

func TestPowerLoss(t *testing.T) { plainAndSealed(t, testPowerLoss) }

func testPowerLoss(t *testing.T, sealed bool) {
	for range crashRounds(t, 4) {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			mem := vfs.NewCrashableMem()
			rng := rand.New(rand.NewPCG(seed, 0))
			clone, acked := losePower(t, mem, mem, rng, rng.IntN(101), sealed)
			e, err := embedded.Open("store", crashOptions(clone, sealed))
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			for w := range acked {
				if _, lost := verifyPairs(t, e, w, acked[w]); lost > 0 {
					t.Errorf("writer %d: %d acknowledged writes are lost", w, lost)
				}
			}
			wantClean(t, e)
		})
	}
}

// TestPowerLossControl shows that the test above can fail: on a disk that lies
// about syncing, writes are lost.
func TestPowerLossControl(t *testing.T) {
	for seed := range uint64(10) {
		mem := vfs.NewCrashableMem()
		clone, acked := losePower(t, mem, lyingFS{mem}, rand.New(rand.NewPCG(seed, 0)), 0, false)
		e, err := embedded.Open("store", crashOptions(clone, false))
		if err != nil {
			return // so much is lost that it does not open
		}
		lost := false
		for w := range acked {
			v, err := e.Read(t.Context(), store.Key{Type: "Basic", ID: fmt.Sprintf("%d-a", w)})
			n, _ := strconv.Atoi(string(v.JSON))
			lost = lost || acked[w] >= 0 && (err != nil || n < acked[w])
		}
		_ = e.Close() // what is on such a disk may well be found damaged
		if lost {
			return
		}
	}
	t.Error("nothing was lost on a disk that does not sync")
}

// lyingFS does not sync files that are written.
type lyingFS struct{ vfs.FS }

func (fs lyingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, c)
	return lyingFile{f}, err
}

func (fs lyingFS) ReuseForWrite(a, b string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.ReuseForWrite(a, b, c)
	return lyingFile{f}, err
}

type lyingFile struct{ vfs.File }

func (lyingFile) Sync() error                { return nil }
func (lyingFile) SyncData() error            { return nil }
func (lyingFile) SyncTo(int64) (bool, error) { return true, nil }
