package api_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// badCase is one malformed request of testdata/bad/*.http and its answer.
type badCase struct {
	name, method, path, body string
	headers                  []string
	status                   int
	code, expression         string
}

// readBad reads a file of cases:
//
//	=== name
//	METHOD path
//	Header: value
//
//	body
//	--- status code [expression]
func readBad(t *testing.T, file string) []badCase {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []badCase
	for _, text := range strings.Split(string(data), "\n=== ")[1:] {
		var c badCase
		var rest, want string
		c.name, rest, _ = strings.Cut(text, "\n")
		rest, want, _ = strings.Cut(rest, "--- ")
		head, body, _ := strings.Cut(rest, "\n\n")
		lines := strings.Split(strings.TrimSpace(head), "\n")
		c.method, c.path, _ = strings.Cut(lines[0], " ")
		c.headers, c.body = lines[1:], strings.TrimSuffix(body, "\n")
		wants := strings.Fields(want)
		if len(wants) < 2 {
			t.Fatalf("%s: %s: no expectation", file, c.name)
		}
		c.status, err = strconv.Atoi(wants[0])
		if err != nil {
			t.Fatalf("%s: %s: %v", file, c.name, err)
		}
		c.code = wants[1]
		if len(wants) > 2 {
			c.expression = wants[2]
		}
		cases = append(cases, c)
	}
	return cases
}

// TestBad sends every malformed request: the status and the issue code are
// exact, the answer is an OperationOutcome in both languages, nothing is
// stored.
func TestBad(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	for _, id := range []string{"p1", "p2"} {
		c.Update(`{"resourceType":"Patient","id":"` + id + `","gender":"female","birthDate":"1940-02-03"}`).Want(201)
	}
	files, err := filepath.Glob("testdata/bad/*.http")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for _, bc := range readBad(t, file) {
			t.Run(strings.TrimSuffix(filepath.Base(file), ".http")+"/"+bc.name, func(t *testing.T) {
				before, err := srv.Store.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				checkBad(t, srv.On(t).Do(bc.method, bc.path, bc.body, bc.headers...), bc)
				after, err := srv.Store.Status(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if after.Versions != before.Versions || after.Seq != before.Seq {
					t.Errorf("something was stored: %+v, before %+v", after, before)
				}
			})
		}
	}
}

func checkBad(t *testing.T, r *servertest.Response, bc badCase) {
	t.Helper()
	if r.Status != bc.status {
		t.Errorf("status %d, want %d\n%.600s", r.Status, bc.status, r.Body)
	}
	issue := r.Resource().Get("issue")
	if got := issue.Text("code"); got != bc.code {
		t.Errorf("code %q, want %q\n%.600s", got, bc.code, r.Body)
	}
	if got := issue.Text("expression"); bc.expression != "" && !strings.HasPrefix(got, bc.expression) {
		t.Errorf("expression %q, want %q", got, bc.expression)
	}
	text := issue.Get("details", "text")
	if text.Text() == "" || text.Get("extension") == nil {
		t.Errorf("no text in both languages\n%.600s", r.Body)
	}
	for _, leak := range []string{"panic", "goroutine", ".go:", "pebble", "runtime error"} {
		if strings.Contains(string(r.Body), leak) {
			t.Errorf("the answer tells of the inside: %q\n%.600s", leak, r.Body)
		}
	}
}
