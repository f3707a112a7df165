package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// keyFile writes a master key and returns its path.
func keyFile(t *testing.T, digit string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(path, []byte(strings.Repeat(digit, 64)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serveOpen starts a server in the open mode on a data folder.
func serveOpen(t *testing.T, data string, more ...string) *process {
	t.Helper()
	return start(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--open", "--ready-json"}, more...)...)
}

// send makes a request of the open mode.
func (p *process) send(method, path, body string, header ...string) (int, http.Header, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.ready.URL+"/"+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, res.Header, string(answer)
}

// filesWith returns the files below a folder that hold a text.
func filesWith(t *testing.T, dir, text string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

const sealedName = "KAIGOHANAKO"

// TestServeEncrypted serves an encrypted folder through a kill: no file holds a
// stored name, results of jobs included, and it opens with its key only. The
// same in the clear shows that the search finds names.
func TestServeEncrypted(t *testing.T) {
	for _, sealed := range []bool{false, true} {
		t.Run(fmt.Sprint("sealed ", sealed), func(t *testing.T) {
			data := filepath.Join(t.TempDir(), "data")
			var key []string
			if sealed {
				key = []string{"--key-file", keyFile(t, "a")}
			}
			p := serveOpen(t, data, key...)
			if status, _, body := p.send("PUT", "Patient/1", `{"resourceType":"Patient","id":"1","name":[{"family":"`+sealedName+`"}]}`); status != http.StatusCreated {
				t.Fatalf("status %d: %s", status, body)
			}
			if found := filesWith(t, data, sealedName); (len(found) == 0) != sealed {
				t.Errorf("while serving: found in %v", found)
			}
			waitForJob(t, p)
			if found := filesWith(t, filepath.Join(data, "jobs"), sealedName); (len(found) == 0) != sealed {
				t.Errorf("results of jobs: found in %v", found)
			}
			p.kill()
			wrong := []string{"--key-file", keyFile(t, "b")}
			_, stderr, status := run(t, append([]string{"serve", "--addr", "127.0.0.1:0", "--data", data, "--open"}, wrong...)...)
			if want := map[bool]string{true: "not the one", false: "not encrypted"}[sealed]; status != 1 || !strings.Contains(stderr, want) {
				t.Errorf("with a wrong key: status %d, %s", status, stderr)
			}
			if sealed {
				_, stderr, status := run(t, "serve", "--addr", "127.0.0.1:0", "--data", data, "--open")
				if status != 1 || !strings.Contains(stderr, "a key is needed") {
					t.Errorf("without a key: status %d, %s", status, stderr)
				}
			}
			p = serveOpen(t, data, key...)
			if status, _, body := p.send("GET", "Patient/1", ""); status != http.StatusOK || !strings.Contains(body, sealedName) {
				t.Errorf("after the kill: status %d, %s", status, body)
			}
			if err := p.stop(); err != nil {
				t.Fatalf("%v\n%s", err, p.stderr)
			}
			if found := filesWith(t, data, sealedName); (len(found) == 0) != sealed {
				t.Errorf("after a clean stop: found in %v", found)
			}
		})
	}
}

// waitForJob lets the server answer a search later, and waits for the answer.
func waitForJob(t *testing.T, p *process) {
	t.Helper()
	status, header, body := p.send("GET", "Patient?name="+sealedName, "", "Prefer", "respond-async")
	if status != http.StatusAccepted {
		t.Fatalf("status %d: %s", status, body)
	}
	at := header.Get("Content-Location")
	path := at[strings.Index(at, "/fhir/")+len("/fhir/"):]
	for range 200 {
		status, _, body = p.send("GET", path, "")
		if status != http.StatusAccepted {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if status != http.StatusOK || !json.Valid([]byte(body)) {
		t.Fatalf("status %d: %s", status, body)
	}
}
