package api_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

func TestNegotiation(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	const j, x = "application/fhir+json; charset=utf-8", "application/fhir+xml; charset=utf-8"
	for _, tt := range []struct{ path, accept, want string }{
		{"Patient/p1", "-", j},
		{"Patient/p1", "*/*", j},
		{"Patient/p1", "application/json", j},
		{"Patient/p1", "application/xml", x},
		{"Patient/p1", "text/xml", x},
		{"Patient/p1", "application/fhir+xml; fhirVersion=4.0", x},
		{"Patient/p1", "application/fhir+json;q=0.5, application/fhir+xml", x},
		{"Patient/p1", "image/png, application/fhir+xml;q=0.1", x},
		{"Patient/p1", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", j},
		{"Patient/p1?_format=xml", "application/fhir+json", x},
		{"Patient/p1?_format=application/fhir%2Bxml", "-", x},
		{"Patient/p1?_format=application/fhir+xml", "-", x},
		{"Patient/p1?_format=json", "application/fhir+xml", j},
		{"Patient?_format=xml", "-", x},
		{"Patient/nobody?_format=xml", "-", x},
		{"metadata?_format=xml", "-", x},
		{"Patient/p1/_history?_format=xml", "-", x},
	} {
		r := c.Read(tt.path, "Accept: "+tt.accept)
		if got := r.Header.Get("Content-Type"); got != tt.want {
			t.Errorf("%s, Accept %s: %s, want %s", tt.path, tt.accept, got, tt.want)
		}
		if tt.want == x {
			if _, err := fhirxml.Decode(r.Body, fhirxml.Options{}); err != nil {
				t.Errorf("%s: %v", tt.path, err)
			}
		}
	}
}

func TestPretty(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	if r := c.Read("Patient/p1?_pretty=true").Want(200); !strings.Contains(string(r.Body), "\n  \"id\": \"p1\"") {
		t.Errorf("%s", r.Body)
	}
	for _, path := range []string{"Patient/p1", "Patient", "metadata"} {
		r := c.Read(path+"?_pretty=true", "Accept: application/fhir+xml").Want(200)
		if _, err := fhirxml.Decode(r.Body, fhirxml.Options{}); err != nil || !strings.Contains(string(r.Body), "\n  <") {
			t.Errorf("%s: %v %.300s", path, err, r.Body)
		}
	}
}

func TestXMLTransaction(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	e, err := fhirjson.Decode([]byte(bundleOf("transaction", `PUT Patient/p1 {"resourceType":"Patient","id":"p1"}`)), fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := c.Post(string(fhirxml.Append(nil, e)), "Content-Type: application/fhir+xml", "Accept: application/fhir+xml").Want(200)
	out, err := fhirxml.Decode(r.Body, fhirxml.Options{})
	if err != nil || out.Text("entry", "response", "status") != "201 Created" {
		t.Errorf("%v %s", err, r.Body)
	}
}

func TestCompression(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	long := `{"resourceType":"Patient","id":"p1","name":[{"family":"` + strings.Repeat("山田", 2000) + `"}]}`
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, long); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c.Do("PUT", "Patient/p1", packed.String(), "Content-Encoding: gzip").Want(201)
	plain := c.Read("Patient/p1", "Accept-Encoding: identity").Want(200)
	for _, encoding := range []string{"gzip", "zstd"} {
		r := c.Read("Patient/p1", "Accept-Encoding: "+encoding).Want(200)
		if r.Header.Get("Content-Encoding") != encoding || len(r.Body) > len(plain.Body)/4 {
			t.Errorf("%s: %v, %d bytes", encoding, r.Header, len(r.Body))
		}
		var data []byte
		var err error
		if encoding == "gzip" {
			var g *gzip.Reader
			if g, err = gzip.NewReader(bytes.NewReader(r.Body)); err == nil {
				data, err = io.ReadAll(g)
			}
		} else {
			var z *zstd.Decoder
			if z, err = zstd.NewReader(nil); err == nil {
				data, err = z.DecodeAll(r.Body, nil)
			}
		}
		if err != nil || !bytes.Equal(data, plain.Body) {
			t.Errorf("%s: %v, other content", encoding, err)
		}
	}
	if r := c.Read("Patient/p1", "Accept-Encoding: gzip;q=0").Want(200); r.Header.Get("Content-Encoding") != "" {
		t.Error("compressed though refused")
	}
}

func TestBodyLimit(t *testing.T) {
	c := servertest.Start(t, servertest.Open, func(cfg *server.Config) { cfg.MaxBody = 1000 }).Anonymous()
	big := `{"resourceType":"Patient","name":[{"family":"` + strings.Repeat("x", 2000) + `"}]}`
	same(t, "plain", c.Create(big).Want(413).Issue(), "too-long/body-too-large")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := io.WriteString(w, big); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	c.Do("POST", "Patient", packed.String(), "Content-Encoding: gzip").Want(413)
}

func TestLanguages(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for accept, want := range map[string]string{
		"-": "is not known", "en": "is not known", "ja": "見つかりません", "ja-JP,en;q=0.5": "見つかりません", "fr, en;q=0.3, ja;q=0.9": "見つかりません",
	} {
		text := c.Read("Patient/nobody", "Accept-Language: "+accept).Want(404).Resource().Text("issue", "details", "text")
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", accept, text)
		}
	}
}

func TestRequestID(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	if got := c.Read("metadata", "X-Request-Id: abc-1").Header.Get("X-Request-Id"); got != "abc-1" {
		t.Error(got)
	}
	for _, bad := range []string{"", "a b", strings.Repeat("x", 65), "<script>"} {
		if got := c.Read("metadata", "X-Request-Id: "+bad).Header.Get("X-Request-Id"); got == bad || got == "" {
			t.Errorf("%q came back as %q", bad, got)
		}
	}
}

func TestCORS(t *testing.T) {
	srv := servertest.Start(t, servertest.Open, func(cfg *server.Config) { cfg.Origins = []string{"https://app.example"} })
	c := srv.Anonymous()
	r := c.Do("OPTIONS", "Patient/p1", "", "Origin: https://app.example", "Access-Control-Request-Method: PUT").Want(204)
	if r.Header.Get("Access-Control-Allow-Origin") != "https://app.example" || !strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "PUT") {
		t.Errorf("%v", r.Header)
	}
	if r := c.Read("metadata", "Origin: https://app.example").Want(200); r.Header.Get("Access-Control-Allow-Origin") == "" || !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), "ETag") {
		t.Errorf("%v", r.Header)
	}
	if r := c.Read("metadata", "Origin: https://evil.example").Want(200); r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("%v", r.Header)
	}
}

func TestOptions(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	if got := c.Do("OPTIONS", "", "").Want(200).Resource().ResourceType(); got != "CapabilityStatement" {
		t.Error(got)
	}
	r := c.Do("OPTIONS", "Patient/p1", "").Want(204)
	for _, m := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS"} {
		if !strings.Contains(r.Header.Get("Allow"), m) {
			t.Errorf("Allow: %s", r.Header.Get("Allow"))
		}
	}
}

func TestMetadata(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	r := c.Read("metadata").Want(200)
	e := r.Resource()
	if e.ResourceType() != "CapabilityStatement" || e.Text("fhirVersion") != "4.0.1" {
		t.Errorf("%.300s", r.Body)
	}
	types := 0
	for res := range e.Get("rest").All("resource") {
		types++
		if res.Text("type") != "Observation" {
			continue
		}
		codes := map[string]bool{}
		for i := range res.All("interaction") {
			codes[i.Text("code")] = true
		}
		same(t, "interactions", codes, map[string]bool{"read": true, "vread": true, "update": true, "patch": true,
			"delete": true, "history-instance": true, "history-type": true, "create": true, "search-type": true})
		params := 0
		for range res.All("searchParam") {
			params++
		}
		if params < 30 {
			t.Errorf("%d search parameters of Observation", params)
		}
	}
	same(t, "resource types", types, len(r4.ResourceTypes()))
	again := c.Read("metadata", "If-None-Match: "+r.Header.Get("ETag")).Want(304)
	if len(again.Body) != 0 {
		t.Error("a body with 304")
	}
	same(t, "terminology", c.Read("metadata?mode=terminology").Want(200).Resource().ResourceType(), "TerminologyCapabilities")
}

func TestOutside(t *testing.T) {
	srv := servertest.Start(t, func(cfg *server.Config) {
		cfg.Home = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "home") })
	})
	c := srv.Anonymous()
	root := strings.TrimSuffix(srv.URL, "/fhir")
	same(t, "home", string(c.Read(root+"/").Want(200).Body), "home")
	c.Read(root + "/healthz").Want(200)
	c.Read(root + "/readyz").Want(200)
	c.Read(root + "/elsewhere").Want(404)
	c.Read(".well-known/smart-configuration").Want(200)
	c.Read("metadata").Want(200)
}

func TestRateLimit(t *testing.T) {
	c := servertest.Start(t, servertest.Open, func(cfg *server.Config) { cfg.Rate, cfg.Burst = 1, 3 }).Anonymous()
	for range 3 {
		c.Read("Patient").Want(200)
	}
	r := c.Read("Patient").Want(429)
	if r.Header.Get("Retry-After") == "" || r.Issue() != "throttled/throttled" {
		t.Errorf("%v %s", r.Header, r.Body)
	}
}

func TestNoToken(t *testing.T) {
	srv := servertest.Start(t)
	for _, path := range []string{"Patient", "Patient/1", "Patient/1/_history", "_history", "Pazient/1", "$brew"} {
		r := srv.Anonymous().Read(path).Want(401)
		if r.Issue()[:5] != "login" || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s: %s %v", path, r.Issue(), r.Header)
		}
	}
	srv.WithToken("nonsense").Read("Patient").Want(401)
	srv.Anonymous().Do("POST", "", bundleOf("batch", "GET Patient")).Want(401)
}
