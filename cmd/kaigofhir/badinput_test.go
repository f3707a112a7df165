package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
)

// outcome is the part of an OperationOutcome the tests look at.
type outcome struct {
	ResourceType string `json:"resourceType"`
	Issue        []struct {
		Severity, Code string
		Details        struct {
			Text   string
			Coding []struct{ Code string }
		}
	}
}

// TestBadFiles sends each kind of broken file as its organisation would: a
// clear message comes back, and nothing is stored.
func TestBadFiles(t *testing.T) {
	f := startFlow(t)
	f.load(t)
	before := f.count(t)
	tests := []struct {
		name, organization string
		files              []mapping.File
		status             int
		wants              []string // parts of the texts, in Japanese
	}{
		{"a file in the wrong encoding", "care-manager", samples.Bad()["wrong-encoding"], 422, []string{"UTF-8", "Shift_JIS"}},
		{"a broken row", "hospital", samples.Bad()["broken-row"], 422, []string{"項目数は 122", "Line[5]"}},
		{"an unknown code", "insurer", samples.Bad()["unknown-code"], 422, []string{"要介護状態区分", "様式にないコード", "Line[3]"}},
		{"a wrong check digit", "insurer", samples.Bad()["wrong-check-digit"], 422, []string{"保険者番号", "検証番号"}},
		{"a truncated file", "hospital", samples.Bad()["truncated"], 422, []string{"途切れて", "Line[6]"}},
		{"a token of the wrong organisation", "clinic", samples.Of(hospitalSample()), 403, []string{"別の組織"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, answer := f.upload(t, tt.organization, tt.files)
			var o outcome
			if err := json.Unmarshal(answer, &o); err != nil || o.ResourceType != "OperationOutcome" || len(o.Issue) == 0 {
				t.Fatalf("no OperationOutcome: %s", answer)
			}
			if status != tt.status {
				t.Errorf("status %d, want %d: %s", status, tt.status, answer)
			}
			for _, want := range tt.wants {
				if !strings.Contains(string(answer), want) {
					t.Errorf("the answer does not say %q: %s", want, answer)
				}
			}
			if after := f.count(t); after != before {
				t.Errorf("something was stored: %s before, %s after", before, after)
			}
		})
	}
	t.Run("a truncated upload", func(t *testing.T) {
		f.cutUpload(t)
		if after := f.count(t); after != before {
			t.Errorf("something was stored: %s before, %s after", before, after)
		}
	})
}

func hospitalSample() samples.Organization {
	for _, o := range samples.Organizations() {
		if o.Key == "hospital" {
			return o
		}
	}
	panic("the samples have no hospital")
}

// count counts everything the operator can see, versions included: a change
// of any kind changes it.
func (f *flow) count(t *testing.T) string {
	t.Helper()
	var counts []string
	for _, resourceType := range []string{"Patient", "DocumentReference", "Bundle", "CarePlan", "Goal", "Observation", "Coverage", "QuestionnaireResponse", "Organization"} {
		status, body, err := f.as(t.Context(), "operator", http.MethodGet, resourceType+"/_history?_summary=count", "")
		var bundle struct{ Total *int }
		if err != nil || status != http.StatusOK || json.Unmarshal(body, &bundle) != nil || bundle.Total == nil {
			t.Fatalf("%s: status %d, %v: %s", resourceType, status, err, body)
		}
		counts = append(counts, fmt.Sprintf("%s %d", resourceType, *bundle.Total))
	}
	return strings.Join(counts, ", ")
}

// upload sends files to $intake.
func (f *flow) upload(t *testing.T, organization string, files []mapping.File) (status int, answer []byte) {
	t.Helper()
	if len(files) == 0 {
		t.Fatal("the samples lack these files")
	}
	body, contentType := multipartBody(t, files)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.process.ready.URL+"/$intake", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept-Language", "ja")
	req.Header.Set("Authorization", "Bearer "+f.token(t, organization))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}

func (f *flow) token(t *testing.T, organization string) string {
	t.Helper()
	token, err := f.world.Token(t.Context(), organization)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func multipartBody(t *testing.T, files []mapping.File) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	form := multipart.NewWriter(body)
	for _, file := range files {
		part, err := form.CreateFormFile("file", file.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := part.Write(file.Data); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return body, form.FormDataContentType()
}

// cutUpload announces a whole upload, sends half of it and hangs up.
func (f *flow) cutUpload(t *testing.T) {
	t.Helper()
	body, contentType := multipartBody(t, samples.Of(hospitalSample()))
	host := strings.TrimSuffix(strings.TrimPrefix(f.process.ready.URL, "http://"), "/fhir")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(conn, "POST /fhir/$intake HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n",
		host, f.token(t, "hospital"), contentType, body.Len())
	if _, err := conn.Write(body.Bytes()[:body.Len()/2]); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err == nil {
		defer res.Body.Close()
		if res.StatusCode < 400 {
			t.Errorf("half an upload was answered %s", res.Status)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpenModeStaysOnLoopback makes sure that the mode without access control
// cannot be reached from elsewhere.
func TestOpenModeStaysOnLoopback(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.org:80"} {
		_, stderr, status := run(t, "serve", "--open", "--addr", addr, "--data", t.TempDir())
		if status != 1 || !strings.Contains(stderr, "loopback") {
			t.Errorf("%s: status %d, %q", addr, status, stderr)
		}
	}
	p := start(t, "serve", "--open", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--ready-json")
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(p.stderr.String(), "OPEN MODE") {
		t.Errorf("no banner: %s", p.stderr)
	}
}

// TestMapReportsProblems runs map on a good and on a bad file.
func TestMapReportsProblems(t *testing.T) {
	const folder = "../../mapping/samples/files/"
	stdout, stderr, status := run(t, "map", folder+"hospital/4719900013_2026041001.csv")
	var bundle struct{ ResourceType, Type string }
	if err := json.Unmarshal([]byte(stdout), &bundle); err != nil || bundle.ResourceType != "Bundle" || status != 0 {
		t.Errorf("status %d, %v, %.200s\n%s", status, err, stdout, stderr)
	}
	_, stderr, status = run(t, "map", "--lang", "ja", folder+"bad/broken-row/4719900013_2026050101.csv")
	if status != 1 || !strings.Contains(stderr, "4719900013_2026050101.csv:5") {
		t.Errorf("status %d, %s", status, stderr)
	}
}
