package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/copy"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// await polls a job until its status is another than 202.
func await(t *testing.T, p *process, location string, header ...string) (status int, body string) {
	t.Helper()
	path := location[strings.Index(location, "/fhir/")+len("/fhir/"):]
	for range 600 {
		if status, _, body = p.send(http.MethodGet, path, "", header...); status != http.StatusAccepted {
			return status, body
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%s does not end\n%s", location, p.stderr)
	return 0, ""
}

// TestBackupWhileServing lets an encrypted server write a full and an
// incremental backup, and restores them.
func TestBackupWhileServing(t *testing.T) {
	data, backups := filepath.Join(t.TempDir(), "data"), t.TempDir()
	key := []string{"--key-file", keyFile(t, "c")}
	p := serveOpen(t, data, append(key, "--backup-dir", backups)...)
	base := p.ready.URL
	write := func(id string) {
		if status, _, body := p.send("PUT", "Patient/"+id, `{"resourceType":"Patient","id":"`+id+`","name":[{"family":"`+sealedName+`"}]}`); status != http.StatusCreated {
			t.Fatalf("status %d: %s", status, body)
		}
	}
	backup := func(query string) {
		status, header, body := p.send("POST", "$backup?"+query, "")
		if status != http.StatusAccepted {
			t.Fatalf("%s: status %d: %s", query, status, body)
		}
		if status, body := await(t, p, header.Get("Content-Location")); status != http.StatusOK || !strings.Contains(body, `"up-to"`) {
			t.Fatalf("%s: status %d: %s", query, status, body)
		}
	}
	write("1")
	backup("name=full")
	write("2")
	backup("name=since&after=full")
	if status, _, body := p.send("POST", "$backup?name=x&after=..%2Ffull", ""); status != http.StatusUnprocessableEntity {
		t.Errorf("status %d: %s", status, body)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if found := filesWith(t, backups, sealedName); len(found) > 0 {
		t.Errorf("the name is in %v", found)
	}
	restored, latest := filepath.Join(t.TempDir(), "restored"), filepath.Join(t.TempDir(), "latest")
	if err := os.Symlink(filepath.Join(backups, "full"), latest); err != nil {
		t.Fatal(err)
	}
	mustRun(t, append([]string{"store", "restore", "--data", restored, latest, filepath.Join(backups, "since")}, key...)...)
	onBase := append([]string{"--base-url", base}, key...)
	want, got := fsck(t, 0, append(onBase, "--data", data)...), fsck(t, 0, append(onBase, "--data", restored)...)
	if got.Resources != 2 || got.Versions != want.Versions {
		t.Errorf("restored %+v, want %+v", got, want)
	}
	// The command line goes on after what the server wrote, and the other way.
	mustRun(t, append([]string{"store", "backup", "--data", data, "--after", filepath.Join(backups, "since"), filepath.Join(backups, "next")}, key...)...)
}

// TestServeRefusesBackupFolders checks what serve says before it opens anything.
func TestServeRefusesBackupFolders(t *testing.T) {
	data := t.TempDir()
	inside := filepath.Join(data, "backups")
	if err := os.Mkdir(inside, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args   []string
		want   string
		status int
	}{
		"the data folder": {[]string{"--backup-dir", data}, "lies in the data folder", 1},
		"inside it":       {[]string{"--backup-dir", inside}, "lies in the data folder", 1},
		"of MongoDB":      {[]string{"--backup-dir", t.TempDir(), "--store", "mongodb://127.0.0.1:1/x"}, "MongoDB has backups of its own", 1},
		"not there":       {[]string{"--backup-dir", filepath.Join(data, "nowhere")}, "no such file", 2},
	} {
		_, stderr, status := run(t, append([]string{"serve", "--open", "--addr", "127.0.0.1:0", "--data", data}, c.args...)...)
		if status != c.status || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d, %s", name, status, stderr)
		}
	}
}

// TestPurgeKilled kills an encrypted server in the middle of a purge: the next
// start goes on with it. The record of accesses, of which audit verify needs the
// key, tells of every erasure.
func TestPurgeKilled(t *testing.T) {
	const people = 1500
	f := startFlow(t)
	f.process.kill()
	data, key := filepath.Join(t.TempDir(), "data"), keyFile(t, "d")
	f.flags = []string{"--key-file", key}
	f.serve(t, data)
	operator := func() []string {
		token, err := f.world.Token(t.Context(), "operator")
		if err != nil {
			t.Fatal(err)
		}
		return []string{"Authorization", "Bearer " + token}
	}
	var entries, named []string
	for i := range people {
		entries = append(entries, fmt.Sprintf(`{"request":{"method":"PUT","url":"Patient/p%d"},"resource":{"resourceType":"Patient","id":"p%d"}}`, i, i))
		named = append(named, fmt.Sprintf(`{"name":"resource","valueString":"Patient/p%d"}`, i))
	}
	if status, _, body := f.process.send("POST", "", `{"resourceType":"Bundle","type":"transaction","entry":[`+strings.Join(entries, ",")+`]}`, operator()...); status != http.StatusOK {
		t.Fatalf("status %d: %.500s", status, body)
	}
	status, header, body := f.process.send("POST", "$purge", `{"resourceType":"Parameters","parameter":[{"name":"erase-for-good","valueBoolean":true},`+strings.Join(named, ",")+`]}`, operator()...)
	if status != http.StatusAccepted {
		t.Fatalf("status %d: %.500s", status, body)
	}
	job := header.Get("Content-Location")
	path := job[strings.Index(job, "/fhir/")+len("/fhir/"):]
	done, all := 0, 0
	for range 5000 {
		_, header, _ := f.process.send("GET", path, "", operator()...)
		if n, err := fmt.Sscanf(header.Get("X-Progress"), "running: %d of %d", &done, &all); n == 2 && err == nil && done > 0 {
			break
		}
	}
	f.process.kill()
	if done == 0 || done >= people {
		t.Fatalf("killed at %d of %d: the test shows nothing", done, all)
	}
	t.Logf("killed at %d of %d", done, all)
	f.serve(t, data)
	if status, body := await(t, f.process, job, operator()...); status != http.StatusOK || !strings.Contains(body, fmt.Sprint(`"valueInteger":`, people)) {
		t.Errorf("status %d: %s", status, body)
	}
	if _, _, body := f.process.send("GET", "Patient?_summary=count", "", operator()...); !strings.Contains(body, `"total":0`) {
		t.Errorf("after the purge: %s", body)
	}
	base := f.process.ready.URL
	if err := f.process.stop(); err != nil {
		t.Fatal(err)
	}
	fsck(t, 0, "--data", data, "--key-file", key, "--base-url", base)
	testVerifyEncrypted(t, data, key, people)
}

func testVerifyEncrypted(t *testing.T, data, key string, entries int64) {
	t.Helper()
	var report audit.Report
	if err := json.Unmarshal([]byte(mustRun(t, "audit", "verify", "--data", data, "--key-file", key)), &report); err != nil {
		t.Fatal(err)
	}
	if !report.Sound() || report.Entries < entries || len(report.Heads) == 0 {
		t.Errorf("%d entries, want %d at least; %v", report.Entries, entries, report.Problems)
	}
	heads := filepath.Join(t.TempDir(), "heads.json")
	text, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(heads, text, 0o600); err != nil {
		t.Fatal(err)
	}
	mustRun(t, "audit", "verify", "--data", data, "--key-file", key, "--heads", heads)
	wantFailure(t, "a key is needed", "audit", "verify", "--data", data)
	wantFailure(t, "not the one", "audit", "verify", "--data", data, "--key-file", keyFile(t, "e"))
}

// TestOlderFormat: a command that only reads says what to do about a folder of
// an older format, in English and Japanese.
func TestOlderFormat(t *testing.T) {
	data := t.TempDir()
	fillFolder(t, data)
	db, err := pebble.Open(storeFolder(data), &pebble.Options{Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("mformat"), []byte{1}, pebble.Sync); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	readers := [][]string{
		{"store", "fsck"}, {"store", "explain", "Patient"}, {"store", "backup", filepath.Join(data, "b")}, {"store", "purge", "Patient/1"}, {"audit", "verify"},
	}
	for lang, want := range map[string]string{"C": "store compact; the older program", "ja_JP.UTF-8": "古い形式です"} {
		t.Setenv("LANG", lang)
		for _, args := range readers {
			wantFailure(t, want, append(args, "--data", data)...)
		}
	}
	mustRun(t, "store", "compact", "--data", data)
	for _, args := range readers[:2] {
		mustRun(t, append(args, "--data", data)...)
	}
}

// quiet is a log that nobody reads.
type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(f string, a ...any) {
	panic(fmt.Sprintf(f, a...))
}

// TestStoreCopyInterrupted stops a copy by ^C: it says that it can go on, and
// the same command does.
func TestStoreCopyInterrupted(t *testing.T) {
	const people = 1500
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "new")
	fillMany(t, from, people)
	cmd := exec.Command(binary, "store", "copy", from, to, "--batch", "1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(stderr)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "copied ") {
		t.Fatalf("progress %q", lines.Text())
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	said := ""
	for lines.Scan() {
		said += lines.Text() + "\n"
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, "the same command goes on") {
		t.Fatalf("%v: %s", err, said)
	}
	var report copy.Report
	if err := json.Unmarshal([]byte(mustRun(t, "store", "copy", from, to)), &report); err != nil {
		t.Fatal(err)
	}
	if report.Versions != people || report.Copied == 0 || report.Copied >= people {
		t.Errorf("the second run %+v: want a part of %d copied", report, people)
	}
	fsck(t, 0, "--data", to)
}

// fillMany stores people, each in a transaction of its own.
func fillMany(t *testing.T, folder string, n int) {
	t.Helper()
	e, err := embedded.Open(storeFolder(folder), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	registry, err := serverRegistry()
	if err != nil {
		t.Fatal(err)
	}
	list := make([]store.Version, n)
	for i := range list {
		v := store.Version{Key: store.Key{Type: "Patient", ID: fmt.Sprint(i)}, Version: 1, Seq: uint64(i + 1), Method: store.Create, Time: time.UnixMilli(0).UTC()}
		v.JSON = fmt.Appendf(nil, `{"resourceType":"Patient","id":"%d","meta":{"versionId":"1"}}`, i)
		if v.Keys, err = indexKeys(registry, v); err != nil {
			t.Fatal(err)
		}
		list[i] = v
	}
	if err := e.Import(t.Context(), list, uint64(n)); err != nil {
		t.Fatal(err)
	}
}
