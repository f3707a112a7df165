package main

import (
	"flag"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/conformance/load"
)

var startPeople = flag.Int("start-people", 0, "number of people, with 40 observations each, with which TestServeStart measures and judges how long a server takes to answer; 0 is a few, not judged")

// TestServeStart measures how long a server takes until it answers, after a clean
// stop and after kill -9 in the midst of an import. `make start-times` runs it
// with a million resources.
func TestServeStart(t *testing.T) {
	people, judged := *startPeople, true
	if people == 0 {
		people, judged = 20, false
	}
	folder := filepath.Join(t.TempDir(), "data")
	data := load.Data{Seed: 1, Observations: 40}
	serve := func() (*process, load.Runner, time.Duration) {
		began := time.Now()
		p := start(t, "serve", "--open", "--addr=127.0.0.1:0", "--ready-json", "--data="+folder)
		r := load.Runner{Base: p.ready.URL, Data: data, Connections: 2, Client: load.Client(2)}
		if data.Patients > 0 {
			if status, _ := get(t, r.Base+"/Patient/"+data.PatientID(data.Patients-1)); status != http.StatusOK {
				t.Errorf("the last person that was acknowledged: status %d", status)
			}
		}
		return p, r, time.Since(began)
	}
	grow := func(r load.Runner, by int) {
		from := data.Patients
		data.Patients += by
		r.Data = data
		if res := r.Import(t.Context(), from); res.Failures > 0 {
			t.Fatalf("import: %d failures, %s", res.Failures, res.Failure)
		}
	}
	p, r, _ := serve()
	grow(r, people)
	if err := p.stop(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	p, r, stopped := serve()
	grow(r, min(people, 4000)) // more than a write buffer
	p.kill()
	p, _, killed := serve()
	if err := p.stop(); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr)
	}
	t.Logf("with %d people, 40 observations each: %v after a clean stop, %v after kill -9", people, stopped.Round(time.Millisecond), killed.Round(time.Millisecond))
	if judged && (stopped > time.Second || killed > 10*time.Second) {
		t.Error("want at most 1 s after a clean stop and 10 s after kill -9")
	}
}
