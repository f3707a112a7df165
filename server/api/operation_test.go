package api_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

// parameter returns the value[x] of a parameter, "" where there is none.
func parameter(r *servertest.Response, name string) string {
	for p := range r.Resource().All("parameter") {
		if p.Text("name") != name {
			continue
		}
		for _, c := range p.Children {
			if c.Def != nil && c.Def.Name == "value" {
				return c.Value
			}
		}
	}
	return ""
}

func severities(e *fhir.Element) []string {
	var list []string
	for i := range e.All("issue") {
		if s := i.Text("severity"); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}

func TestOperationValidate(t *testing.T) {
	_, c := ward(t)
	const good = `{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}`
	same(t, "good", severities(c.Do("POST", "Patient/$validate", good).Want(200).Resource()), []string{"information"})
	bad := c.Do("POST", "Patient/$validate", `{"resourceType":"Patient","gender":"femme"}`).Want(200).Resource()
	if !slices.Contains(severities(bad), "error") {
		t.Errorf("%v", severities(bad))
	}
	params := `{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":"update"},{"name":"resource","resource":{"resourceType":"Patient","id":"p2"}}]}`
	r := c.Do("POST", "Patient/p1/$validate", params).Want(200)
	same(t, "another id", severities(r.Resource())[0], "error")
	c.Read("Patient/p1/$validate").Want(200)
	c.Read("Patient/nobody/$validate").Want(404)
	c.Do("POST", "Patient/$validate", `{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":"update"}]}`).Want(400)
	c.Do("POST", "Observation/$validate", `{"resourceType":"Patient"}`).Want(200)
	if got := c.Search("Patient").Total(); got != "2" {
		t.Errorf("%s patients: $validate stored one", got)
	}
}

func TestOperationEverything(t *testing.T) {
	_, c := ward(t)
	var got []string
	for next := "Patient/p1/$everything?_count=1"; next != ""; {
		r := c.Read(next).Want(200)
		for _, k := range r.Keys("") {
			if !slices.Contains(got, k) {
				got = append(got, k)
			}
		}
		if next = r.Link("next"); next != "" && !strings.Contains(next, "$everything") {
			t.Errorf("next leads elsewhere: %s", next)
		}
	}
	slices.Sort(got)
	same(t, "everything", strings.Join(got, " "), "Observation/o1 Observation/o2 Organization/org Patient/p1 Practitioner/dr")
	same(t, "_type", strings.Join(c.Read("Patient/p1/$everything?_type=Observation").Keys("match"), " "), "Observation/o1 Observation/o2")
	for query, want := range map[string]string{
		"start=2026-02-01":                "Observation/o2 Patient/p1",
		"end=2026-01-31":                  "Observation/o1 Patient/p1",
		"start=2026-01&end=2026-02":       "Observation/o1 Observation/o2 Patient/p1",
		"start=2027":                      "Patient/p1",
		"_since=2099-01-01T00:00:00Z":     "",
		"_since=2000-01-01T00:00:00Z":     "Observation/o1 Observation/o2 Patient/p1",
		"_type=Patient":                   "Patient/p1",
		"_type=Observation&end=2026-01":   "Observation/o1",
		"_type=Organization,Practitioner": "",
	} {
		var found []string
		for next := "Patient/p1/$everything?_count=1&" + query; next != ""; {
			r := c.Read(next).Want(200)
			found = append(found, r.Keys("match")...)
			next = r.Link("next")
		}
		slices.Sort(found)
		same(t, query, strings.Join(found, " "), want)
	}
	r := c.Do("POST", "Patient/p1/$everything", `{"resourceType":"Parameters","parameter":[{"name":"start","valueDate":"2026-02-01"},{"name":"_count","valueInteger":1},{"name":"_since","valueInstant":"2000-01-01T00:00:00Z"}]}`).Want(200)
	same(t, "self", r.Link("self"), c.Base()+"/Patient/p1/$everything?_count=1&_since=2000-01-01T00%3A00%3A00Z&start=2026-02-01")
	same(t, "first", c.Read(r.Link("next")).Want(200).Link("first"), r.Link("self"))
	same(t, "self again", c.Read(r.Link("self")).Want(200).Keys("match"), r.Keys("match"))
	c.Read("Patient/p1/$everything?start=yesterday").Want(400)
	c.Read("Patient/nobody/$everything").Want(404)
	c.Read("Practitioner/dr/$everything").Want(404)
}

func TestOperationDocument(t *testing.T) {
	_, c := ward(t)
	c.Update(`{"resourceType":"Composition","id":"c1","status":"final","type":{"text":"x"},"date":"2026-04-01","title":"x","subject":{"reference":"Patient/p1"},"author":[{"reference":"Practitioner/dr"}],"section":[{"title":"x","entry":[{"reference":"Observation/o1"},{"reference":"Observation/gone"}]}]}`).Want(201)
	r := c.Read("Composition/c1/$document").Want(200)
	same(t, "type", r.Resource().Text("type"), "document")
	same(t, "content", r.Keys(""), []string{"Composition/c1", "Patient/p1", "Practitioner/dr", "Observation/o1", "Organization/org"})
	same(t, "not stored", c.Search("Bundle").Total(), "0")
	c.Read("Composition/c1/$document?persist=true").Want(405)
	c.Update(`{"resourceType":"Composition","id":"c2","status":"final","type":{"text":"x"},"date":"2026-04-01","title":"x","author":[{"reference":"Practitioner/dr"}]}`).Want(201)
	c.Do("POST", "Composition/c2/$document", `{"resourceType":"Parameters","parameter":[{"name":"persist","valueBoolean":true}]}`).Want(201)
	same(t, "stored", c.Search("Bundle").Total(), "1")
}

func TestOperationTerminology(t *testing.T) {
	_, c := ward(t)
	r := c.Read("ValueSet/$expand?url=http://hl7.org/fhir/ValueSet/administrative-gender&filter=male").Want(200)
	if !strings.Contains(string(r.Body), `"code":"female"`) || r.Resource().Text("expansion", "total") != "2" {
		t.Errorf("%s", r.Body)
	}
	c.Read("ValueSet/$expand?url=http://example.org/nothing").Want(404)
	c.Read("ValueSet/$expand").Want(400)
	same(t, "validate-code", parameter(c.Read("ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&system=http://hl7.org/fhir/administrative-gender&code=male").Want(200), "result"), "true")
	same(t, "validate-code, wrong", parameter(c.Read("ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&system=http://hl7.org/fhir/administrative-gender&code=femme").Want(200), "result"), "false")
	same(t, "CodeSystem", parameter(c.Read("CodeSystem/$validate-code?url=http://hl7.org/fhir/administrative-gender&code=male").Want(200), "result"), "true")
	same(t, "lookup", parameter(c.Read("CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=male").Want(200), "display"), "Male")
	c.Read("CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender&code=femme").Want(404)
	c.Read("CodeSystem/$lookup?system=http://hl7.org/fhir/administrative-gender").Want(400)
	same(t, "subsumes", parameter(c.Read("CodeSystem/$subsumes?system=http://hl7.org/fhir/administrative-gender&codeA=male&codeB=male").Want(200), "outcome"), "equivalent")
	c.Update(`{"resourceType":"CodeSystem","id":"care","url":"http://example.jp/care","status":"active","content":"complete","hierarchyMeaning":"is-a","concept":[{"code":"care","concept":[{"code":"care-1","display":"要介護1"}]}]}`).Want(201)
	c.Update(`{"resourceType":"ValueSet","id":"care","url":"http://example.jp/vs","status":"active","compose":{"include":[{"system":"http://example.jp/care"}]}}`).Want(201)
	same(t, "stored: lookup", parameter(c.Read("CodeSystem/$lookup?system=http://example.jp/care&code=care-1").Want(200), "display"), "要介護1")
	same(t, "stored: subsumes", parameter(c.Read("CodeSystem/care/$subsumes?codeA=care&codeB=care-1").Want(200), "outcome"), "subsumes")
	same(t, "stored: expand", c.Read("ValueSet/care/$expand").Want(200).Resource().Text("expansion", "total"), "2")
	same(t, "stored: by URL", c.Read("ValueSet/$expand?url=http://example.jp/vs").Want(200).Resource().Text("expansion", "total"), "2")
	c.Update(`{"resourceType":"ConceptMap","id":"m","url":"http://example.jp/map","status":"active","group":[{"source":"http://example.jp/care","target":"http://example.jp/other","element":[{"code":"care-1","target":[{"code":"c1","equivalence":"equivalent"}]}]}]}`).Want(201)
	for _, path := range []string{"ConceptMap/m/$translate?system=http://example.jp/care&code=care-1", "ConceptMap/$translate?url=http://example.jp/map&system=http://example.jp/care&code=care-1"} {
		same(t, path, parameter(c.Read(path).Want(200), "result"), "true")
	}
}

func TestOperationMeta(t *testing.T) {
	_, c := ward(t)
	add := `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"system":"http://example.org/t","code":"a"}]}}]}`
	c.Read("Patient/p1/$meta-add").Want(405)
	c.Do("POST", "Patient/p1/$meta-add", add).Want(200)
	c.Do("POST", "Patient/p1/$meta-add", add).Want(200)
	if n := strings.Count(string(c.Read("Patient/p1/$meta").Want(200).Body), `"code":"a"`); n != 1 {
		t.Errorf("the tag is there %d times", n)
	}
	c.Do("POST", "Patient/p2/$meta-add", add).Want(200)
	for path, want := range map[string]int{"Patient/$meta": 1, "$meta": 1, "Observation/$meta": 0} {
		r := c.Read(path).Want(200)
		same(t, path, strings.Count(string(r.Body), `"code":"a"`), want)
		same(t, path+" has nothing of its own", strings.Contains(string(r.Body), "SUBSETTED"), false)
	}
	c.Do("POST", "Patient/p2/$meta-delete", add).Want(200)
	c.Do("POST", "Patient/$meta-add", add).Want(404)
	same(t, "found by tag", c.Search("Patient?_tag=a").Total(), "1")
	c.Do("POST", "Patient/p1/$meta-delete", add).Want(200)
	same(t, "gone", c.Search("Patient?_tag=a").Total(), "0")
}

func TestOperationLastN(t *testing.T) {
	_, c := ward(t)
	c.Update(`{"resourceType":"Observation","id":"o4","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},"subject":{"reference":"Patient/p1"},"effectiveDateTime":"2026-03-10"}`).Want(201)
	same(t, "last", c.Read("Observation/$lastn?patient=p1").Want(200).Keys("match"), []string{"Observation/o4", "Observation/o2"})
	same(t, "last two", c.Read("Observation/$lastn?patient=p1&max=2").Want(200).Keys("match"), []string{"Observation/o4", "Observation/o2", "Observation/o1"})
	c.Read("Observation/$lastn").Want(400)
	c.Read("Observation/$lastn?patient=p1&max=0").Want(400)
}

func TestOperationConvert(t *testing.T) {
	_, c := ward(t)
	r := c.Do("POST", "$convert", `{"resourceType":"Patient","id":"x"}`, "Accept: application/fhir+xml").Want(200)
	if !strings.HasPrefix(string(r.Body), "<Patient") && !strings.Contains(string(r.Body), "<Patient xmlns") {
		t.Errorf("%s", r.Body)
	}
}

func TestOperationsInBatch(t *testing.T) {
	_, c := ward(t)
	r := c.Post(bundleOf("batch", "GET Patient/p1/$everything", "GET Patient/p1/$meta", "GET Patient/$brew",
		`POST Patient/$validate {"resourceType":"Patient"}`)).Want(200)
	same(t, "statuses", statuses(t, r), []string{"200", "200", "404", "200"})
}

func TestOperationsAreDeclared(t *testing.T) {
	_, c := ward(t)
	names := map[string]bool{}
	e := c.Read("metadata").Resource()
	for res := range e.Get("rest").All("resource") {
		for op := range res.All("operation") {
			names[res.Text("type")+"/$"+op.Text("name")] = true
		}
	}
	for _, want := range []string{"Patient/$everything", "Composition/$document", "ValueSet/$expand", "ValueSet/$validate-code",
		"CodeSystem/$validate-code", "CodeSystem/$lookup", "ConceptMap/$translate", "Observation/$lastn", "Basic/$validate", "Basic/$meta-add"} {
		if !names[want] {
			t.Errorf("%s is not declared", want)
		}
	}
}
