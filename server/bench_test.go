package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/conformance/load"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// Benchmarks of the server over HTTP, on an in-memory store in one process.
// `make bench` prints them; `kaigofhir bench` measures a server on disk.

var benchData = load.Data{Seed: 1, Patients: 50, Observations: 100}

func benchServer(b *testing.B) *servertest.Server {
	b.Helper()
	srv := servertest.Start(b, servertest.Open)
	for n := range benchData.Patients {
		call(b, srv, "POST", "", benchData.Transaction(n), http.StatusOK)
	}
	b.ReportAllocs()
	b.ResetTimer()
	return srv
}

func call(b *testing.B, srv *servertest.Server, method, path, body string, want int) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, strings.TrimSuffix(srv.URL+"/"+path, "/"), strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/fhir+json")
	rec := newRecorder()
	srv.ServeHTTP(rec, req)
	if rec.status != want {
		b.Fatalf("%s %s: status %d, want %d: %.300s", method, path, rec.status, want, rec.body.String())
	}
}

// recorder is a ResponseWriter that keeps what is written.
type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func newRecorder() *recorder { return &recorder{header: http.Header{}, status: http.StatusOK} }

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func BenchmarkCreate(b *testing.B) {
	srv := benchServer(b)
	for i := 0; b.Loop(); i++ {
		call(b, srv, "POST", "Observation", benchData.Observation(i%benchData.Patients, 1000+i), http.StatusCreated)
	}
}

func BenchmarkTransaction(b *testing.B) {
	srv := benchServer(b)
	for i := 0; b.Loop(); i++ {
		call(b, srv, "POST", "", benchData.Transaction(i%benchData.Patients), http.StatusOK)
	}
	b.ReportMetric(float64(b.N*(1+benchData.Observations))/b.Elapsed().Seconds(), "resources/s")
}

func BenchmarkRead(b *testing.B) {
	srv := benchServer(b)
	for i := 0; b.Loop(); i++ {
		call(b, srv, "GET", "Patient/"+benchData.PatientID(i%benchData.Patients), "", http.StatusOK)
	}
}

func BenchmarkSearchPatientCodeDate(b *testing.B) {
	srv := benchServer(b)
	for i := 0; b.Loop(); i++ {
		path := fmt.Sprintf("Observation?patient=%s&code=http://loinc.org|83184-2&_sort=-date&_count=20", benchData.PatientID(i%benchData.Patients))
		call(b, srv, "GET", path, "", http.StatusOK)
	}
}

func BenchmarkSearchName(b *testing.B) {
	srv := benchServer(b)
	for i := 0; b.Loop(); i++ {
		call(b, srv, "GET", "Patient?name="+benchData.Kana(i%benchData.Patients), "", http.StatusOK)
	}
}
