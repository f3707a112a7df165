package load_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/conformance/load"
)

func TestDataIsReproducibleAndValidJSON(t *testing.T) {
	a, b := load.Data{Seed: 7, Patients: 3, Observations: 4}, load.Data{Seed: 7, Patients: 3, Observations: 4}
	if a.Transaction(2) != b.Transaction(2) {
		t.Error("the same seed gave different data")
	}
	other := load.Data{Seed: 8, Patients: 3, Observations: 4}
	if a.Transaction(2) == other.Transaction(2) {
		t.Error("another seed gave the same data")
	}
	var bundle struct{ Entry []any }
	if err := json.Unmarshal([]byte(a.Transaction(0)), &bundle); err != nil {
		t.Fatal(err)
	}
	if len(bundle.Entry) != 5 {
		t.Errorf("got %d entries, want 5", len(bundle.Entry))
	}
}

func TestRunnerCountsRequestsAndFailures(t *testing.T) {
	var seen atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, req *http.Request) {
		if seen.Add(1)%2 == 0 {
			rw.WriteHeader(http.StatusTeapot)
		}
	}))
	defer srv.Close()
	r := load.Runner{Base: srv.URL, Data: load.Data{Seed: 1, Patients: 2}, Connections: 2,
		Duration: 50 * time.Millisecond, Client: load.Client(2), PID: os.Getpid()}
	for _, s := range load.Scenarios() {
		if s.Name != "read" {
			continue
		}
		res := r.Run(t.Context(), s)
		if res.Requests != int(seen.Load()) || res.Requests < 2 {
			t.Errorf("counted %d requests, the server saw %d", res.Requests, seen.Load())
		}
		if res.Failures != res.Requests/2 || !strings.Contains(res.Failure, "418") {
			t.Errorf("got %d failures %q of %d", res.Failures, res.Failure, res.Requests)
		}
		if res.P50 > res.P99 || res.Max < res.P99 || res.Rate <= 0 {
			t.Errorf("percentiles out of order: %+v", res)
		}
	}
}

func TestImportSendsEveryTransactionOnce(t *testing.T) {
	var mu sync.Mutex
	ids := map[string]int{}
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		var bundle struct {
			Entry []struct{ Resource struct{ ID string } }
		}
		if err := json.NewDecoder(req.Body).Decode(&bundle); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, e := range bundle.Entry {
			ids[e.Resource.ID]++
		}
	}))
	defer srv.Close()
	d := load.Data{Seed: 1, Patients: 2, Observations: 1500}
	r := load.Runner{Base: srv.URL, Data: d, Connections: 3, Client: load.Client(3)}
	if res := r.Import(t.Context(), 0); res.Requests != 4 || res.Failures != 0 {
		t.Errorf("got %+v", res)
	}
	for n := range d.Patients {
		for k := range d.Observations {
			if ids[d.ObservationID(n, k)] != 1 {
				t.Fatalf("observation %d of %d came %d times", k, n, ids[d.ObservationID(n, k)])
			}
		}
		if ids[d.PatientID(n)] != 2 {
			t.Errorf("person %d came %d times, want once with each half", n, ids[d.PatientID(n)])
		}
	}
	r.Data.Patients = 3
	if res := r.Import(t.Context(), 2); res.Requests != 2 || ids[r.Data.PatientID(2)] != 2 || ids[r.Data.PatientID(1)] != 2 {
		t.Errorf("a third person: %d requests, got %+v", res.Requests, res)
	}
}

// TestCompare measures on a machine that gets slower all the time: the second
// server is half as fast as the first at any moment.
func TestCompare(t *testing.T) {
	speed, turns := 1000.0, ""
	measure := func(name string, share float64) func() load.Result {
		return func() load.Result {
			turns += name
			speed *= 0.9
			return load.Result{Name: "read", Patients: 7, Requests: 10, Rate: speed * share, P50: 1 / (speed * share), P95: 2 / (speed * share),
				Process: &load.Usage{CPUSeconds: 2, ResidentMB: speed}}
		}
	}
	c := load.Compare(4, measure("a", 1), measure("b", 0.5))
	if turns != "abbaabba" || c.Rounds != 4 || c.Name != "read" {
		t.Errorf("turns %s, got %+v", turns, c)
	}
	near := func(got, want float64) bool { return got > 0.98*want && got < 1.02*want }
	if !near(c.RateRatio, 0.5) || !near(c.P50Ratio, 2) || !near(c.P95Ratio, 2) {
		t.Errorf("ratios %v, %v and %v", c.RateRatio, c.P50Ratio, c.P95Ratio)
	}
	if c.First.Requests != 40 || c.First.Process.CPUSeconds != 8 || c.First.Patients != 7 || !near(c.First.Rate, (656.1+590.49)/2) {
		t.Errorf("the first: %+v", c.First)
	}
}
