package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/observe"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// logBuffer collects log lines of many goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// watched returns options that observe a server with everything there is.
func watched() (server.Config, *logBuffer) {
	logs := &logBuffer{}
	log := slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return server.Config{Log: log, Metrics: observe.NewMetrics(), Observers: []observe.Observer{observe.AccessLog{Log: log}}}, logs
}

func with(w server.Config) servertest.Option {
	return func(c *server.Config) { c.Log, c.Metrics, c.Observers = w.Log, w.Metrics, w.Observers }
}

func scrape(m *observe.Metrics) string {
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return rec.Body.String()
}

func TestMetrics(t *testing.T) {
	w, _ := watched()
	c := servertest.Start(t, servertest.Open, with(w)).Anonymous()
	c.Create(`{"resourceType":"Patient"}`).Want(201)
	c.Update(`{"resourceType":"Patient","id":"a"}`).Want(201)
	c.Read("Patient/a").Want(200)
	c.Do("HEAD", "Patient/a", "").Want(200)
	c.Read("Patient/b").Want(404)
	c.Search("Patient?name=x").Want(200)
	c.Form("Patient/_search", url.Values{"name": {"x"}}).Want(200)
	c.Search("Patient/a/Observation").Want(200)
	c.Read("Patient/a/_history/1").Want(200)
	c.Read("metadata").Want(200)
	c.Read("Patient/a/$nothing").Want(404)
	c.Read("Nothing/a").Want(404)
	c.Do("BREW", "Patient/a", "").Want(405)
	got := scrape(w.Metrics)
	for _, line := range []string{
		`kaigofhir_http_requests_total{interaction="create",status="2xx",type="Patient"} 1`,
		`kaigofhir_http_requests_total{interaction="update",status="2xx",type="Patient"} 1`,
		`kaigofhir_http_requests_total{interaction="read",status="2xx",type="Patient"} 2`,
		`kaigofhir_http_requests_total{interaction="read",status="4xx",type="Patient"} 1`,
		`kaigofhir_http_requests_total{interaction="read",status="4xx",type=""} 1`,
		`kaigofhir_http_requests_total{interaction="search-type",status="2xx",type="Patient"} 3`,
		`kaigofhir_http_requests_total{interaction="vread",status="2xx",type="Patient"} 1`,
		`kaigofhir_http_requests_total{interaction="capabilities",status="2xx",type=""} 1`,
		`kaigofhir_http_requests_total{interaction="other",status="4xx",type="Patient"} 1`,
		`kaigofhir_http_requests_total{interaction="other",status="4xx",type=""} 1`,
		`kaigofhir_http_request_duration_seconds_count{interaction="search-type"} 3`,
		`kaigofhir_http_requests_in_flight 0`,
		`kaigofhir_store_resources 2`,
		`kaigofhir_store_sequence 2`,
		`kaigofhir_store_up 1`,
	} {
		if !strings.Contains(got, "\n"+line+"\n") {
			t.Errorf("no line %s", line)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestAuditBacklogIsMeasured(t *testing.T) {
	w, _ := watched()
	srv := servertest.Start(t, with(w))
	if err := srv.Close(); err != nil { // writes what is waiting
		t.Fatal(err)
	}
	if got := scrape(w.Metrics); !strings.Contains(got, "\nkaigofhir_audit_backlog 0\n") {
		t.Errorf("no audit backlog in\n%s", got)
	}
}

// Labels have a bounded number of values, whatever clients send.
func TestMetricLabelsAreBounded(t *testing.T) {
	w, _ := watched()
	c := servertest.Start(t, servertest.Open, with(w)).Anonymous()
	send := func(n string) {
		for _, path := range []string{"Type" + n, "Patient/" + n, "Patient/1/" + n, "$op" + n, "Patient/$op" + n, "Patient/1/$op" + n, n + "/" + n + "/" + n + "/" + n} {
			c.Read(path)
		}
		c.Do("VERB"+n, "Patient", "")
	}
	send("0")
	before := strings.Count(scrape(w.Metrics), "kaigofhir_")
	for _, n := range []string{"1", "2", "3", "4", "5"} {
		send(n)
	}
	if after := strings.Count(scrape(w.Metrics), "kaigofhir_"); after != before {
		t.Errorf("%d series after six kinds of names, %d after one", after, before)
	}
}

// personal are values of a synthetic person that no log line and no metric may
// hold, in whatever part of a request they come.
var personal = []string{"見本太郎", "ミホンタロウ", "MihonTaro", "9990001234", "1935-04-01", "090-0000-1111", "認知症高齢者"}

func TestNothingPersonalIsToldOutside(t *testing.T) {
	w, logs := watched()
	srv := servertest.Start(t, with(w))
	op := srv.As(servertest.Operator)
	for _, v := range personal {
		escaped := url.PathEscape(v)
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "PATCH", "POST", "OPTIONS"} {
			for _, path := range []string{"Patient/" + escaped, "Patient/" + escaped + "/_history/" + escaped, escaped, "$" + escaped, "Patient/$" + escaped,
				"Patient/1/" + escaped, "Patient?identifier=http://example.org|" + url.QueryEscape(v), "Patient?" + url.QueryEscape(v) + "=1", "?_type=" + url.QueryEscape(v),
				"Patient?_format=" + url.QueryEscape(v), "Patient?_cursor=" + url.QueryEscape(v), strings.TrimSuffix(op.Base(), "/fhir") + "/" + escaped + "?" + escaped} {
				body := ""
				if method != "GET" && method != "HEAD" {
					body = `{"resourceType":"Patient","id":"` + v + `","name":[{"text":"` + v + `"}],"gender":"` + v + `"}`
				}
				op.Do(method, path, body)
			}
		}
		patient := `{"resourceType":"Patient","name":[{"text":"` + v + `"}],"identifier":[{"value":"` + v + `"}]}`
		op.Create(patient).Want(201)
		op.Create(patient, "If-None-Exist: identifier="+url.QueryEscape(v))
		op.Create(patient, "If-None-Exist: "+url.QueryEscape(v)+"=1")
		for _, broken := range []string{`{"resourceType":"` + v + `"}`, `{"` + v, `{"resourceType":"Patient","` + v + `":"` + v + `"}`, `<Patient><` + v,
			`{"resourceType":"Patient","birthDate":"` + v + `"}`, v} {
			op.Do("POST", "Patient", broken)
			op.Do("POST", "Patient", broken, "Content-Type: application/fhir+xml")
			op.Do("POST", "", broken)
			op.Do("PATCH", "Patient/1", broken, "Content-Type: application/json-patch+json")
			op.Do("POST", "Patient/_search", "name="+broken, "Content-Type: application/x-www-form-urlencoded")
		}
		op.Post(bundleOf("transaction", `PUT Patient/`+escaped+` `+patient, `GET Patient?name=`+escaped))
		op.Post(bundleOf("batch", `PUT Patient/`+escaped+` `+patient, `GET Patient?name=`+escaped))
		op.Read("Patient", "Authorization: Bearer "+url.QueryEscape(v))
		op.Read("Patient", "If-None-Match: "+url.QueryEscape(v), "Accept: "+url.QueryEscape(v), "Origin: http://"+url.QueryEscape(v))
		op.Do("POST", "$intake", v, `Content-Disposition: attachment; filename="`+url.QueryEscape(v)+`.csv"`, "Content-Type: text/csv")
		token := strings.TrimSuffix(op.Base(), "/fhir") + server.TokenPath
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"` + v + `","sub":"` + v + `"}`))
		assertion := "eyJhbGciOiJFUzM4NCIsImtpZCI6InRlc3QifQ." + claims + ".AAAA"
		for _, form := range []url.Values{{"grant_type": {v}}, {v: {"1", "2"}}, {"grant_type": {"client_credentials"}, "client_assertion": {assertion}, "scope": {v}, "client_id": {v},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}} {
			op.Do("POST", token, form.Encode(), "Content-Type: application/x-www-form-urlencoded")
		}
	}
	if err := srv.Close(); err != nil {
		t.Fatal(err)
	}
	told := logs.String() + scrape(w.Metrics)
	if n := strings.Count(told, `"msg":"request"`); n < 500 {
		t.Fatalf("only %d requests in the log: the test sees nothing", n)
	}
	for _, v := range personal {
		for _, form := range []string{v, url.QueryEscape(v), url.PathEscape(v), strings.ToLower(v)} {
			for _, line := range strings.Split(told, "\n") {
				if strings.Contains(line, form) {
					t.Errorf("%s is told: %.400s", form, line)
				}
			}
		}
	}
}

// A line of the access log has these keys and no others.
func TestAccessLog(t *testing.T) {
	w, logs := watched()
	srv := servertest.Start(t, with(w))
	c := srv.As("insurer")
	c.Read("Patient/secret-id?_summary=true", "X-Request-Id: req-7").Want(404)
	var line map[string]any
	for text := range strings.Lines(logs.String()) {
		if strings.Contains(text, `"request":"req-7"`) {
			if err := json.Unmarshal([]byte(text), &line); err != nil {
				t.Fatal(err)
			}
		}
	}
	for key, want := range map[string]any{"method": "GET", "route": "/fhir/:type/:id", "interaction": "read", "status": 404.0, "client": "insurer", "request": "req-7", "msg": "request"} {
		if line[key] != want {
			t.Errorf("%s: %v, want %v", key, line[key], want)
		}
	}
	known := []string{"time", "level", "msg", "method", "route", "interaction", "status", "duration", "bytes", "request", "client"}
	for key := range line {
		if !slices.Contains(known, key) {
			t.Errorf("unexpected key %s", key)
		}
	}
	if found := regexp.MustCompile(`secret-id|_summary`).FindString(logs.String()); found != "" {
		t.Errorf("the log tells %s", found)
	}
}

// The page for operators names every metric, and none that there is not.
func TestMetricsAreDocumented(t *testing.T) {
	w, _ := watched()
	srv := servertest.Start(t, with(w))
	srv.As("insurer").Read("metadata")
	page, err := os.ReadFile("../../docs/running.md")
	if err != nil {
		t.Fatal(err)
	}
	names := func(text, pattern string) []string {
		var list []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			list = append(list, m[1])
		}
		slices.Sort(list)
		return slices.Compact(list)
	}
	same(t, "metrics", names(string(page), "`(kaigofhir_[a-z_]+)`"), names(scrape(w.Metrics), `(?m)^# TYPE (kaigofhir_[a-z_]+) `))
}
