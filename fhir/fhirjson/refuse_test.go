package fhirjson_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

// patient wraps members into a Patient, so that they begin in line 2, column 1.
func patient(members string) string { return "{\"resourceType\":\"Patient\",\n" + members + "}" }

// TestRefuse shows each thing the reader refuses, with the issues as
// "line:column id expression".
func TestRefuse(t *testing.T) {
	tests := []struct {
		name, source string
		want         []string
	}{
		{"no text", ``, []string{"1:1 json-syntax "}},
		{"no object", `["a"]`, []string{"1:1 json-syntax "}},
		{"text after", patient(`"active":true`) + " x", []string{"2:16 json-syntax Patient"}},
		{"cut off", `{"resourceType":"Patient","name":[{"text":"a"`, []string{"1:46 json-syntax Patient.name[0]"}},
		{"trailing comma", patient(`"active":true,`), []string{"2:15 json-syntax Patient"}},
		{"bad number", patient(`"multipleBirthInteger":01`), []string{"2:24 json-syntax Patient.multipleBirth"}},
		{"bad word", patient(`"active":tru`), []string{"2:10 json-syntax Patient.active"}},
		{"control character", patient("\"id\":\"a\tb\""), []string{"2:8 json-syntax Patient.id"}},
		{"lone surrogate", patient(`"id":"\ud800"`), []string{"2:7 json-syntax Patient.id"}},
		{"bad escape", patient(`"id":"\x"`), []string{"2:7 json-syntax Patient.id"}},
		{"not UTF-8", patient("\"id\":\"あ\xff\""), []string{"2:8 json-utf8 "}},
		{"byte order mark", "\ufeff" + patient(`"active":true`), []string{"1:1 json-syntax "}},
		{"syntax before resourceType", `{"a":[1,}`, []string{"1:9 json-syntax "}},
		{"no name before resourceType", `{1:2}`, []string{"1:2 json-syntax "}},
		{"no colon before resourceType", `{"a" 2}`, []string{"1:6 json-syntax "}},
		{"no comma before resourceType", `{"a":2 "b"}`, []string{"1:8 json-syntax "}},
		{"no comma in an object to skip", patient(`"x":{"a":{},"b":[] "c"}`), []string{"2:1 element-unknown Patient.x", "2:20 json-syntax Patient"}},
		{"name without end", patient(`"active`), []string{"2:1 json-syntax Patient"}},
		{"bad hexadecimal digit", patient(`"id":"\u00g0"`), []string{"2:7 json-syntax Patient.id"}},
		{"escape cut off", strings.TrimSuffix(patient(`"id":"\`), "}"), []string{"2:7 json-syntax Patient.id"}},
		{"nothing", `{}`, []string{"1:1 resource-type-missing "}},
		{"no resourceType", `{"active":true}`, []string{"1:1 resource-type-missing "}},
		{"resourceType not a string", `{"resourceType":1}`, []string{"1:1 resource-type-missing "}},
		{"unknown resourceType", `{"resourceType":"Patent"}`, []string{"1:1 resource-type-unknown "}},
		{"abstract resourceType", `{"resourceType":"DomainResource"}`, []string{"1:1 resource-type-unknown "}},
		{"data type as resourceType", `{"resourceType":"HumanName"}`, []string{"1:1 resource-type-unknown "}},
		{"resourceType twice", patient(`"resourceType":"Patient"`), []string{"2:1 json-duplicate Patient.resourceType"}},
		{"contained without type", patient(`"contained":[{"id":"a"},{"resourceType":"X"}]`), []string{"2:14 resource-type-missing Patient.contained[0]", "2:25 resource-type-unknown Patient.contained[1]"}},
		{"unknown property", patient(`"nmae":[{"text":["x"]}],"active":true,"name":[{"txt":1}]`), []string{"2:1 element-unknown Patient.nmae", "2:48 element-unknown Patient.name[0].txt"}},
		{"type not in the choice", patient(`"deceasedString":"no"`), []string{"2:1 element-unknown Patient.deceasedString"}},
		{"choice without type", patient(`"deceased":true`), []string{"2:1 element-unknown Patient.deceased"}},
		{"resourceType in a data type", patient(`"name":[{"resourceType":"HumanName","text":"a"}]`), []string{"2:10 element-unknown Patient.name[0].resourceType"}},
		{"_ of a complex element", patient(`"_name":[{"id":"a"}]`), []string{"2:1 element-unknown Patient._name"}},
		{"_ of an extension's url", patient(`"extension":[{"url":"http://x","_url":{"id":"a"},"valueCode":"a"}]`), []string{"2:32 element-unknown Patient.extension[0]._url"}},
		{"_ of a narrative", patient(`"text":{"status":"empty","div":"<div/>","_div":{"id":"a"}}`), []string{"2:41 element-unknown Patient.text._div"}},
		{"duplicate", patient(`"active":true,"active":true`), []string{"2:15 json-duplicate Patient.active"}},
		{"duplicate of a list", patient(`"name":[{"text":"a"}],"name":[{"text":"b"}]`), []string{"2:23 json-duplicate Patient.name"}},
		{"duplicate _", patient(`"_active":{"id":"a"},"_active":{"id":"a"}`), []string{"2:22 json-duplicate Patient._active"}},
		{"duplicate by escape", patient(`"active":true,"\u0061ctive":true`), []string{"2:15 json-duplicate Patient.active"}},
		{"two types of a choice", patient(`"deceasedBoolean":true,"deceasedDateTime":"2020"`), []string{"2:24 json-choice Patient.deceased"}},
		{"two types of a choice, one _", patient(`"deceasedBoolean":true,"_deceasedDateTime":{"id":"a"}`), []string{"2:24 json-choice Patient.deceased"}},
		{"string for a boolean", patient(`"active":"true"`), []string{"2:10 json-kind Patient.active"}},
		{"string for a number", patient(`"multipleBirthInteger":"2"`), []string{"2:24 json-kind Patient.multipleBirth"}},
		{"number for a string", patient(`"name":[{"text":"a","given":["b",3]}]`), []string{"2:34 json-kind Patient.name[0].given[1]"}},
		{"boolean for a string", patient(`"birthDate":false`), []string{"2:13 json-kind Patient.birthDate"}},
		{"object for a primitive", patient(`"birthDate":{"value":"2020"}`), []string{"2:13 json-kind Patient.birthDate"}},
		{"string for an object", patient(`"maritalStatus":"M"`), []string{"2:17 json-kind Patient.maritalStatus"}},
		{"string for a resource", patient(`"contained":["a"]`), []string{"2:14 json-kind Patient.contained[0]"}},
		{"string for _", patient(`"_birthDate":"a"`), []string{"2:14 json-kind Patient.birthDate"}},
		{"null", patient(`"birthDate":null`), []string{"2:13 json-null Patient.birthDate"}},
		{"null for an object", patient(`"name":[null]`), []string{"2:9 json-null Patient.name[0]"}},
		{"null without the other half", patient(`"name":[{"given":["a",null,"b",null],"_given":[null,null,null,{"id":"x"}]}]`), []string{"2:23 json-null Patient.name[0].given[1]"}},
		{"only nulls", patient(`"name":[{"given":[null]}]`), []string{"2:19 json-null Patient.name[0].given[0]"}},
		{"empty string", patient(`"id":""`), []string{"2:6 json-empty-string Patient.id"}},
		{"empty array", patient(`"name":[],"contact":[{"telecom":[ ]}]`), []string{"2:8 json-empty-array Patient.name", "2:33 json-empty-array Patient.contact[0].telecom"}},
		{"empty object", patient(`"name":[{}],"maritalStatus":{ }`), []string{"2:10 json-empty-object Patient.name[0]", "2:31 json-empty-object Patient.maritalStatus"}},
		{"_ longer", patient(`"name":[{"given":["a"],"_given":[null,{"id":"x"}]}]`), []string{"2:33 json-array-length Patient.name[0].given"}},
		{"_ shorter", patient(`"name":[{"_given":[{"id":"x"}],"given":["a","b"]}]`), []string{"2:40 json-array-length Patient.name[0].given"}},
		{"array for one value", patient(`"birthDate":["1940"],"maritalStatus":[{"txt":"a"}]`), []string{"2:13 json-array-unexpected Patient.birthDate", "2:38 json-array-unexpected Patient.maritalStatus", "2:40 element-unknown Patient.maritalStatus[0].txt"}},
		{"no array for many", patient(`"name":{"text":"a","txt":"b"}`), []string{"2:8 json-array-expected Patient.name", "2:20 element-unknown Patient.name.txt"}},
		{"array in an array", patient(`"name":[[{"text":"a"}]]`), []string{"2:9 json-kind Patient.name[0]"}},
		{"issues keep the order of the text", patient(`"name":[{"txt":"あ"}],` + "\n" + `"active":1`), []string{"2:10 element-unknown Patient.name[0].txt", "3:10 json-kind Patient.active"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, err := fhirjson.Decode([]byte(tt.source), fhirjson.Options{})
			if e != nil {
				t.Error("a resource came back with the error")
			}
			if diff := cmp.Diff(tt.want, lines(t, err)); diff != "" {
				t.Errorf("issues differ (-want +got):\n%s", diff)
			}
		})
	}
}

// lines returns issues as "line:column id expression".
func lines(t *testing.T, err error) []string {
	t.Helper()
	var issues fhir.Issues
	if !errors.As(err, &issues) {
		t.Fatalf("error is %v, want issues", err)
	}
	var out []string
	for _, i := range issues {
		if i.Message.En == "" || i.Message.Ja == "" || i.Message.En == i.Message.Ja || strings.Contains(i.Message.En+i.Message.Ja, "%!") {
			t.Errorf("%s: message %+v", i.ID, i.Message)
		}
		out = append(out, fmt.Sprintf("%d:%d %s %s", i.Line, i.Column, i.ID, i.Expression))
	}
	return out
}

func TestKeepUnknownRefuses(t *testing.T) {
	for _, tt := range []struct{ name, source, want string }{
		{"null", patient(`"new":null`), "2:7 json-kind Patient.new"},
		{"array in an array", patient(`"new":[[1]]`), "2:8 json-kind Patient.new[0]"},
		{"empty array", patient(`"new":[]`), "2:7 json-empty-array Patient.new"},
		{"empty object", patient(`"new":{"a":{}}`), "2:13 json-empty-object Patient.new.a"},
		{"duplicate", patient(`"new":{"a":1,"a":2}`), "2:14 json-duplicate Patient.new.a"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fhirjson.Decode([]byte(tt.source), fhirjson.Options{KeepUnknown: true})
			if diff := cmp.Diff([]string{tt.want}, lines(t, err)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	deep := func(n int) string {
		return patient(strings.Repeat(`"extension":[{"url":"u",`, n) + `"valueCode":"a"` + strings.Repeat("}]", n))
	}
	if _, err := fhirjson.Decode([]byte(deep(63)), fhirjson.Options{}); err != nil {
		t.Errorf("64 levels: %v", err)
	}
	for _, tt := range []struct {
		name, source string
		opts         fhirjson.Options
		want         string
	}{
		{"depth", deep(64), fhirjson.Options{}, "limit-depth"},
		{"depth of unknown content", patient(`"x":` + strings.Repeat("[", 1000)), fhirjson.Options{}, "limit-depth"},
		{"depth of kept content", patient(strings.Repeat(`"x":{`, 1000)), fhirjson.Options{KeepUnknown: true}, "limit-depth"},
		{"depth before resourceType", strings.Repeat(`{"a":`, 1000), fhirjson.Options{}, "limit-depth"},
		{"unknown properties", patient(`"a":1` + numbered(`,"a%d":1`, 1000)), fhirjson.Options{KeepUnknown: true}, "limit-unknown"},
		{"unknown properties inside", patient(`"x":{"a":1` + numbered(`,"a%d":1`, 1000) + "}"), fhirjson.Options{KeepUnknown: true}, "limit-unknown"},
		{"set depth", deep(2), fhirjson.Options{MaxDepth: 2}, "limit-depth"},
		{"size", patient(`"active":true`), fhirjson.Options{MaxBytes: 20}, "limit-bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fhirjson.Decode([]byte(tt.source), tt.opts)
			var issues fhir.Issues
			if !errors.As(err, &issues) || issues[len(issues)-1].ID != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestTooManyIssues(t *testing.T) {
	source := patient(`"name":[` + strings.Repeat(`{"x":1},`, 1_000_000) + `{"text":"a"}]`)
	_, err := fhirjson.Decode([]byte(source), fhirjson.Options{})
	if got := lines(t, err); len(got) != fhir.MaxProblems {
		t.Errorf("%d issues, want %d", len(got), fhir.MaxProblems)
	}
}

// TestNoAlias makes sure that the tree outlives its source.
func TestNoAlias(t *testing.T) {
	source := []byte(patient(`"id":"abc"`))
	e, err := fhirjson.Decode(source, fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	copy(source, bytes.Repeat([]byte("x"), len(source)))
	if e.ID() != "abc" {
		t.Errorf("id became %q", e.ID())
	}
}

// numbered repeats a format with a running number.
func numbered(format string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}
