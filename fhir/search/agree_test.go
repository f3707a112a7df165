package search_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
)

// The words random resources and queries are made of are few, so that they
// meet often.
var (
	drawSystem = rapid.SampledFrom([]string{"", "http://a", "http://b", "http://loinc.org"})
	drawCode   = rapid.SampledFrom([]string{"x", "X", "xy", "y", "1", "8480-6", strings.Repeat("long", 60), strings.Repeat("long", 60) + "er"})
	drawText   = rapid.SampledFrom([]string{
		"山田 太郎", "山田太郎", "ヤマダ", "やまだ", "髙橋", "高橋", "Smith", "smith", "smi", "Smith Jones", "a", "ä", "", " ",
		strings.Repeat("0123456789", 30), strings.Repeat("0123456789", 30) + "x", strings.Repeat("介護", 60), "6789012345", "護介",
	})
	drawDate = rapid.SampledFrom([]string{
		"2024", "2024-04", "2024-04-01", "2024-04-02", "2024-03-31T15:00:00Z", "2024-04-01T00:00:00+09:00", "2024-04-01T12:00:00.5+09:00",
		"2024-04-01T12:00:00+09:00", "2023", "1900-01-01", "2024-12-31", "2024-04-01T23:59:59.999+09:00",
	})
	drawNumber = rapid.SampledFrom([]string{"0", "1", "-1", "5", "5.0", "5.4", "5400", "0.0054", "100", "99.6", "1e2", "-5.4", "5.45", "5.35", "123456789.123456789"})
	drawUnit   = rapid.SampledFrom([]string{"", "g", "mg", "kg", "m", "mm[Hg]", "kPa", "Cel", "[degF]", "{x}", "錠", "/min"})
	drawPrefix = rapid.SampledFrom([]string{"", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
	drawRef    = rapid.SampledFrom([]string{"Patient/1", "Patient/2", "Group/1", "https://fhir.example.jp/r4/Patient/1", "http://else/Patient/1", "Patient/1/_history/2", "urn:uuid:1", "#c"})
	drawURL    = rapid.SampledFrom([]string{"http://a/b", "http://a/b/", "http://a/b/c", "http://a", "http://a/b|1", "urn:x", "http://a/" + strings.Repeat("z", 250), "http://a/" + strings.Repeat("z", 251)})
)

// member writes a JSON member where the value is not empty.
func member(name, value string) string {
	if value == "" {
		return ""
	}
	return fmt.Sprintf(",%q:%q", name, value)
}

func coding(t *rapid.T) string {
	return fmt.Sprintf(`{"userSelected":true%s%s%s}`, member("system", drawSystem.Draw(t, "system")), member("code", drawCode.Draw(t, "code")), member("display", drawText.Draw(t, "display")))
}

func list(t *rapid.T, label string, most int, one func(*rapid.T) string) string {
	n := rapid.IntRange(0, most).Draw(t, label)
	parts := make([]string, n)
	for i := range parts {
		parts[i] = one(t)
	}
	return strings.Join(parts, ",")
}

// arrayOf writes a member that is an array, or nothing where it is empty.
func arrayOf(name, items string) string {
	if items == "" {
		return ""
	}
	return fmt.Sprintf(",%q:[%s]", name, items)
}

func concept(t *rapid.T) string {
	return fmt.Sprintf(`{"id":"c"%s%s}`, arrayOf("coding", list(t, "codings", 2, coding)), member("text", drawText.Draw(t, "text")))
}

func quantity(t *rapid.T) string {
	unit := drawUnit.Draw(t, "unit")
	return fmt.Sprintf(`{"id":"q","value":%s%s%s%s%s}`, drawNumber.Draw(t, "number"),
		member("code", unit), member("unit", rapid.SampledFrom([]string{"", unit, "u"}).Draw(t, "shown")),
		member("system", rapid.SampledFrom([]string{"", "http://unitsofmeasure.org", "http://a"}).Draw(t, "system")),
		member("comparator", rapid.SampledFrom([]string{"", "", "", "<", ">="}).Draw(t, "comparator")))
}

func period(t *rapid.T) string {
	return fmt.Sprintf(`{"id":"p"%s%s}`, member("start", rapid.OneOf(drawDate, rapid.Just("")).Draw(t, "start")), member("end", rapid.OneOf(drawDate, rapid.Just("")).Draw(t, "end")))
}

func reference(t *rapid.T) string {
	return fmt.Sprintf(`{"id":"r"%s,"identifier":{"use":"usual"%s%s}}`, member("reference", rapid.OneOf(drawRef, rapid.Just("")).Draw(t, "reference")),
		member("system", drawSystem.Draw(t, "system")), member("value", drawCode.Draw(t, "value")))
}

func identifier(t *rapid.T) string {
	return fmt.Sprintf(`{"use":"usual","type":%s%s%s}`, concept(t), member("system", drawSystem.Draw(t, "system")), member("value", drawCode.Draw(t, "value")))
}

func choice(t *rapid.T, name string) string {
	switch rapid.IntRange(0, 5).Draw(t, name) {
	case 0:
		return fmt.Sprintf(`,"%sQuantity":%s`, name, quantity(t))
	case 1:
		return fmt.Sprintf(`,"%sCodeableConcept":%s`, name, concept(t))
	case 2:
		return member(name+"String", drawText.Draw(t, "string"))
	case 3:
		return member(name+"DateTime", drawDate.Draw(t, "dateTime"))
	case 4:
		return fmt.Sprintf(`,"%sPeriod":%s`, name, period(t))
	}
	return ""
}

func observation(t *rapid.T) string {
	effective := ""
	switch rapid.IntRange(0, 2).Draw(t, "effective") {
	case 0:
		effective = member("effectiveDateTime", drawDate.Draw(t, "date"))
	case 1:
		effective = fmt.Sprintf(`,"effectivePeriod":%s`, period(t))
	}
	component := func(t *rapid.T) string { return fmt.Sprintf(`{"code":%s%s}`, concept(t), choice(t, "value")) }
	return fmt.Sprintf(`{"resourceType":"Observation","id":"o","status":"final","code":%s%s%s%s,"subject":%s%s}`,
		concept(t), effective, choice(t, "value"), arrayOf("identifier", list(t, "identifiers", 2, identifier)), reference(t),
		arrayOf("component", list(t, "components", 2, component)))
}

func patient(t *rapid.T) string {
	name := func(t *rapid.T) string {
		return fmt.Sprintf(`{"use":"usual"%s%s%s}`, member("text", drawText.Draw(t, "text")), member("family", drawText.Draw(t, "family")),
			arrayOf("given", fmt.Sprintf("%q", "g"+drawText.Draw(t, "given"))))
	}
	return fmt.Sprintf(`{"resourceType":"Patient","id":"p"%s%s%s,"meta":{"versionId":"1"%s%s}}`, arrayOf("name", list(t, "names", 3, name)),
		arrayOf("identifier", list(t, "identifiers", 2, identifier)), member("birthDate", rapid.SampledFrom([]string{"", "1950", "1950-02", "1950-02-03"}).Draw(t, "birth")),
		arrayOf("profile", list(t, "profiles", 2, func(t *rapid.T) string { return fmt.Sprintf("%q", drawURL.Draw(t, "profile")) })), member("source", rapid.OneOf(drawURL, rapid.Just("")).Draw(t, "source")))
}

func valueSet(t *rapid.T) string {
	return fmt.Sprintf(`{"resourceType":"ValueSet","id":"v","status":"draft"%s,"useContext":[{"code":%s,"valueQuantity":%s}]}`,
		member("url", drawURL.Draw(t, "url")), coding(t), quantity(t))
}

func riskAssessment(t *rapid.T) string {
	probability := fmt.Sprintf(`"probabilityDecimal":%s`, drawNumber.Draw(t, "probability"))
	if rapid.Bool().Draw(t, "range") {
		probability = fmt.Sprintf(`"probabilityRange":{"low":%s,"high":%s}`, quantity(t), quantity(t))
	}
	return fmt.Sprintf(`{"resourceType":"RiskAssessment","id":"k","status":"final","subject":%s,"prediction":[{%s}]}`, reference(t), probability)
}

// escape writes a text as a value of a query.
var escape = strings.NewReplacer(`\`, `\\`, ",", `\,`, "|", `\|`, "$", `\$`, "&", "%26", "#", "%23", "+", "%2B", "%", "%25")

func tokenQuery(t *rapid.T) string {
	switch rapid.IntRange(0, 2).Draw(t, "form") {
	case 0:
		return drawCode.Draw(t, "code")
	case 1:
		return drawSystem.Draw(t, "system") + "|" + drawCode.Draw(t, "code")
	}
	return "http://a|"
}

func dateQuery(t *rapid.T) string {
	return drawPrefix.Draw(t, "prefix") + escape.Replace(drawDate.Draw(t, "date"))
}

func numberQuery(t *rapid.T) string {
	return drawPrefix.Draw(t, "prefix") + drawNumber.Draw(t, "number")
}

func quantityQuery(t *rapid.T) string {
	q := numberQuery(t)
	switch rapid.IntRange(0, 3).Draw(t, "unit form") {
	case 0:
		return q
	case 1:
		return q + "||" + drawUnit.Draw(t, "unit")
	}
	return q + "|" + rapid.SampledFrom([]string{"http://unitsofmeasure.org", "http://a"}).Draw(t, "system") + "|" + drawUnit.Draw(t, "unit")
}

func stringQuery(t *rapid.T) string { return escape.Replace(drawText.Draw(t, "text")) }

func refQuery(t *rapid.T) string {
	return rapid.OneOf(drawRef, rapid.SampledFrom([]string{"1", "2"})).Draw(t, "ref")
}

// criteria are the parameters drawn from, by type: name, modifiers, values.
var criteria = map[string][]struct {
	name      string
	modifiers []string
	value     func(*rapid.T) string
}{
	"Observation": {
		{"code", []string{"", "not", "missing"}, tokenQuery},
		{"code", []string{"text"}, stringQuery},
		{"identifier", []string{"", "not", "missing"}, tokenQuery},
		{"identifier", []string{"of-type"}, func(t *rapid.T) string {
			return "http://a|" + drawCode.Draw(t, "type") + "|" + drawCode.Draw(t, "value")
		}},
		{"date", []string{"", "", "missing"}, dateQuery},
		{"value-date", []string{"", "missing"}, dateQuery},
		{"value-quantity", []string{"", "missing"}, quantityQuery},
		{"combo-value-quantity", []string{""}, quantityQuery},
		{"value-string", []string{"", "exact", "contains", "missing"}, stringQuery},
		{"value-concept", []string{"", "not"}, tokenQuery},
		{"subject", []string{"", "missing", "Patient"}, refQuery},
		{"patient", []string{"", "missing"}, refQuery},
		{"subject", []string{"identifier"}, tokenQuery},
		{"code-value-quantity", []string{""}, func(t *rapid.T) string { return tokenQuery(t) + "$" + quantityQuery(t) }},
		{"combo-code-value-quantity", []string{""}, func(t *rapid.T) string { return tokenQuery(t) + "$" + quantityQuery(t) }},
		{"_filter", []string{""}, func(t *rapid.T) string { return "subject ne " + refQuery(t) }},
		{"component-code-value-concept", []string{""}, func(t *rapid.T) string { return tokenQuery(t) + "$" + tokenQuery(t) }},
		{"code-value-string", []string{""}, func(t *rapid.T) string { return tokenQuery(t) + "$" + stringQuery(t) }},
		{"code-value-date", []string{""}, func(t *rapid.T) string { return tokenQuery(t) + "$" + dateQuery(t) }},
	},
	"Patient": {
		{"name", []string{"", "exact", "contains", "missing"}, stringQuery},
		{"family", []string{"", "exact", "contains"}, stringQuery},
		{"birthdate", []string{"", "missing"}, func(t *rapid.T) string {
			return drawPrefix.Draw(t, "prefix") + rapid.SampledFrom([]string{"1950", "1950-02", "1950-02-03", "1950-02-04"}).Draw(t, "date")
		}},
		{"_profile", []string{"", "below", "above", "missing"}, func(t *rapid.T) string { return drawURL.Draw(t, "url") }},
		{"_source", []string{"", "below", "above", "missing"}, func(t *rapid.T) string { return drawURL.Draw(t, "url") }},
		{"_content", []string{""}, stringQuery},
		{"identifier", []string{"", "not"}, tokenQuery},
		{"_filter", []string{""}, func(t *rapid.T) string {
			return fmt.Sprintf(`name %s "%s"`, rapid.SampledFrom([]string{"eq", "ne", "ew", "sw", "co"}).Draw(t, "operator"), drawText.Draw(t, "text"))
		}},
		{"_filter", []string{""}, func(t *rapid.T) string {
			return "identifier " + rapid.SampledFrom([]string{"eq", "ne"}).Draw(t, "operator") + " " + tokenQuery(t)
		}},
		{"_filter", []string{""}, func(t *rapid.T) string {
			return "_profile ne " + drawURL.Draw(t, "url") + " or not (_source ne " + drawURL.Draw(t, "url") + ")"
		}},
	},
	"ValueSet": {
		{"url", []string{"", "below", "above"}, func(t *rapid.T) string { return drawURL.Draw(t, "url") }},
		{"context-quantity", []string{"", "missing"}, quantityQuery},
		{"context-type-quantity", []string{""}, func(t *rapid.T) string { return tokenQuery(t) + "$" + quantityQuery(t) }},
	},
	"RiskAssessment": {{"probability", []string{"", "missing"}, numberQuery}},
}

var resources = map[string]func(*rapid.T) string{
	"Observation": observation, "Patient": patient, "ValueSet": valueSet, "RiskAssessment": riskAssessment,
}

// TestKeysAgreeWithContent draws resources and criteria: what the ranges find
// among the keys must be what Match says of the content.
func TestKeysAgreeWithContent(t *testing.T) {
	r, err := search.New(searchscript.Options())
	if err != nil {
		t.Fatal(err)
	}
	hits, tried := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]string{"Observation", "Observation", "Observation", "Patient", "Patient", "ValueSet", "RiskAssessment"}).Draw(t, "type")
		text := resources[typ](t)
		resource, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		keyed := &searchscript.Keyed{Registry: r}
		if err := keyed.Load([]*searchscript.Record{{Resource: resource}}); err != nil {
			t.Fatal(err)
		}
		for range 8 {
			c := rapid.SampledFrom(criteria[typ]).Draw(t, "criterion")
			name, value := c.name, c.value(t)
			switch m := rapid.SampledFrom(c.modifiers).Draw(t, "modifier"); m {
			case "":
			case "missing":
				name, value = name+":missing", rapid.SampledFrom([]string{"true", "false"}).Draw(t, "missing")
			default:
				name += ":" + m
			}
			tried++
			if agree(t, r, keyed, resource, name+"="+value) {
				hits++
			}
		}
	})
	t.Logf("%d of %d random criteria match", hits, tried)
	if hits*20 < tried || hits*20 > tried*19 {
		t.Errorf("%d of %d random criteria match: the test says little", hits, tried)
	}
}

// TestContainedKeysAgreeWithContent draws containers of two resources and
// criteria of contained ones: what is found among the keys of the container must
// be what Match says of the content, and the same for each of the two.
func TestContainedKeysAgreeWithContent(t *testing.T) {
	r, err := search.New(searchscript.Options())
	if err != nil {
		t.Fatal(err)
	}
	var hits, tried int
	rapid.Check(t, func(t *rapid.T) {
		typ := rapid.SampledFrom([]string{"Observation", "Patient", "ValueSet", "RiskAssessment"}).Draw(t, "type")
		text := fmt.Sprintf(`{"resourceType":"Basic","id":"b","code":{"text":"x"},"contained":[%s,%s]}`, resources[typ](t), resources[typ](t))
		container, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		keyed := &searchscript.Keyed{Registry: r}
		if err := keyed.Load([]*searchscript.Record{{Resource: container}}); err != nil {
			t.Fatal(err)
		}
		for range 10 { // one in eight matches
			if want, refused := containedAgree(t, r, keyed, container, typ, containedQuery(t, typ)); !refused {
				tried++
				if want {
					hits++
				}
			}
		}
	})
	t.Logf("%d of %d random searches match", hits, tried)
	if hits == 0 || hits == tried {
		t.Errorf("%d of %d random searches match: the test says little", hits, tried)
	}
}

// containedQuery draws one to three criteria of contained resources.
func containedQuery(t *rapid.T, typ string) string {
	query := "_contained=true"
	for range rapid.IntRange(1, 3).Draw(t, "criteria") {
		c := rapid.SampledFrom(criteria[typ]).Draw(t, "criterion")
		name, value := c.name, c.value(t)
		switch m := rapid.SampledFrom(c.modifiers).Draw(t, "modifier"); m {
		case "":
		case "missing":
			name, value = name+":missing", "true"
		default:
			name += ":" + m
		}
		query += "&" + name + "=" + strings.ReplaceAll(value, " ", "%20")
	}
	return query
}

// containedAgree tells what a query of type typ says of what a resource contains,
// by its keys, by its content and by each of the contained resources alone.
func containedAgree(t *rapid.T, r *search.Registry, keyed *searchscript.Keyed, container *fhir.Element, typ, query string) (match, refused bool) {
	req, err := r.Parse(typ, query)
	if err != nil {
		return false, true
	}
	q, err := r.ContainedQuery(&req, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := r.Match(q.Where, container, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := keyed.Meets("Basic/b", q.Where)
	if err != nil {
		t.Fatal(err)
	}
	alone := false
	for c := range container.All("contained") {
		meets, err := r.Match(req.Query.Where, c, nil)
		if err != nil {
			t.Fatal(err)
		}
		alone = alone || meets
	}
	if got != want || got != alone {
		t.Fatalf("%s: keys say %v, content says %v, the contained resources %v", query, got, want, alone)
	}
	return want, false
}

// agree compares both ways; queries that are refused say nothing.
func agree(t *rapid.T, r *search.Registry, keyed *searchscript.Keyed, resource *fhir.Element, query string) bool {
	query = strings.ReplaceAll(query, " ", "%20")
	req, err := r.Parse(resource.ResourceType(), query)
	if err != nil {
		return false
	}
	want, err := r.Match(req.Query.Where, resource, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := keyed.Meets(resource.ResourceType()+"/"+resource.ID(), req.Query.Where)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("%s: keys say %v, content says %v\n%s", query, got, want, fhirjson.Append(nil, resource))
	}
	return want
}
