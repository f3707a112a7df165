package fhirjson_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
)

var project = os.DirFS("../..")

func TestRoundTrip(t *testing.T) {
	n := 0
	for x, err := range fhirtest.Some(project) {
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, x)
		n++
	}
	if n < 900 {
		t.Errorf("only %d examples: the set is not whole", n)
	}
}

func TestRoundTripAll(t *testing.T) {
	if !fhirtest.HasAll(project) || testing.Short() {
		t.Skip("all examples: run make examples, and go test without -short")
	}
	for x, err := range fhirtest.All(project) {
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, x)
	}
}

// roundTrip reads and writes an example; nothing may differ but white space.
func roundTrip(t *testing.T, x fhirtest.Example) {
	t.Helper()
	e, err := fhirjson.Decode(x.JSON, fhirjson.Options{MaxBytes: 64 << 20})
	if err != nil {
		t.Errorf("%s: %v", x.Name, err)
		return
	}
	if typ, _, _ := strings.Cut(x.Name, "-"); e.ResourceType() != typ {
		t.Errorf("%s: read as %q", x.Name, e.ResourceType())
	}
	diff, err := fhirtest.Difference(x.JSON, fhirjson.Append(nil, e))
	if err != nil || diff != "" {
		t.Errorf("%s: differs at %s (%v)", x.Name, diff, err)
	}
}

func TestTree(t *testing.T) {
	const source = `{"resourceType":"Patient","id":"p","name":[{"given":["a",null],"_given":[null,{"id":"g"}]}],
"_birthDate":{"extension":[{"url":"http://x","valueTime":"10:00:00"}]},"birthDate":"1940-01-01","multipleBirthInteger":2,
"contained":[{"resourceType":"Organization","active":true}]}`
	e, err := fhirjson.Decode([]byte(source), fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	given := e.Get("name").Children
	if len(given) != 2 || given[0].Value != "a" || given[1].Kind != fhir.None || given[1].ID() != "g" {
		t.Errorf("given: %+v", given)
	}
	birth := e.Get("birthDate")
	if birth.Value != "1940-01-01" || birth.Text("extension", "valueTime") != "10:00:00" || birth.List || source[birth.Offset] != '"' {
		t.Errorf("birthDate: %+v", birth)
	}
	if c := e.Get("contained"); c.ResourceType() != "Organization" || c.Def.Path != "Patient.contained" || !c.List || c.Text("active") != "true" || c.Get("active").Kind != fhir.Boolean {
		t.Errorf("contained: %+v", c)
	}
	if m := e.Get("multipleBirthInteger"); m.Def.Name != "multipleBirth" || m.Type.Name != "integer" || m.Kind != fhir.Number {
		t.Errorf("multipleBirth: %+v", m)
	}
	want := `{"resourceType":"Patient","id":"p","name":[{"given":["a",null],"_given":[null,{"id":"g"}]}],"birthDate":"1940-01-01",` +
		`"_birthDate":{"extension":[{"url":"http://x","valueTime":"10:00:00"}]},"multipleBirthInteger":2,"contained":[{"resourceType":"Organization","active":true}]}`
	if diff := cmp.Diff(want, string(fhirjson.Append(nil, e))); diff != "" {
		t.Error(diff)
	}
}

// Texts that must come back byte for byte.
func TestExact(t *testing.T) {
	for _, source := range []string{
		`{"resourceType":"Patient"}`,
		`{"resourceType":"Observation","valueQuantity":{"value":1.10}}`,
		`{"resourceType":"Observation","valueQuantity":{"value":1E3}}`,
		`{"resourceType":"Observation","valueQuantity":{"value":-0.0e-12}}`,
		`{"resourceType":"Observation","valueQuantity":{"value":123456789012345678901234567890.000000000000000000001}}`,
		`{"resourceType":"Observation","note":[{"text":"改行\n\"引用\" \\ \t 𠮷野家 \u0001"}]}`,
		`{"resourceType":"Parameters","parameter":[{"name":"r","resource":{"resourceType":"Patient","active":false}},{"name":"p","part":[{"name":"q","valueUri":"urn:x"}]}]}`,
		`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Bundle","type":"batch"}}]}`,
		`{"resourceType":"Questionnaire","item":[{"linkId":"1","item":[{"linkId":"1.1"}]}]}`,
		`{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">a &amp; b</div>"}}`,
	} {
		e, err := fhirjson.Decode([]byte(source), fhirjson.Options{})
		if err != nil {
			t.Errorf("%s: %v", source, err)
			continue
		}
		if diff := cmp.Diff(source, string(fhirjson.Append(nil, e))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEscapes(t *testing.T) {
	source := `{"resourceType":"Patient","n\u0061me":[{"text":"\ud842\udfb7\u91ce\/\b\f"}]}`
	e, err := fhirjson.Decode([]byte(source), fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := e.Text("name", "text"); got != "𠮷野/\b\f" {
		t.Errorf("got %q", got)
	}
	if got := string(fhirjson.Append(nil, e)); got != `{"resourceType":"Patient","name":[{"text":"𠮷野/\u0008\u000c"}]}` {
		t.Errorf("got %s", got)
	}
}

func TestKeepUnknown(t *testing.T) {
	source := `{"resourceType":"Patient","new":{"a":[1.0,"b",true],"_c":{"d":"e"}},"newer":"f","active":true}`
	if _, err := fhirjson.Decode([]byte(source), fhirjson.Options{}); err == nil {
		t.Error("unknown properties were accepted")
	}
	e, err := fhirjson.Decode([]byte(source), fhirjson.Options{KeepUnknown: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(fhirjson.Append(nil, e)); got != source {
		t.Errorf("got %s", got)
	}
	if c := e.Get("new"); c.Def != nil || c.Type != nil {
		t.Errorf("unknown content has a definition: %+v", c)
	}
}

func TestAppendBuilt(t *testing.T) {
	p := fhir.NewResource("Patient")
	p.Add("name").Set("text", "介護 花子")
	p.Set("active", "true").Set("id", "p1")
	p.Add("telecom") // stays empty
	p.Add("contact").Add("name").Add("given")
	p.Set("multipleBirthInteger", `1,"active":false`)
	p.Add("name").Set("family", "a\xffb")
	want := `{"resourceType":"Patient","id":"p1","active":true,"name":[{"text":"介護 花子"},{"family":"a` + "\ufffd" + `b"}],"multipleBirthInteger":"1,\"active\":false"}`
	if diff := cmp.Diff(want, string(fhirjson.Append(nil, p))); diff != "" {
		t.Error(diff)
	}
	if got := string(fhirjson.AppendIndent([]byte("x"), fhir.NewResource("Basic").Set("id", "1"))); got != "x{\n  \"resourceType\": \"Basic\",\n  \"id\": \"1\"\n}" {
		t.Errorf("got %s", got)
	}
}
