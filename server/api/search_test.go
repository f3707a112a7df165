package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// ward stores a patient with observations, a practitioner and an encounter.
func ward(t *testing.T) (*servertest.Server, *servertest.Client) {
	t.Helper()
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	c.Post(bundleOf("transaction",
		`PUT Organization/org {"resourceType":"Organization","id":"org","name":"中央病院"}`,
		`PUT Practitioner/dr {"resourceType":"Practitioner","id":"dr","name":[{"family":"佐藤"}]}`,
		`PUT Patient/p1 {"resourceType":"Patient","id":"p1","name":[{"family":"山田","given":["花子"]}],"gender":"female","birthDate":"1940-02-03","managingOrganization":{"reference":"Organization/org"}}`,
		`PUT Patient/p2 {"resourceType":"Patient","id":"p2","name":[{"family":"鈴木"}],"gender":"male","birthDate":"1935-05-05"}`,
		`PUT Observation/o1 {"resourceType":"Observation","id":"o1","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/p1"},"performer":[{"reference":"Practitioner/dr"}],"effectiveDateTime":"2026-01-10","valueQuantity":{"value":50.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}`,
		`PUT Observation/o2 {"resourceType":"Observation","id":"o2","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8302-2"}]},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2026-02-10"}`,
		`PUT Observation/o3 {"resourceType":"Observation","id":"o3","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/p2"},"effectiveDateTime":"2026-03-10","hasMember":[{"reference":"Observation/o1"}]}`,
	)).Want(200)
	return srv, c
}

func TestSearch(t *testing.T) {
	_, c := ward(t)
	for _, tt := range []struct {
		query          string
		match, include string
	}{
		{"Patient?family=山田", "Patient/p1", ""},
		{"Patient?name=やま", "", ""},
		{"Patient?_id=p1,p2&_sort=birthdate", "Patient/p2 Patient/p1", ""},
		{"Patient?_sort=-birthdate", "Patient/p1 Patient/p2", ""},
		{"Patient?gender:not=male", "Patient/p1", ""},
		{"Patient?birthdate=ge1940", "Patient/p1", ""},
		{"Observation?patient=p1&_sort=date", "Observation/o1 Observation/o2", ""},
		{"Observation?subject=Patient/p1&code=http://loinc.org|29463-7", "Observation/o1", ""},
		{"Observation?subject:Patient.name=鈴木", "Observation/o3", ""},
		{"Observation?patient.organization.name=中央病院&_sort=date", "Observation/o1 Observation/o2", ""},
		{"Patient?_has:Observation:patient:code=8302-2", "Patient/p1", ""},
		{"Observation?_id=o1&_include=Observation:patient", "Observation/o1", "Patient/p1"},
		{"Observation?_id=o1&_include=Observation:subject&_include:iterate=Patient:organization", "Observation/o1", "Organization/org Patient/p1"},
		{"Observation?_id=o1&_include=Observation:subject&_include=Patient:organization", "Observation/o1", "Patient/p1"},
		{"Observation?_id=o1&_include=*", "Observation/o1", "Patient/p1 Practitioner/dr"},
		{"Observation?_id=o1&_include=Observation:performer:Patient", "Observation/o1", ""},
		{"Patient?_id=p1&_revinclude=Observation:subject", "Patient/p1", "Observation/o1 Observation/o2"},
		{"Practitioner?_id=dr&_revinclude=Observation:performer&_revinclude:iterate=Observation:has-member", "Practitioner/dr", "Observation/o1 Observation/o3"},
		{"Patient/p1/Observation?_sort=date", "Observation/o1 Observation/o2", ""},
		{"Practitioner/dr/Observation", "Observation/o1", ""},
		{"Patient/p2/*?_sort=_id", "Observation/o3", ""},
		{"?_type=Patient,Organization&_sort=_id", "Organization/org Patient/p1 Patient/p2", ""},
		{"Observation?value-quantity=gt50||kg", "Observation/o1", ""},
		{"Observation?_lastUpdated=lt2020", "", ""},
	} {
		t.Run(tt.query, func(t *testing.T) {
			r := c.On(t).Search(tt.query).Want(200)
			same(t, "matches", strings.Join(r.Keys("match"), " "), tt.match)
			included := r.Keys("include")
			slices.Sort(included)
			same(t, "included", strings.Join(included, " "), tt.include)
			if want := fmt.Sprint(len(r.Keys("match"))); r.Total() != want {
				t.Errorf("total %s, want %s", r.Total(), want)
			}
		})
	}
}

func TestSearchByPost(t *testing.T) {
	_, c := ward(t)
	r := c.Form("Patient/_search", url.Values{"family": {"山田"}}).Want(200)
	same(t, "matches", r.Keys("match"), []string{"Patient/p1"})
	r = c.Form("Observation/_search?patient=p1", url.Values{"code": {"8302-2"}}).Want(200)
	same(t, "both parts count", r.Keys("match"), []string{"Observation/o2"})
	r = c.Form("_search", url.Values{"_type": {"Patient"}, "_id": {"p2"}}).Want(200)
	same(t, "system level", r.Keys("match"), []string{"Patient/p2"})
	r = c.Form("Patient/p1/Observation/_search", url.Values{"code": {"8302-2"}}).Want(200)
	same(t, "compartment", r.Keys("match"), []string{"Observation/o2"})
	r = c.Form("Patient/_search", url.Values{"family": {"山田"}, "_format": {"xml"}}).Want(200)
	if got := r.Header.Get("Content-Type"); got != "application/fhir+xml; charset=utf-8" {
		t.Error(got)
	}
}

func TestUnknownParameters(t *testing.T) {
	_, c := ward(t)
	r := c.Search("Patient?shoe-size=42&gender=female").Want(200)
	same(t, "matches", r.Keys("match"), []string{"Patient/p1"})
	same(t, "outcome", len(r.Keys("outcome")), 1)
	if !strings.Contains(string(r.Body), "shoe-size") || strings.Contains(r.Link("self"), "shoe-size") {
		t.Errorf("self %s\n%s", r.Link("self"), r.Body)
	}
	if r.Total() != "1" {
		t.Errorf("the outcome counts: total %s", r.Total())
	}
	c.Search("Patient?shoe-size=42", "Prefer: handling=strict").Want(400)
}

func TestSummaryAndElements(t *testing.T) {
	_, c := ward(t)
	for _, tt := range []struct{ query, want string }{
		{"_elements=gender", `{"resourceType":"Patient","id":"p1","meta":{M,"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},"gender":"female"}`},
		{"_summary=text", `{"resourceType":"Patient","id":"p1","meta":{M,"tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]}}`},
	} {
		t.Run(tt.query, func(t *testing.T) {
			for _, path := range []string{"Patient/p1?" + tt.query, "Patient?_id=p1&" + tt.query} {
				body := string(c.On(t).Read(path).Want(200).Body)
				want := strings.Replace(tt.want, "M", `"versionId":"1","lastUpdated":"2026-04-01T00:00:00.000Z"`, 1)
				if !strings.Contains(body, want) {
					t.Errorf("%s: %s\nwant %s", path, body, want)
				}
			}
		})
	}
	r := c.Search("Patient?_summary=count").Want(200)
	if r.Total() != "2" || len(r.Keys("")) != 0 {
		t.Errorf("%s", r.Body)
	}
	r = c.Search("Patient?_count=0").Want(200)
	if r.Total() != "2" || len(r.Keys("")) != 0 {
		t.Errorf("%s", r.Body)
	}
	if r := c.Search("Patient?_total=none").Want(200); r.Total() != "" {
		t.Errorf("total %s though none was wanted", r.Total())
	}
}

func TestPagingIsStable(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	want := map[string]bool{}
	for i := range 25 {
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","birthDate":"19%02d-01-01"}`, i, 40+i)).Want(201)
		want[fmt.Sprintf("Patient/p%02d", i)] = true
	}
	r := c.Search("Patient?_sort=birthdate&_count=4").Want(200)
	got := map[string]bool{}
	for page := 0; ; page++ {
		if r.Total() != "25" {
			t.Errorf("page %d: total %s", page, r.Total())
		}
		for _, k := range r.Keys("match") {
			if got[k] {
				t.Errorf("%s twice", k)
			}
			got[k] = true
		}
		// Others write between the pages.
		c.Create(fmt.Sprintf(`{"resourceType":"Patient","birthDate":"19%02d-06-01"}`, 40+page)).Want(201)
		c.Delete(fmt.Sprintf("Patient/p%02d", 24-page)).Want(204)
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p%02d","birthDate":"2020-01-01"}`, 10+page)).Want(200)
		next := r.Link("next")
		if next == "" {
			break
		}
		if strings.Contains(next, "birthdate") {
			t.Errorf("the link is not opaque: %s", next)
		}
		r = c.Read(next).Want(200)
	}
	same(t, "all pages together", got, want)
}

func TestPagingLinksAreBound(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	for range 3 {
		c.Create(`{"resourceType":"Patient"}`).Want(201)
	}
	next := c.Search("Patient?_count=1").Want(200).Link("next")
	c.Read(next).Want(200)
	c.Read(next).Want(200) // a page can be read again
	c.Read(next[:len(next)-2] + "AA").Want(400)
	c.Read(strings.Replace(next, "/Patient?", "/Patient/_history?", 1)).Want(400)
	srv.Clock.Advance(2 * time.Hour)
	if r := c.Read(next).Want(410); r.Issue() != "expired/page-expired" {
		t.Error(r.Issue())
	}
}

func TestCountIsBounded(t *testing.T) {
	_, c := ward(t)
	if r := c.Search("Patient?_count=1000000").Want(200); !strings.Contains(r.Link("self"), "_count=1000") || strings.Contains(r.Link("self"), "_count=1000000") {
		t.Error(r.Link("self"))
	}
}

func TestConditionalWrites(t *testing.T) {
	_, c := ward(t)
	c.Create(`{"resourceType":"Patient"}`, "If-None-Exist: family=山田").Want(200)
	c.Create(`{"resourceType":"Patient"}`, "If-None-Exist: family=nobody").Want(201)
	r := c.Do("PUT", "Patient?family=鈴木", `{"resourceType":"Patient","name":[{"family":"鈴木"}],"active":true}`).Want(200)
	if r.ID() != "p2" || r.Header.Get("ETag") != `W/"2"` {
		t.Errorf("%s", r.Body)
	}
	c.Do("PUT", "Patient?family=鈴木", `{"resourceType":"Patient","id":"p2","name":[{"family":"鈴木"}]}`).Want(200)
	c.Do("PUT", "Patient?family=高橋", `{"resourceType":"Patient","name":[{"family":"高橋"}]}`).Want(201)
	c.Do("PUT", "Patient?family=田中", `{"resourceType":"Patient","id":"tanaka","name":[{"family":"田中"}]}`).Want(201)
	c.Read("Patient/tanaka").Want(200)
	c.Do("PUT", "Patient?family=田中", `{"resourceType":"Patient","name":[{"family":"田中"}]}`, `If-Match: W/"9"`).Want(412)
	c.Delete("Patient?family=田中").Want(204)
	c.Read("Patient/tanaka").Want(410)
	c.Delete("Patient?family=田中").Want(204)
}

func TestHistory(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	for i := range 3 {
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p1","birthDate":"194%d"}`, i))
		srv.Clock.Advance(time.Hour)
	}
	c.Create(`{"resourceType":"Basic","code":{"text":"x"}}`).Want(201)
	srv.Clock.Advance(time.Hour)
	c.Delete("Patient/p1").Want(204)
	versions := func(r *servertest.Response) []string {
		list := []string{}
		for e := range r.Want(200).Resource().All("entry") {
			list = append(list, e.Text("request", "method")+" "+e.Text("response", "etag"))
		}
		return list
	}
	all := []string{`DELETE W/"4"`, `PUT W/"3"`, `PUT W/"2"`, `POST W/"1"`}
	r := c.Read("Patient/p1/_history")
	same(t, "instance", versions(r), all)
	if r.Total() != "4" || r.Resource().Text("type") != "history" {
		t.Errorf("%s", r.Body)
	}
	same(t, "type", versions(c.Read("Patient/_history")), all)
	same(t, "system", len(versions(c.Read("_history"))), 5)
	same(t, "oldest first", versions(c.Read("Patient/p1/_history?_sort=_lastUpdated"))[0], `POST W/"1"`)
	same(t, "_since", versions(c.Read("Patient/p1/_history?_since=2026-04-01T01:00:00Z")), all[:3])
	same(t, "_at", versions(c.Read("Patient/p1/_history?_at=2026-04-01T01:30:00Z")), []string{`PUT W/"2"`})
	page := c.Read("Patient/p1/_history?_count=3").Want(200)
	same(t, "first page", versions(page), all[:3])
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	same(t, "second page", versions(c.Read(page.Link("next"))), all[3:])
}
