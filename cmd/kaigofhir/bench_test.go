package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestBenchAgainst counts what each of two servers is sent, and looks at the
// report.
func TestBenchAgainst(t *testing.T) {
	var posts [2]atomic.Int64
	var urls [2]string
	for i := range urls {
		srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			if req.Method == http.MethodPost {
				posts[i].Add(1)
			}
		}))
		defer srv.Close()
		urls[i] = srv.URL
	}
	stdout, stderr, status := run(t, "bench", urls[0], "--against", urls[1], "--patients", "2", "--grow", "3,5", "--observations", "1",
		"--duration", "5ms", "--rounds", "3", "--connections", "2", "--only", "read,import")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	if posts[0].Load() != 2+3*2 || posts[1].Load() != 5+3*2 {
		t.Errorf("the servers were sent %d and %d people", posts[0].Load(), posts[1].Load())
	}
	type measured struct {
		Name     string
		Patients int
	}
	var report struct {
		Results     []measured
		Comparisons []struct {
			Name          string
			First, Second measured
			RateRatio     float64
		}
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]measured{{"import", 2}, {"import", 3}, {"import", 5}}, report.Results); diff != "" {
		t.Error(diff)
	}
	var got []measured
	for _, c := range report.Comparisons {
		got = append(got, c.First, c.Second)
		if c.RateRatio <= 0 {
			t.Errorf("%s: no ratio", c.Name)
		}
	}
	want := []measured{{"read", 2}, {"read", 3}, {"read", 2}, {"read", 5}, {"import", 4}, {"import", 7}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
