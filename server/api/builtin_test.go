package api_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// TestDefinitionsResolve: every definition that the CapabilityStatement names is
// found on the server by its URL, and under the address it is found at.
func TestDefinitionsResolve(t *testing.T) {
	srv := servertest.Start(t)
	c := srv.As("care-manager")
	checked := map[string]bool{}
	resolve := func(resourceType, canonical string) {
		if checked[canonical] {
			return
		}
		checked[canonical] = true
		r := c.Search(resourceType + "?url=" + url.QueryEscape(canonical)).Want(200)
		if r.Total() != "1" || r.Resource().Text("entry", "resource", "url") != canonical {
			t.Errorf("%s: total %s", canonical, r.Total())
			return
		}
		read := c.Read(r.Resource().Text("entry", "fullUrl")).Want(200).Resource()
		if read.ResourceType() != resourceType || read.Text("url") != canonical {
			t.Errorf("%s: read %s %s", canonical, read.ResourceType(), read.Text("url"))
		}
	}
	for rest := range c.Read("metadata").Want(200).Resource().All("rest") {
		resources := []*fhir.Element{rest}
		for r := range rest.All("resource") {
			resolve("StructureDefinition", r.Text("profile"))
			resources = append(resources, r)
		}
		for _, r := range resources {
			for o := range r.All("operation") {
				resolve("OperationDefinition", o.Text("definition"))
			}
			for p := range r.All("searchParam") {
				resolve("SearchParameter", p.Text("definition"))
			}
		}
		for comp := range rest.All("compartment") {
			resolve("CompartmentDefinition", comp.Value)
		}
	}
	if len(checked) < 1000 {
		t.Errorf("only %d definitions", len(checked))
	}
}

func TestDefinitions(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for _, tt := range []struct{ query, want string }{
		{"OperationDefinition?url=http://hl7.org/fhir/OperationDefinition/ValueSet-expand", "OperationDefinition/ValueSet-expand"},
		{"OperationDefinition?url=https://kaigofhir.github.io/fhir/OperationDefinition/intake", "OperationDefinition/intake"},
		{"OperationDefinition?_id=intake,ValueSet-expand,nosuch", "OperationDefinition/ValueSet-expand OperationDefinition/intake"},
		{"Questionnaire?url=https://kaigofhir.github.io/fhir/Questionnaire/opinion", "Questionnaire/opinion"},
		{"StructureDefinition?url=http://hl7.org/fhir/StructureDefinition/Patient&kind=resource", "StructureDefinition/Patient"},
		{"StructureDefinition?url=http://hl7.org/fhir/StructureDefinition/Patient&kind=logical", ""},
		{"StructureDefinition?_id=Patient&url=http://hl7.org/fhir/StructureDefinition/Group", ""},
		{"StructureDefinition?url=http://hl7.org/fhir/ValueSet/administrative-gender", ""},
		{"CodeSystem?_id=snomedct&_elements=url", "CodeSystem/snomedct"},
		{"?_type=CodeSystem,ValueSet&_id=administrative-gender", "CodeSystem/administrative-gender ValueSet/administrative-gender"},
		// What names none is about what is stored.
		{"StructureDefinition?kind=resource", ""},
		{"StructureDefinition?url:below=http://hl7.org/fhir/StructureDefinition", ""},
		{"ValueSet?_id:not=x", ""},
		{"?_id=administrative-gender", ""},
		{"Patient/x/StructureDefinition?_id=Patient", "404"},
	} {
		t.Run(tt.query, func(t *testing.T) {
			r := c.On(t).Search(tt.query)
			if tt.want == "404" {
				r.Want(404)
				return
			}
			keys := r.Want(200).Keys("match")
			same(t, "matches", strings.Join(keys, " "), tt.want)
			if r.Total() != strconv.Itoa(len(keys)) {
				t.Errorf("total %s", r.Total())
			}
		})
	}
	r := c.Read("CodeSystem/administrative-gender").Want(200)
	same(t, "no version", r.Header.Get("ETag"), "")
	c.Read("CodeSystem/administrative-gender", `If-None-Match: W/"1"`).Want(200)
	c.Read("CodeSystem/administrative-gender/_history").Want(404)
	c.Read("CodeSystem/administrative-gender/_history/1").Want(404)
	c.Do("PATCH", "CodeSystem/administrative-gender", `[]`, "Content-Type: application/json-patch+json").Want(404)
	c.Read("ValueSet/administrative-gender/$expand").Want(200)
	same(t, "as a value set", c.Search("Patient?gender:in=ValueSet/administrative-gender").Want(200).Total(), "0")
	batch := c.Post(bundleOf("batch", "GET OperationDefinition/diff", "GET CodeSystem?url=http://hl7.org/fhir/administrative-gender")).Want(200).Resource()
	var inner []string
	for e := range batch.All("entry") {
		inner = append(inner, e.Text("resource", "id")+e.Text("resource", "entry", "resource", "id")+e.Text("response", "etag"))
	}
	same(t, "batch", inner, []string{"diff", "administrative-gender"})
}

// TestDefinitionsBesideStored: what is stored under an id stands in the place of
// the definition until it is deleted; under another id it stands beside it.
func TestDefinitionsBesideStored(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	gender := "CodeSystem?url=http://hl7.org/fhir/administrative-gender"
	mine := `{"resourceType":"CodeSystem","id":"ID","url":"http://hl7.org/fhir/administrative-gender","status":"draft","content":"not-present"}`
	c.Update(strings.Replace(mine, "ID", "mine", 1)).Want(201)
	same(t, "beside", c.Search(gender).Keys("match"), []string{"CodeSystem/mine", "CodeSystem/administrative-gender"})
	same(t, "criteria hold for both", c.Search(gender+"&status=draft").Keys("match"), []string{"CodeSystem/mine"})
	c.Update(strings.Replace(mine, "ID", "administrative-gender", 1)).Want(201)
	r := c.Search(gender + "&_sort=_id")
	same(t, "in place", r.Keys("match"), []string{"CodeSystem/administrative-gender", "CodeSystem/mine"})
	same(t, "total", r.Total(), "2")
	same(t, "read", c.Read("CodeSystem/administrative-gender").Want(200).Resource().Text("status"), "draft")
	c.Delete("CodeSystem/administrative-gender").Want(204)
	same(t, "back", c.Read("CodeSystem/administrative-gender").Want(200).Resource().Text("status"), "active")
	same(t, "found again", c.Search(gender).Keys("match"), []string{"CodeSystem/mine", "CodeSystem/administrative-gender"})
	// A condition is about what can be written.
	c.Create(`{"resourceType":"CodeSystem","url":"http://hl7.org/fhir/mimetypes","status":"draft","content":"not-present"}`,
		"If-None-Exist: url=http://hl7.org/fhir/mimetypes").Want(201)
}

// TestDefinitionsOnPages: a page is never larger than asked for, each definition
// is on one page, and the total counts all.
func TestDefinitionsOnPages(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	ids := []string{"o1", "o2", "o3", "data-types", "group-type", "device-status", "basic-resource-type"}
	for _, id := range ids[:3] {
		c.Update(`{"resourceType":"CodeSystem","id":"` + id + `","status":"draft","content":"not-present"}`).Want(201)
	}
	want := []string{"o1", "o2", "o3", "basic-resource-type", "data-types", "device-status", "group-type"}
	for count := range 9 {
		query := "CodeSystem?_sort=_id&_id=" + strings.Join(ids, ",") + "&_count=" + strconv.Itoa(count)
		var got []string
		pages := 0
		for link := query; link != ""; pages++ {
			r := c.Search(link).Want(200)
			if n := len(r.Keys("match")); n > count || r.Total() != "7" {
				t.Fatalf("count %d: a page of %d, total %s", count, n, r.Total())
			}
			got = append(got, r.Keys("match")...)
			link = r.Link("next")
		}
		if count == 0 {
			same(t, "only the total", pages, 1)
			continue
		}
		for i := range got {
			got[i] = strings.TrimPrefix(got[i], "CodeSystem/")
		}
		if !slices.Equal(got, want) || pages != (7+count-1)/count {
			t.Errorf("count %d: %v on %d pages", count, got, pages)
		}
	}
	same(t, "count alone", c.Search("CodeSystem?_summary=count&_id=group-type,o1").Total(), "2")
	same(t, "no total", c.Search("CodeSystem?_total=none&_id=group-type,o1").Total(), "")
}

// TestChainsToDefinitions: the records that $intake makes refer to definitions of
// the guide, which nobody has stored.
func TestChainsToDefinitions(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for id, questionnaire := range map[string]string{"mine": "http://example.jp/q", "opinion": "https://kaigofhir.github.io/fhir/Questionnaire/opinion",
		"versioned": "https://kaigofhir.github.io/fhir/Questionnaire/opinion|0.1.0", "old": "https://kaigofhir.github.io/fhir/Questionnaire/opinion|0.0.1"} {
		c.Update(`{"resourceType":"QuestionnaireResponse","id":"` + id + `","status":"completed","questionnaire":"` + questionnaire + `"}`).Want(201)
	}
	c.Update(`{"resourceType":"Questionnaire","id":"q","url":"http://example.jp/q","status":"active"}`).Want(201)
	name := c.Read("Questionnaire/opinion").Want(200).Resource().Text("name")
	r := c.Search("QuestionnaireResponse?_sort=_id&questionnaire.name=" + name).Want(200)
	same(t, "of the guide", r.Keys("match"), []string{"QuestionnaireResponse/opinion", "QuestionnaireResponse/versioned"})
	r = c.Search("QuestionnaireResponse?_sort=_id&questionnaire.status=active").Want(200)
	same(t, "of the guide and stored", r.Keys("match"), []string{"QuestionnaireResponse/mine", "QuestionnaireResponse/opinion", "QuestionnaireResponse/versioned"})
}
