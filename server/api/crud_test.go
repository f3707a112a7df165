package api_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

const yamada = `{"resourceType":"Patient","name":[{"family":"山田","given":["花子"]}],"gender":"female","birthDate":"1940-02-03"}`

func TestCreate(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	r := c.Create(yamada).Want(201)
	id := r.ID()
	base := srv.URL + "/Patient/" + id
	for name, want := range map[string]string{
		"Location": base + "/_history/1", "ETag": `W/"1"`, "Last-Modified": "Wed, 01 Apr 2026 00:00:00 GMT",
		"Content-Type": "application/fhir+json; charset=utf-8",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	want := `{"resourceType":"Patient","id":"` + id + `","meta":{"versionId":"1","lastUpdated":"2026-04-01T00:00:00.000Z"},` +
		strings.TrimPrefix(yamada, `{"resourceType":"Patient",`)
	if string(r.Body) != want {
		t.Errorf("body %s, want %s", r.Body, want)
	}
	if got := c.Read("Patient/" + id).Want(200); string(got.Body) != want {
		t.Errorf("read %s, want %s", got.Body, want)
	}
}

func TestCreateIgnoresIDAndMeta(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	r := c.Create(`{"resourceType":"Patient","id":"mine","meta":{"versionId":"77","lastUpdated":"1999-01-01T00:00:00Z","tag":[{"code":"keep"}]}}`).Want(201)
	e := r.Resource()
	if e.ID() == "mine" || e.Text("meta", "versionId") != "1" || !strings.HasPrefix(e.Text("meta", "lastUpdated"), "2026-") {
		t.Errorf("the client's id or meta was kept: %s", r.Body)
	}
	if e.Text("meta", "tag", "code") != "keep" {
		t.Errorf("the tag was lost: %s", r.Body)
	}
}

func TestLosslessThroughTheServer(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	body := `{"resourceType":"Observation","status":"final","code":{"text":"体重"},"_effectiveDateTime":{"extension":[{"url":"http://example.org/x","valueCode":"y"}]},"valueQuantity":{"value":1.10,"unit":"kg"},"component":[{"code":{"text":"a"},"valueString":"𠮷田 \"\\u003c<>&"}]}`
	r := c.Create(body).Want(201)
	for _, part := range []string{`"value":1.10`, `"_effectiveDateTime":{"extension"`, `𠮷田 \"\\u003c<>&`} {
		if !strings.Contains(string(r.Body), part) {
			t.Errorf("%q is lost in %s", part, r.Body)
		}
	}
	x := c.Read("Observation/"+r.ID(), "Accept: application/fhir+xml").Want(200)
	if !strings.Contains(string(x.Body), `<value value="1.10"/>`) {
		t.Errorf("XML %s", x.Body)
	}
	back := c.Do("POST", "Observation", string(x.Body), "Content-Type: application/fhir+xml", "Accept: application/fhir+json").Want(201)
	if !strings.Contains(string(back.Body), `"value":1.10`) {
		t.Errorf("back from XML %s", back.Body)
	}
}

func TestUpdate(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	r := c.Update(`{"resourceType":"Patient","id":"p1","active":true}`).Want(201)
	if got, want := r.Header.Get("Location"), srv.URL+"/Patient/p1/_history/1"; got != want {
		t.Errorf("Location %q, want %q", got, want)
	}
	srv.Clock.Advance(time.Minute)
	r = c.Update(`{"resourceType":"Patient","id":"p1","active":false}`).Want(200)
	if r.Header.Get("ETag") != `W/"2"` || r.Header.Get("Location") != "" || r.Resource().Text("active") != "false" {
		t.Errorf("%v %s", r.Header, r.Body)
	}
	c.Update(`{"resourceType":"Patient","id":"p1"}`, `If-Match: W/"2"`).Want(200)
	c.Update(`{"resourceType":"Patient","id":"p1"}`, `If-Match: W/"2"`).Want(412)
	c.Update(`{"resourceType":"Patient","id":"p1"}`, `If-None-Match: *`).Want(412)
	c.Update(`{"resourceType":"Patient","id":"p2"}`, `If-None-Match: *`).Want(201)
}

func TestUpdateAsCreateOff(t *testing.T) {
	srv := servertest.Start(t, servertest.Open, servertest.ServerIDs)
	c := srv.Anonymous()
	r := c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(405)
	if r.Issue() != "not-supported/client-id" {
		t.Error(r.Issue())
	}
}

func TestPrefer(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	if r := c.Create(yamada, "Prefer: return=minimal").Want(201); len(r.Body) != 0 || r.Header.Get("Location") == "" {
		t.Errorf("minimal: %s", r.Body)
	}
	if r := c.Create(yamada, "Prefer: return=representation").Want(201); r.Resource().ResourceType() != "Patient" {
		t.Errorf("representation: %s", r.Body)
	}
	if r := c.Create(yamada, "Prefer: return=OperationOutcome").Want(201); r.Resource().ResourceType() != "OperationOutcome" {
		t.Errorf("OperationOutcome: %s", r.Body)
	}
}

func TestDelete(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	if r := c.Delete("Patient/p1").Want(204); r.Header.Get("ETag") != `W/"2"` || len(r.Body) != 0 {
		t.Errorf("%v %s", r.Header, r.Body)
	}
	if r := c.Read("Patient/p1").Want(410); r.Issue() != "deleted/deleted" {
		t.Error(r.Issue())
	}
	c.Read("Patient/p1/_history/1").Want(200)
	c.Read("Patient/p1/_history/2").Want(410)
	c.Delete("Patient/p1").Want(204)
	c.Delete("Patient/nobody").Want(204)
	if r := c.Search("Patient").Want(200); r.Total() != "0" {
		t.Errorf("total %s", r.Total())
	}
	c.Read("Patient/p1/_history/3").Want(404) // deleting twice makes no version
	r := c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	if r.Header.Get("ETag") != `W/"3"` {
		t.Errorf("revived as %s", r.Header.Get("ETag"))
	}
}

func TestConditionalRead(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	for _, tt := range []struct {
		name, header string
		want         int
	}{
		{"same version", `If-None-Match: W/"1"`, 304},
		{"strong form", `If-None-Match: "1"`, 304},
		{"any", `If-None-Match: *`, 304},
		{"one of several", `If-None-Match: W/"7", W/"1"`, 304},
		{"another version", `If-None-Match: W/"2"`, 200},
		{"not modified since", `If-Modified-Since: Wed, 01 Apr 2026 00:00:00 GMT`, 304},
		{"modified since", `If-Modified-Since: Tue, 31 Mar 2026 23:59:59 GMT`, 200},
		{"no date", `If-Modified-Since: yesterday`, 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := c.On(t).Read("Patient/p1", tt.header).Want(tt.want)
			if tt.want == 304 && (len(r.Body) != 0 || r.Header.Get("ETag") != `W/"1"`) {
				t.Errorf("%v %s", r.Header, r.Body)
			}
		})
	}
}

func TestHead(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	get, head := c.Read("Patient/p1").Want(200), c.Do("HEAD", "Patient/p1", "").Want(200)
	if len(head.Body) != 0 || head.Header.Get("ETag") != get.Header.Get("ETag") || head.Header.Get("Content-Length") != get.Header.Get("Content-Length") {
		t.Errorf("GET %v, HEAD %v", get.Header, head.Header)
	}
	c.Do("HEAD", "Patient/nobody", "").Want(404)
}

func TestNoTrailingSlashRedirect(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Do("POST", "Patient/", yamada).Want(201)
	c.Read("Patient/").Want(200)
	c.Do("POST", "/", `{"resourceType":"Bundle","type":"batch"}`).Want(200)
	c.Do("POST", "", `{"resourceType":"Bundle","type":"batch"}`).Want(200)
}

// Every resource type of R4 is served alike: the examples of the specification
// are stored under their own ids, read back in both formats and found.
func TestEveryResourceType(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	seen := map[string]bool{}
	for example, err := range fhirtest.Some(os.DirFS("../..")) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := fhirjson.Decode(example.JSON, fhirjson.Options{})
		if err != nil {
			t.Fatal(err)
		}
		typ := e.ResourceType()
		if seen[typ] || len(example.JSON) > 200_000 {
			continue
		}
		key := typ + "/" + e.ID()
		c.Do("PUT", key, string(example.JSON)).Want(201)
		seen[typ] = true
		c.Read(key).Want(200)
		c.Read(key, "Accept: application/fhir+xml").Want(200)
		if r := c.Search(typ + "?_id=" + e.ID()).Want(200); r.Total() != "1" {
			t.Errorf("%s: total %s", typ, r.Total())
		}
		c.Delete(key).Want(204)
	}
	for _, typ := range r4.ResourceTypes() {
		if !seen[typ] { // HL7 published none
			c.Update(bare(t, typ)).Want(201)
			c.Read(typ + "/x").Want(200)
		}
	}
}

// bare returns a resource of a type without mandatory elements.
func bare(t *testing.T, typ string) string {
	t.Helper()
	switch typ {
	case "Parameters", "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein",
		"SubstanceReferenceInformation", "SubstanceSourceMaterial":
		return `{"resourceType":"` + typ + `","id":"x","language":"ja"}`
	}
	t.Errorf("no example of %s", typ)
	return ""
}
