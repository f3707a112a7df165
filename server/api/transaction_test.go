package api_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

const (
	urnA = "urn:uuid:8cafa46d-08b4-4ee4-b51b-803e20ae8126"
	urnB = "urn:uuid:11111111-08b4-4ee4-b51b-803e20ae8126"
)

// statuses returns response.status of every entry.
func statuses(t *testing.T, r *servertest.Response) []string {
	t.Helper()
	list := []string{}
	for e := range r.Resource().All("entry") {
		code, _, _ := strings.Cut(e.Text("response", "status"), " ")
		list = append(list, code)
	}
	return list
}

func TestTransactionOrder(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"old"}`).Want(201)
	r := c.Post(bundleOf("transaction",
		`GET Patient?_id=new`,
		`PUT Patient/new {"resourceType":"Patient","id":"new","active":true}`,
		`POST Patient {"resourceType":"Patient"}`,
		`DELETE Patient/old`,
		`GET Patient/new`,
		`HEAD Patient/new`,
	)).Want(200)
	same(t, "statuses", statuses(t, r), []string{"200", "201", "201", "204", "200", "200"})
	e := r.Resource()
	if e.Text("type") != "transaction-response" {
		t.Error(e.Text("type"))
	}
	var found []string
	for en := range e.All("entry") {
		if res := en.Get("resource"); res != nil {
			found = append(found, res.ResourceType()+" "+res.Text("total")+res.ID())
		}
	}
	same(t, "results of the reads", found, []string{"Bundle 1", "Patient new", "Patient new"})
}

func TestTransactionReferences(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Organization","id":"o1","identifier":[{"system":"http://example.org/o","value":"7"}]}`).Want(201)
	doc := `{"resourceType":"DocumentReference","status":"current",` +
		`"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"` + urnB + `\">x</a> ` + urnB + `</div>"},` +
		`"subject":{"reference":"` + urnA + `"},"author":[{"reference":"Organization?identifier=http://example.org/o|7"},{"reference":"http://elsewhere.example/fhir/Practitioner/1"}],` +
		`"content":[{"attachment":{"url":"` + urnB + `"}}]}`
	r := c.Post(bundleOf("transaction",
		urnA+` POST Patient {"resourceType":"Patient","generalPractitioner":[{"reference":"Organization/o1"}]}`,
		`POST DocumentReference `+doc,
		urnB+` POST Binary {"resourceType":"Binary","contentType":"text/plain","data":"eA=="}`,
	), "Prefer: return=representation").Want(200)
	keys := r.Keys("")
	patient, binary := keys[0], keys[2]
	e := c.Read(keys[1]).Want(200).Resource()
	for _, tt := range []struct{ name, got, want string }{
		{"subject", e.Text("subject", "reference"), patient},
		{"conditional reference", e.Text("author", "reference"), "Organization/o1"},
		{"attachment", e.Text("content", "attachment", "url"), binary},
		{"narrative", e.Text("text", "div"), `<div xmlns="http://www.w3.org/1999/xhtml"><a href="` + binary + `">x</a> ` + urnB + `</div>`},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	if !strings.Contains(string(c.Read(keys[1]).Body), `"http://elsewhere.example/fhir/Practitioner/1"`) {
		t.Error("a foreign reference was changed")
	}
}

func TestTransactionAbsoluteFullURL(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	r := c.Post(bundleOf("transaction",
		`http://example.org/fhir/Patient/7 POST Patient {"resourceType":"Patient"}`,
		`http://example.org/fhir/Observation/8 POST Observation {"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/7"}}`,
	), "Prefer: return=representation").Want(200)
	keys := r.Keys("")
	if got := c.Read(keys[1]).Resource().Text("subject", "reference"); got != keys[0] {
		t.Errorf("subject %s, want %s", got, keys[0])
	}
}

func TestTransactionOwnBaseBecomesLocal(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	r := c.Create(`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"` + srv.URL + `/Patient/p1"}}`).Want(201)
	if got := r.Resource().Text("subject", "reference"); got != "Patient/p1" {
		t.Errorf("subject %s", got)
	}
	if r := c.Search("Observation?subject=Patient/p1"); r.Total() != "1" {
		t.Errorf("total %s", r.Total())
	}
}

func TestTransactionConditionalCreate(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	send := func() *servertest.Response {
		return c.Post(bundleOf("transaction",
			urnA+` POST Patient!identifier=http://example.org/p|1 {"resourceType":"Patient","identifier":[{"system":"http://example.org/p","value":"1"}]}`,
			urnB+` POST Patient!identifier=http://example.org/p|1 {"resourceType":"Patient","identifier":[{"system":"http://example.org/p","value":"1"}]}`,
			`POST Observation {"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"`+urnA+`"},"focus":[{"reference":"`+urnB+`"}]}`,
		), "Prefer: return=representation").Want(200)
	}
	r := send()
	same(t, "first", statuses(t, r), []string{"201", "200", "201"})
	patient := r.Keys("")[0]
	r = send()
	same(t, "second", statuses(t, r), []string{"200", "200", "201"})
	obs := c.Read(r.Keys("")[2]).Resource()
	if obs.Text("subject", "reference") != patient || obs.Text("focus", "reference") != patient {
		t.Errorf("%s, want %s twice", c.Read(r.Keys("")[2]).Body, patient)
	}
	if got := c.Search("Patient").Total(); got != "1" {
		t.Errorf("%s patients", got)
	}
}

func TestTransactionDeletesBeforeConditionalCreate(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1","identifier":[{"value":"1"}]}`).Want(201)
	r := c.Post(bundleOf("transaction",
		`POST Patient!identifier=1 {"resourceType":"Patient","identifier":[{"value":"1"}]}`,
		`DELETE Patient/p1`,
	)).Want(200)
	same(t, "statuses", statuses(t, r), []string{"201", "204"})
	if got := c.Search("Patient?identifier=1").Keys("match"); len(got) != 1 || got[0] == "Patient/p1" {
		t.Error(got)
	}
}

func TestTransactionKeepsDocumentsAsTheyAre(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	const urnC, urnD = "urn:uuid:33333333-08b4-4ee4-b51b-803e20ae8126", "urn:uuid:44444444-08b4-4ee4-b51b-803e20ae8126"
	doc := `{"resourceType":"Bundle","type":"document","identifier":{"system":"http://example.org/doc","value":"1"},"timestamp":"2026-04-01T00:00:00Z","entry":[` +
		`{"fullUrl":"` + urnD + `","resource":{"resourceType":"Composition","status":"final","type":{"text":"x"},"date":"2026-04-01","title":"x","subject":{"reference":"` + urnA + `"},"author":[{"reference":"` + urnA + `"}],"section":[{"title":"x","entry":[{"reference":"` + urnC + `"}]}]}},` +
		`{"fullUrl":"` + urnA + `","resource":{"resourceType":"Patient"}},` +
		`{"fullUrl":"` + urnC + `","resource":{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"` + urnA + `"}}}]}`
	r := c.Post(bundleOf("transaction",
		urnA+` POST Patient {"resourceType":"Patient"}`,
		`POST Bundle `+doc,
	), "Prefer: return=representation").Want(200)
	body := string(c.Read(r.Keys("")[1]).Body)
	if !strings.Contains(body, `"subject":{"reference":"`+urnA+`"}`) || !strings.Contains(body, `"fullUrl":"`+urnA+`"`) {
		t.Errorf("the document was changed: %s", body)
	}
}

func TestBatchEntriesAreIndependent(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	r := c.Post(bundleOf("batch",
		`POST Patient {"resourceType":"Patient"}`,
		`GET Patient/nobody`,
		`PUT Patient/p1 {"resourceType":"Patient","id":"other"}`,
		`GET Patient/p1`,
		`GET Patient?_count=1`,
		`GET Patient/p1/_history`,
		`GET Patient/p1/_history/1`,
		`POST Pazient {"resourceType":"Patient"}`,
		`DELETE Patient/p1`,
		`GET Patient/p1`,
		`BREW Patient/p1`,
		`GET metadata`,
	)).Want(200)
	same(t, "statuses", statuses(t, r),
		[]string{"201", "404", "400", "200", "200", "200", "200", "404", "204", "410", "400", "400"})
	for e := range r.Resource().All("entry") {
		failed := e.Text("response", "status") >= "4"
		if (e.Get("response", "outcome") != nil) != failed {
			t.Errorf("%s: outcome %v", e.Text("response", "status"), e.Get("response", "outcome"))
		}
	}
}

func TestBatchConditionalRead(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	r := c.Post(`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/p1","ifNoneMatch":"W/\"1\""}}]}`).Want(200)
	same(t, "statuses", statuses(t, r), []string{"304"})
}
