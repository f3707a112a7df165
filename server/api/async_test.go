package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

const async = "Prefer: respond-async"

// kickedOff returns the address of the status of a request that was accepted.
func kickedOff(t *testing.T, r *servertest.Response) string {
	t.Helper()
	status := r.Want(202).Header.Get("Content-Location")
	if !strings.HasPrefix(status, "http") {
		t.Fatalf("%s: Content-Location %q", r.Request, status)
	}
	return status
}

// finished polls until the answer is another than 202.
func finished(t *testing.T, c *servertest.Client, status string) *servertest.Response {
	t.Helper()
	for range 2000 {
		r := c.On(t).Read(status)
		if r.Status != 202 {
			return r
		}
		if p := r.Header.Get("X-Progress"); p == "" || len(p) > 100 || r.Header.Get("Retry-After") == "" {
			t.Fatalf("polling: X-Progress %q, Retry-After %q", p, r.Header.Get("Retry-After"))
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("the job does not finish")
	return nil
}

func TestAsync(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"a","name":[{"family":"mihon"}]}`).Want(201)
	for _, tt := range []struct {
		name   string
		send   func() *servertest.Response
		status string // of the request, in the entry
		inside string // type of the resource or Bundle inside
	}{
		{"search", func() *servertest.Response { return c.Search("Patient?name=mihon", async) }, "200 OK", "searchset"},
		{"search by POST", func() *servertest.Response {
			return c.Do("POST", "Patient/_search", url.Values{"name": {"mihon"}}.Encode(), "Content-Type: application/x-www-form-urlencoded", async)
		}, "200 OK", "searchset"},
		{"search of everything", func() *servertest.Response { return c.Search("?_type=Patient&name=mihon", async) }, "200 OK", "searchset"},
		{"compartment", func() *servertest.Response { return c.Search("Patient/a/*", async) }, "200 OK", "searchset"},
		{"history", func() *servertest.Response { return c.Read("Patient/a/_history", async) }, "200 OK", "history"},
		{"history of the system", func() *servertest.Response { return c.Read("_history", async) }, "200 OK", "history"},
		{"a search that is refused", func() *servertest.Response { return c.Search("Patient?birthdate=x", async) }, "400 Bad Request", ""},
		{"an unknown parameter, strict", func() *servertest.Response {
			return c.Search("Patient?nothing=x", "Prefer: respond-async, handling=strict")
		}, "400 Bad Request", ""},
		{"an operation", func() *servertest.Response { return c.Do("GET", "Patient/a/$everything", "", async) }, "200 OK", "searchset"},
		{"an operation by POST", func() *servertest.Response {
			return c.Do("POST", "Patient/$validate", `{"resourceType":"Patient"}`, async)
		}, "200 OK", "OperationOutcome"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status := kickedOff(t, tt.send())
			r := finished(t, c, status).Want(200)
			b := r.Resource()
			if b.Text("type") != "batch-response" || b.Text("entry", "response", "status") != tt.status {
				t.Fatalf("result %s", r.Body)
			}
			res := b.Get("entry").Get("resource")
			switch {
			case tt.inside == "":
				if res != nil || b.Get("entry").Get("response").Get("outcome") == nil {
					t.Errorf("result %s", r.Body)
				}
			case res.ResourceType() != tt.inside && res.Text("type") != tt.inside:
				t.Errorf("inside is a %s", r.Body)
			}
			if r.Header.Get("Expires") == "" {
				t.Error("no Expires")
			}
			c.On(t).Read(status).Want(200) // as often as one likes
			if xml := c.On(t).Read(status, "Accept: application/fhir+xml").Want(200); !strings.HasPrefix(string(xml.Body), "<Bundle") {
				t.Errorf("XML: %.100s", xml.Body)
			}
			c.On(t).Delete(status).Want(202)
			c.On(t).Read(status).Want(404)
			c.On(t).Delete(status).Want(404)
		})
	}
	t.Run("transaction", func(t *testing.T) {
		r := finished(t, c, kickedOff(t, c.Post(bundleOf("transaction", `PUT Patient/b {"resourceType":"Patient","id":"b"}`), async))).Want(200)
		if r.Resource().Text("type") != "transaction-response" || r.Resource().Text("entry", "response", "status") != "201 Created" {
			t.Errorf("result %s", r.Body)
		}
		c.Read("Patient/b").Want(200)
	})
	t.Run("a transaction that fails", func(t *testing.T) {
		r := finished(t, c, kickedOff(t, c.Post(bundleOf("transaction", `DELETE Patient/b`, `PUT Patient/c {"resourceType":"Patient","id":"d"}`), async))).Want(200)
		if r.Resource().Text("type") != "batch-response" || !strings.HasPrefix(r.Resource().Text("entry", "response", "status"), "4") {
			t.Errorf("result %s", r.Body)
		}
		c.Read("Patient/b").Want(200)
	})
	t.Run("what is quick is answered at once", func(t *testing.T) {
		c.Read("Patient/a", async).Want(200)
		c.Create(`{"resourceType":"Patient"}`, async).Want(201)
		c.Read("metadata", async).Want(200)
	})
	c.Read("_async/nothing").Want(404)
	c.Read("_async/..%2Fpaging").Want(404)
}

// TestAsyncIsBound shows that a result is for its caller only, by whichever
// token, and only as long as the policy gives it.
func TestAsyncIsBound(t *testing.T) {
	srv := servertest.Start(t)
	for _, name := range []string{"insurer", "hospital", "care-manager"} {
		srv.Intake(name).Want(200)
	}
	patient := strings.TrimPrefix(srv.As(servertest.Operator).Search("Patient?_sort=_id&_count=1").Want(200).Keys("match")[0], "Patient/")
	clinic := srv.As("clinic")
	consent := clinic.Create(string(fhirjson.Append(nil, consentTo(srv, patient, "clinic")))).Want(201).Resource()
	clinic.Read("Patient/" + patient).Want(200)

	status := kickedOff(t, clinic.Search("Patient?_id="+patient, async))
	r := finished(t, clinic, status).Want(200)
	if !strings.Contains(string(r.Body), `"total":1`) {
		t.Fatalf("with consent: %s", r.Body)
	}
	for _, other := range []string{"hospital", "insurer", servertest.Operator} {
		srv.As(other).Read(status).Want(404)
		srv.As(other).Delete(status).Want(404)
	}
	srv.Anonymous().Read(status).Want(401)
	srv.As("clinic").Read(status).Want(200) // a new token

	narrow := srv.AsWith("clinic", "system/Observation.rs")
	if r := finished(t, narrow, status); strings.Contains(string(r.Body), `"Patient"`) {
		t.Errorf("a token for observations gets %s", r.Body)
	}

	status = kickedOff(t, clinic.Search("Patient?_id="+patient, async))
	finished(t, clinic, status).Want(200)
	srv.As("insurer").Update(string(fhirjson.Append(nil, consent.Set("status", "inactive")))).Want(200)
	clinic.Read("Patient/" + patient).Want(404)
	r = finished(t, clinic, status).Want(200)
	if !strings.Contains(string(r.Body), `"total":0`) || strings.Contains(string(r.Body), `"Patient"`) {
		t.Errorf("after the consent was withdrawn: %s", r.Body)
	}
}

// What a transaction wrote is told, but no longer shown, once it may not be
// seen any more.
func TestAsyncWriteIsNotShownAfterWithdrawal(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("insurer").Want(200)
	patient := strings.TrimPrefix(srv.As(servertest.Operator).Search("Patient?_sort=_id&_count=1").Want(200).Keys("match")[0], "Patient/")
	clinic := srv.As("clinic")
	consent := clinic.Create(string(fhirjson.Append(nil, consentTo(srv, patient, "clinic")))).Want(201).Resource()
	status := kickedOff(t, clinic.Post(bundleOf("batch", "GET Patient/"+patient), async))
	if r := finished(t, clinic, status).Want(200); !strings.Contains(string(r.Body), `"Patient"`) {
		t.Fatalf("with consent: %s", r.Body)
	}
	srv.As("insurer").Update(string(fhirjson.Append(nil, consent.Set("status", "inactive")))).Want(200)
	if r := finished(t, clinic, status).Want(200); strings.Contains(string(r.Body), `"Patient"`) || !strings.Contains(string(r.Body), `"200 OK"`) {
		t.Errorf("after the consent was withdrawn: %s", r.Body)
	}
}

func consentTo(srv *servertest.Server, patient, office string) *fhir.Element {
	terms := sharing.Terms{Patient: patient, Taker: office, Active: true, Permit: true, Recipients: []string{office},
		Identified: sharing.ByMyNumberCard, Start: srv.Clock.Now()}
	return terms.Resource()
}

// A request that was accepted outlives the process.
func TestAsyncOutlivesARestart(t *testing.T) {
	clock := servertest.NewClock()
	st, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close() //nolint:errcheck // in memory
	jobs := job.Folder(t.TempDir())
	slow := &slowStore{Store: st, gate: make(chan struct{})}
	keep := func(s store.Store) servertest.Option {
		return func(c *server.Config) { c.Jobs, c.Store, c.Options.ClientIDs = jobs, s, true }
	}
	first := servertest.StartOn(t, slow, clock, servertest.Open, keep(slow))
	c := first.Anonymous()
	c.Update(`{"resourceType":"Patient","id":"a"}`).Want(201)
	close(slow.gate) // from now on searches wait for the end of their context
	status := kickedOff(t, c.Search("Patient", async))
	for c.Read(status).Header.Get("X-Progress") != "running" {
		time.Sleep(5 * time.Millisecond)
	}
	if err := first.Server.Close(); err != nil {
		t.Fatal(err)
	}
	second := servertest.StartOn(t, st, clock, servertest.Open, keep(st))
	moved := second.URL + status[strings.Index(status, "/fhir")+len("/fhir"):]
	if r := finished(t, second.Anonymous(), moved).Want(200); !strings.Contains(string(r.Body), `"total":1`) {
		t.Errorf("after the restart: %s", r.Body)
	}
}

// A client of R4's own pattern accepts application/json and gets a manifest.
func TestAsyncManifest(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"a"}`).Want(201)
	status := kickedOff(t, c.Search("Patient?_id=a", async))
	finished(t, c, status).Want(200)
	r := c.Read(status, "Accept: application/json").Want(200)
	var manifest struct {
		TransactionTime     time.Time
		Request             string
		RequiresAccessToken bool
		Output              []struct{ Type, URL string }
		Error               []any
	}
	if err := json.Unmarshal(r.Body, &manifest); err != nil {
		t.Fatal(err)
	}
	if r.Header.Get("Content-Type") != "application/json" || manifest.Request != c.Base()+"/Patient?_id=a" || manifest.RequiresAccessToken ||
		manifest.TransactionTime.IsZero() || len(manifest.Output) != 1 || manifest.Output[0].Type != "Bundle" || manifest.Error == nil {
		t.Fatalf("%s", r.Body)
	}
	file := c.Read(manifest.Output[0].URL, "Accept: application/fhir+ndjson").Want(200)
	if file.Header.Get("Content-Type") != "application/fhir+ndjson" || strings.Count(string(file.Body), "\n") != 1 || !strings.Contains(string(file.Body), `"total":1`) {
		t.Errorf("%v %s", file.Header, file.Body)
	}
	c.Read(status + "/other").Want(404)
	c.Delete(status).Want(202)
	c.Read(manifest.Output[0].URL).Want(404)
}

func TestAsyncPreflight(t *testing.T) {
	c := servertest.Start(t, servertest.Open, func(c *server.Config) { c.Origins = []string{"https://app.example"} }).Anonymous()
	r := c.Search("Patient", async, "Origin: https://app.example").Want(202)
	if !strings.Contains(r.Header.Get("Access-Control-Expose-Headers"), "Content-Location") {
		t.Errorf("a browser cannot read Content-Location: %v", r.Header)
	}
	if got := c.Do(http.MethodOptions, r.Header.Get("Content-Location"), "", "Origin: https://app.example", "Access-Control-Request-Method: DELETE").Status; got != 204 {
		t.Errorf("preflight of DELETE: %d", got)
	}
}
