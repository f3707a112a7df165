package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	res, err := http.Get(url) //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestServeMetricsAndAccessLog(t *testing.T) {
	p := start(t, "serve", "--open", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--ready-json",
		"--metrics-addr", "127.0.0.1:0", "--access-log", "--log-format", "json")
	get(t, p.ready.URL+"/Patient/mihontaro?name=mihontaro")
	if status, body := get(t, p.ready.Metrics); status != 200 || !strings.Contains(body, `kaigofhir_http_requests_total{interaction="read",status="4xx",type="Patient"} 1`) {
		t.Errorf("%s: %d\n%s", p.ready.Metrics, status, body)
	}
	if status, _ := get(t, strings.TrimSuffix(p.ready.URL, "/fhir")+"/metrics"); status != 404 {
		t.Errorf("the public address answers /metrics with %d", status)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	log := p.stderr.String()
	if !strings.Contains(log, `"route":"/fhir/:type/:id"`) || strings.Contains(log, "mihontaro") {
		t.Errorf("access log:\n%s", log)
	}
}

func TestServeIsQuietByDefault(t *testing.T) {
	p := start(t, "serve", "--open", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--ready-json")
	get(t, p.ready.URL+"/Patient/a")
	if p.ready.Metrics != "" || strings.Contains(p.stderr.String(), "msg=request") {
		t.Errorf("metrics at %q, log\n%s", p.ready.Metrics, p.stderr)
	}
}

func TestServeTraces(t *testing.T) {
	got := make(chan string, 100)
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			got <- string(body)
		}
	}))
	defer collector.Close()
	p := start(t, "serve", "--open", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--ready-json", "--trace-url", collector.URL)
	get(t, p.ready.URL+"/Patient/mihontaro")
	if err := p.stop(); err != nil { // delivers the last spans
		t.Error(err)
	}
	select {
	case body := <-got:
		if !strings.Contains(body, "GET /fhir/:type/:id") || strings.Contains(body, "mihontaro") {
			t.Errorf("traces: %s", body)
		}
	default:
		t.Error("the collector got nothing")
	}
	if _, stderr, status := run(t, "serve", "--open", "--data", t.TempDir(), "--addr", "127.0.0.1:0", "--trace-url", "nonsense"); status == 0 || !strings.Contains(stderr, "--trace-url") {
		t.Errorf("nonsense: status %d, %s", status, stderr)
	}
}
