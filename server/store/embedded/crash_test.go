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
	"strings"
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
	// crashesPerFolder is how often one folder is killed. Everything in it is
	// looked at after each kill, so that it must not grow without end.
	crashesPerFolder = 20
)

// crashRounds is how many rounds a test makes, and whether it is the long run.
func crashRounds(t *testing.T, normal int) (rounds int, long bool) {
	text := os.Getenv(crashRoundsVar)
	if text == "" {
		return normal, false
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n, true
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

// pair is transaction n of a writer: it updates two resources of the writer to
// the same text and creates a third.
func pair(writer, n int) store.Tx {
	text := fmt.Sprint(n)
	return store.Tx{Writes: []store.Write{
		note(store.Update, fmt.Sprintf("%d-a", writer), text),
		note(store.Update, fmt.Sprintf("%d-b", writer), text),
		note(store.Create, fmt.Sprintf("%d-n%d", writer, n), text),
	}}
}

// writePairs writes pairs until it fails. acked is told each number that was
// acknowledged.
func writePairs(e *embedded.Engine, writer, from int, acked func(n int)) {
	for n := from; ; n++ {
		if _, err := e.Apply(context.Background(), pair(writer, n)); err != nil {
			return
		}
		acked(n)
	}
}

// verifyPairs looks at everything a writer wrote before a crash, of which the
// numbers up to acked were acknowledged, and returns the next number to write
// and what is wrong.
func verifyPairs(ctx context.Context, e *embedded.Engine, writer, acked int) (next int, problems []string) {
	problem := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf("writer %d: ", writer)+fmt.Sprintf(format, args...))
	}
	number := func(v store.Version, err error) int {
		if err != nil {
			return -1
		}
		n, err := strconv.Atoi(string(v.JSON))
		if err != nil {
			problem("%s is damaged", v.Key)
		}
		return n
	}
	key := func(id string, n ...any) store.Key {
		return store.Key{Type: "Basic", ID: fmt.Sprintf("%d-%s", writer, id) + fmt.Sprint(n...)}
	}
	read := func(k store.Key) int { return number(e.Read(ctx, k)) }
	a, b := read(key("a")), read(key("b"))
	if a != b {
		problem("half a transaction: %d and %d", a, b)
	}
	if read(key("n", a+1)) != -1 {
		problem("half a transaction: record %d alone", a+1)
	}
	for n := range a + 1 {
		if read(key("n", n)) != n {
			problem("record %d of %d is not there", n, a)
		}
		if number(e.ReadVersion(ctx, key("a"), uint64(n)+1)) != n {
			problem("update %d of %d is not there", n, a)
		}
	}
	if a < acked {
		problem("%d acknowledged writes are lost", acked-a)
	}
	return a + 1, problems
}

// TestVerifyPairs shows that the look after a crash finds each kind of loss.
func TestVerifyPairs(t *testing.T) {
	for _, c := range []struct {
		name   string
		damage store.Write
		acked  int
		found  string // "" for nothing
	}{
		{"whole", store.Write{}, 4, ""},
		{"written and not acknowledged", store.Write{}, 3, ""},
		{"lost", store.Write{}, 5, "acknowledged writes are lost"},
		{"update alone", note(store.Update, "0-a", "5"), 4, "half a transaction"},
		{"create alone", note(store.Create, "0-n5", "5"), 4, "half a transaction"},
		{"record lost", note(store.Delete, "0-n2", ""), 4, "record 2 of 4 is not there"},
		{"record of other content", note(store.Update, "0-n2", "3"), 4, "record 2 of 4 is not there"},
		{"update put back", note(store.Update, "0-b", "3"), 4, "half a transaction"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := openMemory(t, crashOptions(nil, false))
			defer e.Close()
			for n := range 5 {
				mustApply(t, e, pair(0, n).Writes...)
			}
			if c.damage.Key.ID != "" {
				mustApply(t, e, c.damage)
			}
			next, problems := verifyPairs(t.Context(), e, 0, c.acked)
			if c.found == "" && (next != 5 || len(problems) > 0) || c.found != "" && !strings.Contains(strings.Join(problems, "\n"), c.found) {
				t.Errorf("next %d, problems %q, want %q", next, problems, c.found)
			}
		})
	}
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
	rounds, long := crashRounds(t, 4)
	var acknowledged int
	var slowest time.Duration
	for first := 0; first < rounds; first += crashesPerFolder {
		n, d := killFolder(t, sealed, min(crashesPerFolder, rounds-first))
		acknowledged, slowest = acknowledged+n, max(slowest, d)
	}
	t.Logf("%d kills, %d acknowledged transactions of 3 writes looked for, slowest start %v", rounds, acknowledged, slowest)
	if acknowledged == 0 {
		t.Error("the child wrote nothing")
	}
	if long && slowest > startAfterKill {
		t.Errorf("opening after a crash took %v", slowest)
	}
}

// killFolder kills writers on one folder again and again, and looks at all of
// it each time. It returns how many transactions were acknowledged and how
// long the slowest start took.
func killFolder(t *testing.T, sealed bool, rounds int) (acknowledged int, slowest time.Duration) {
	t.Helper()
	dir := t.TempDir()
	acked := make([]int, crashWriters)
	for w := range acked {
		acked[w] = -1
	}
	for round := range rounds {
		acknowledged += readAcks(t, runAndKill(t, dir, sealed, time.Duration(20+rand.IntN(180))*time.Millisecond), acked)
		started := time.Now()
		e, err := embedded.Open(dir, crashOptions(nil, sealed))
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(started))
		for w := range acked {
			if _, problems := verifyPairs(t.Context(), e, w, acked[w]); len(problems) > 0 {
				t.Errorf("round %d: %q", round, problems)
			}
		}
		wantClean(t, e)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return acknowledged, slowest
}

// startChild runs this program again, with one more variable, and returns what
// it prints.
func startChild(t *testing.T, sealed bool, variable string, args ...string) (*exec.Cmd, io.Reader) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], args...)
	child.Env = append(os.Environ(), variable)
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
	return child, out
}

// runAndKill starts the child, kills it some time after its first
// acknowledgement, and returns what it printed.
func runAndKill(t *testing.T, dir string, sealed bool, after time.Duration) io.Reader {
	t.Helper()
	child, out := startChild(t, sealed, crashDirVar+"="+dir, "-test.run=^TestCrashChild$")
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

// readAcks notes the highest number acknowledged to each writer and counts the
// acknowledgements.
func readAcks(t *testing.T, r io.Reader, acked []int) (count int) {
	t.Helper()
	s := bufio.NewScanner(r)
	for s.Scan() {
		var w, n int
		if _, err := fmt.Sscanf(s.Text()+"\n", "ack %d %d\n", &w, &n); err == nil {
			acked[w] = max(acked[w], n)
			count++
		}
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	return count
}

// losePower runs writers on a file system, takes a copy as after a loss of
// power at a random moment, and returns the copy with what had been
// acknowledged before; unsynced is how much of what was not synced stays, in
// percent.
func losePower(t *testing.T, mem *vfs.MemFS, fs vfs.FS, rng *rand.Rand, unsynced int, sealed bool) (*vfs.MemFS, []int) {
	t.Helper()
	whole := &wholeReuse{FS: fs}
	e, err := embedded.Open("store", crashOptions(whole, sealed))
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
	whole.mu.Lock()
	clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: unsynced, RNG: rng})
	whole.mu.Unlock()
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	return clone, before
}

// wholeReuse keeps a copy from being taken in the middle of ReuseForWrite:
// MemFS locks twice there, and both would wait for each other for ever.
type wholeReuse struct {
	vfs.FS
	mu sync.RWMutex
}

func (fs *wholeReuse) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	fs.mu.RLock()
	defer fs.mu.RUnlock()
	return fs.FS.ReuseForWrite(old, name, c)
}

func TestPowerLoss(t *testing.T) { plainAndSealed(t, testPowerLoss) }

func testPowerLoss(t *testing.T, sealed bool) {
	rounds, _ := crashRounds(t, 4)
	acknowledged := 0
	for range rounds {
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
				if _, problems := verifyPairs(t.Context(), e, w, acked[w]); len(problems) > 0 {
					t.Errorf("%q", problems)
				}
				acknowledged += acked[w] + 1
			}
			wantClean(t, e)
		})
	}
	t.Logf("%d losses of power, %d acknowledged transactions of 3 writes looked for", rounds, acknowledged)
	if acknowledged == 0 {
		t.Error("nothing was acknowledged: the test shows nothing")
	}
}

// TestPowerLossControl shows that the test above can fail: on a disk that lies
// about syncing, the same look finds a loss.
func TestPowerLossControl(t *testing.T) {
	for seed := range uint64(10) {
		mem := vfs.NewCrashableMem()
		clone, acked := losePower(t, mem, lyingFS{mem}, rand.New(rand.NewPCG(seed, 0)), 0, false)
		e, err := embedded.Open("store", crashOptions(clone, false))
		if err != nil {
			return // so much is lost that it does not open
		}
		found := 0
		for w := range acked {
			_, problems := verifyPairs(t.Context(), e, w, acked[w])
			found += len(problems)
		}
		_ = e.Close() // what is on such a disk may well be found damaged
		if found > 0 {
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
