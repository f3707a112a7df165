package fhir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

func TestBuild(t *testing.T) {
	p := fhir.NewResource("Patient")
	p.Set("birthDate", "1940-01-01").Set("active", "true").Set("id", "p")
	p.Add("name").Set("text", "a")
	p.Add("name").Set("text", "b")
	p.Set("multipleBirthInteger", "2").Set("gender", "x").Set("gender", "male").Set("language", "ja").Set("language", "")
	p.AddResource("contained", fhir.NewResource("Basic").Set("id", "c"))
	p.Get("birthDate").Add("extension").Set("url", "http://x").Set("valueDecimal", "1.10")
	want := `{"resourceType":"Patient","id":"p","contained":[{"resourceType":"Basic","id":"c"}],"active":true,"name":[{"text":"a"},{"text":"b"}],` +
		`"gender":"male","birthDate":"1940-01-01","_birthDate":{"extension":[{"url":"http://x","valueDecimal":1.10}]},"multipleBirthInteger":2}`
	got := fhirjson.Append(nil, p)
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(strip(p), strip(decode(t, string(got)))); diff != "" {
		t.Errorf("built and read trees differ:\n%s", diff)
	}
	p.Remove("name")
	if p.Get("name") != nil || p.Get("gender") == nil {
		t.Error("Remove took too little or too much")
	}
}

// strip returns what is to be the same in a built and in a read tree.
func strip(e *fhir.Element) any {
	out := []any{e.Name, e.Def, e.Type.Name, e.Kind, e.Value, e.List}
	for _, c := range e.Children {
		out = append(out, strip(c))
	}
	if e.Def != nil {
		out[1] = e.Def.Path
	}
	return out
}

func TestBuildPanics(t *testing.T) {
	for name, build := range map[string]func(){
		"unknown resource":    func() { fhir.NewResource("Patent") },
		"data type":           func() { fhir.NewResource("HumanName") },
		"unknown property":    func() { fhir.NewResource("Patient").Add("nmae") },
		"type not in choice":  func() { fhir.NewResource("Patient").Set("deceasedString", "a") },
		"unknown slot":        func() { fhir.NewResource("Patient").AddResource("resource", fhir.NewResource("Basic")) },
		"property of a value": func() { fhir.NewResource("Patient").Add("birthDate").Add("value") },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			build()
		})
	}
}

func TestKindOf(t *testing.T) {
	for name, want := range map[string]fhir.Kind{
		"boolean": fhir.Boolean, "integer": fhir.Number, "decimal": fhir.Number, "positiveInt": fhir.Number, "unsignedInt": fhir.Number,
		"string": fhir.String, "date": fhir.String, "xhtml": fhir.String, "base64Binary": fhir.String, "HumanName": fhir.None, "Patient": fhir.None,
	} {
		typ, _ := r4.TypeByName(name)
		if got := fhir.KindOf(typ); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// Adding to a large Bundle must not grow with its square.
func BenchmarkAddEntry(b *testing.B) {
	bundle := fhir.NewResource("Bundle")
	b.ReportAllocs()
	for b.Loop() {
		bundle.Add("entry")
	}
}
