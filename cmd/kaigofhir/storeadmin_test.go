package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// fsck runs the check and wants that exit status.
func fsck(t *testing.T, wantStatus int, args ...string) embedded.Report {
	t.Helper()
	stdout, stderr, status := run(t, append([]string{"store", "fsck"}, args...)...)
	if status != wantStatus {
		t.Fatalf("fsck %v: status %d\n%s%s", args, status, stdout, stderr)
	}
	var report embedded.Report
	if err := json.Unmarshal([]byte(stdout), &report); err != nil && wantStatus == 0 {
		t.Fatal(err)
	}
	return report
}

// mustRun runs a command that must succeed.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, status := run(t, args...)
	if status != 0 {
		t.Fatalf("%v: status %d\n%s%s", args, status, stdout, stderr)
	}
	return stdout
}

// wantFailure runs a command that must fail with a message.
func wantFailure(t *testing.T, message string, args ...string) {
	t.Helper()
	if stdout, stderr, status := run(t, args...); status != 1 || !strings.Contains(stderr, message) {
		t.Errorf("%v: status %d, want 1 and %q\n%s%s", args, status, message, stdout, stderr)
	}
}

// TestStoreAdmin lets the demo's organisations fill a server, then works on its
// data folder: check, full and incremental backup, restore, purge, compact,
// explain, encryption and a change of the key.
func TestStoreAdmin(t *testing.T) {
	f := startFlow(t)
	data := filepath.Join(t.TempDir(), "data")
	f.process.kill()
	f.serve(t, data)
	f.load(t)
	base := f.process.ready.URL
	for _, r := range []struct{ path, body string }{ // in this order: a reference must lead somewhere
		{"Patient/gone", `{"resourceType":"Patient","id":"gone","name":[{"family":"` + sealedName + `"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">` + sealedName + `</div>"}}`},
		{"Observation/o", `{"resourceType":"Observation","id":"o","status":"final","code":{"coding":[{"system":"http://example.org/s","code":"c"}]},"subject":{"reference":"` + base + `/Patient/gone"}}`},
		{"ValueSet/vs", `{"resourceType":"ValueSet","id":"vs","url":"http://example.org/vs","status":"active","compose":{"include":[{"system":"http://example.org/s","concept":[{"code":"c"}]}]}}`},
	} {
		if status, answer, err := f.as(t.Context(), "operator", http.MethodPut, r.path, r.body); err != nil || status != http.StatusCreated {
			t.Fatalf("%s: status %d, %v\n%s", r.path, status, err, answer)
		}
	}
	for _, command := range [][]string{{"fsck"}, {"backup", filepath.Join(t.TempDir(), "b")}, {"compact"}, {"explain", "Patient"}, {"purge", "Patient/gone"}, {"restore", os.DevNull}} {
		wantFailure(t, "is in use: stop the server first", append([]string{"store", command[0], "--data", data}, command[1:]...)...)
	}
	wantFailure(t, "POST [base]/$backup", "store", "backup", "--data", data, filepath.Join(t.TempDir(), "b"))
	wantFailure(t, "POST [base]/$purge", "store", "purge", "--data", data, "Patient/gone")
	if err := f.process.stop(); err != nil {
		t.Fatal(err)
	}
	testCustomParameter(t, data)
	onBase := []string{"--data", data, "--base-url", base}
	before := fsck(t, 0, onBase...)
	if before.Resources < 50 || before.Entries < 1000 {
		t.Errorf("fsck: %+v", before)
	}
	backups := t.TempDir()
	full := filepath.Join(backups, "full")
	mustRun(t, "store", "backup", "--data", data, full)
	wantFailure(t, "exists", "store", "backup", "--data", data, full)

	text := mustRun(t, append([]string{"store", "explain", "Observation?patient=Patient/gone&_sort=-date"}, onBase...)...)
	if !strings.Contains(text, "result: 1 resources, total 1") {
		t.Errorf("explain:\n%s", text)
	}
	text = mustRun(t, append([]string{"store", "explain", "Observation?code:in=http://example.org/vs"}, onBase...)...)
	if !strings.Contains(text, "result: 1 resources, total 1") {
		t.Errorf("explain:\n%s", text)
	}
	wantFailure(t, "does not know the value set", "store", "explain", "--data", data, "Observation?code:in=http://example.org/none")
	wantFailure(t, "unknown search parameters: nonsense", "store", "explain", "--data", data, "Observation?nonsense=1")

	f.serve(t, data) // on another port, so references to the old one are no longer the server's own
	if status, answer, err := f.as(t.Context(), "operator", http.MethodPut, "Patient/gone", `{"resourceType":"Patient","id":"gone","name":[{"family":"`+sealedName+`2"}]}`); err != nil || status != http.StatusOK {
		t.Fatalf("status %d, %v\n%s", status, err, answer)
	}
	token, err := f.world.Token(t.Context(), "operator")
	if err != nil {
		t.Fatal(err)
	}
	_, header, _ := f.process.send("GET", "Patient?_id=gone", "", "Authorization", "Bearer "+token, "Prefer", "respond-async")
	if status, body := await(t, f.process, header.Get("Content-Location"), "Authorization", "Bearer "+token); status != http.StatusOK || !strings.Contains(body, sealedName) {
		t.Fatalf("status %d: %s", status, body)
	}
	if err := f.process.stop(); err != nil {
		t.Fatal(err)
	}
	since := filepath.Join(backups, "since")
	mustRun(t, "store", "backup", "--data", data, "--after", full, since)
	restored := filepath.Join(t.TempDir(), "restored")
	wantFailure(t, "one between is missing", "store", "restore", "--data", restored, since)
	mustRun(t, "store", "restore", "--data", restored, full, since)
	mustRun(t, "store", "restore", "--data", restored, full, since) // again: nothing to do
	after := fsck(t, 0, onBase...)
	if got := fsck(t, 0, "--data", restored, "--base-url", base); got.Resources != after.Resources || got.Versions != after.Versions || got.Entries > after.Entries {
		t.Errorf("restored %+v, want %+v", got, after)
	}

	wantFailure(t, "nothing was erased", "store", "purge", "--data", data, "Patient/gone")
	wantFailure(t, "Patient/nobody", "store", "purge", "--data", data, "--erase-for-good", "Patient/gone", "Patient/nobody")
	if got := fsck(t, 0, onBase...); got.Versions != after.Versions {
		t.Errorf("after refused purges: %+v", got)
	}
	mustRun(t, "store", "purge", "--data", data, "--erase-for-good", "Patient/gone")
	// two versions less, and an entry in the record of accesses more
	if got := fsck(t, 0, onBase...); got.Versions != after.Versions-2+1 || got.Resources != after.Resources-1+1 {
		t.Errorf("after the purge: %+v, before %+v", got, after)
	}
	if found := filesWith(t, data, sealedName); len(found) > 0 {
		t.Errorf("after the purge: the name is still in %v", found)
	}
	if report := mustRun(t, "audit", "verify", "--data", data); !strings.Contains(report, `"problems": null`) {
		t.Errorf("the record of accesses: %s", report)
	}
	wantFailure(t, "records were erased since", "store", "backup", "--data", data, "--after", full, filepath.Join(backups, "more"))
	mustRun(t, "store", "compact", "--data", data)
	testStoreKeys(t, restored, base)
}

// testCustomParameter checks that the keys of a custom search parameter are
// looked for, and that it can be explained.
func testCustomParameter(t *testing.T, data string) {
	t.Helper()
	wantFailure(t, "unknown search parameters: kanji", "store", "explain", "--data", data, "Patient?kanji=x")
	p := serveOpen(t, data)
	status, _, body := p.send("PUT", "SearchParameter/kanji", `{"resourceType":"SearchParameter","id":"kanji","url":"http://example.org/kanji","name":"kanji","status":"active","description":"d","code":"kanji","base":["Patient"],"type":"string","expression":"Patient.name.family"}`)
	if status != http.StatusCreated {
		t.Fatalf("status %d: %s", status, body)
	}
	for range 200 {
		if status, _, body = p.send("GET", "Patient?kanji="+sealedName, "", "Prefer", "handling=strict"); status == http.StatusOK {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if status != http.StatusOK || !strings.Contains(body, sealedName) {
		t.Fatalf("status %d: %s", status, body)
	}
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	if text := mustRun(t, "store", "explain", "--data", data, "Patient?kanji="+sealedName); !strings.Contains(text, "result: 1 resources") {
		t.Errorf("explain:\n%s", text)
	}
}

// testStoreKeys copies a folder into an encrypted one and changes its key.
func testStoreKeys(t *testing.T, plain, base string) {
	t.Helper()
	one, two := keyFile(t, "1"), keyFile(t, "2")
	sealed := filepath.Join(t.TempDir(), "sealed")
	mustRun(t, "store", "copy", plain, sealed, "--to-key-file", one, "--base-url", base)
	want := fsck(t, 0, "--data", plain, "--base-url", base)
	if got := fsck(t, 0, "--data", sealed, "--key-file", one, "--base-url", base); got.Versions != want.Versions || got.Resources != want.Resources {
		t.Errorf("encrypted copy %+v, want %+v", got, want)
	}
	backup := filepath.Join(t.TempDir(), "backup")
	mustRun(t, "store", "backup", "--data", sealed, "--key-file", one, backup)
	for _, folder := range []string{sealed, filepath.Dir(backup)} {
		if found := filesWith(t, folder, sealedName); len(found) > 0 {
			t.Errorf("the name is in %v", found)
		}
	}
	mustRun(t, "store", "change-key", "--data", sealed, "--key-file", one, "--new-key-file", two)
	fsck(t, 1, "--data", sealed, "--key-file", one)
	fsck(t, 1, "--data", sealed)
	fsck(t, 1, "--data", plain, "--key-file", one)
	fsck(t, 0, "--data", sealed, "--key-file", two, "--base-url", base)
	mustRun(t, "store", "compact", "--data", sealed, "--key-file", two)
	fsck(t, 0, "--data", sealed, "--key-file", two, "--base-url", base)
	again := filepath.Join(t.TempDir(), "again")
	wantFailure(t, "is encrypted", "store", "restore", "--data", again, backup)
	again = filepath.Join(t.TempDir(), "again")
	wantFailure(t, "not the one", "store", "restore", "--data", again, "--key-file", two, backup)
	mustRun(t, "store", "restore", "--data", again, "--key-file", two, "--backup-key-file", one, backup)
	fsck(t, 0, "--data", again, "--key-file", two, "--base-url", base)
}

// serverRegistry holds the search parameters a server of this test has.
func serverRegistry() (*search.Registry, error) {
	_, index, err := (&searchFlags{BaseURL: "http://127.0.0.1:8080/fhir"}).registries(&app{ctx: context.Background(), now: time.Now}, nil, nil)
	return index, err
}

// stampOf stores one content under the index keys of another.
func stampOf(content, indexed string) func(uint64, time.Time) ([]byte, [][]byte, error) {
	return func(uint64, time.Time) ([]byte, [][]byte, error) {
		registry, err := serverRegistry()
		if err != nil {
			return nil, nil, err
		}
		keys, err := indexKeys(registry, store.Version{JSON: []byte(indexed)})
		return []byte(content), keys, err
	}
}

// TestFsckFinds checks a store whose index keys are not those of the content,
// and one with a damaged file.
func TestFsckFinds(t *testing.T) {
	data := t.TempDir()
	e, err := embedded.Open(storeFolder(data), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const a, b = `{"resourceType":"Patient","id":"1","name":[{"family":"a"}]}`, `{"resourceType":"Patient","id":"1","name":[{"family":"b"}]}`
	if _, err := e.Apply(t.Context(), store.Tx{Writes: []store.Write{
		{Key: store.Key{Type: "Patient", ID: "wrong"}, Method: store.Create, Stamp: stampOf(a, b)},
		{Key: store.Key{Type: "Patient", ID: "right"}, Method: store.Create, Stamp: stampOf(a, a)},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if r := fsck(t, 1, "--data", data); r.Found != 1 || !strings.Contains(r.Problems[0], "Patient/wrong") {
		t.Errorf("%+v", r)
	}
	tables, err := filepath.Glob(filepath.Join(data, "store", "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatal(tables, err)
	}
	for _, table := range tables {
		b, err := os.ReadFile(table)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)/4] ^= 0xff
		if err := os.WriteFile(table, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fsck(t, 1, "--data", data)
	fsck(t, 1, "--data", filepath.Join(data, "nowhere"))
}
