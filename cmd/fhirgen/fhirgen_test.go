package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// all is where `make examples` puts the package.
const all = "../../.cache/fhir-r4-examples/package"

// TestUpToDate makes the embedded files anew and compares.
func TestUpToDate(t *testing.T) {
	if _, err := os.Stat(all); err != nil || testing.Short() {
		t.Skip("the npm package: run make examples, and go test without -short")
	}
	files, err := readPackage(all)
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := generate(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range outputs {
		embedded, err := os.ReadFile(filepath.Join("../../fhir/r4", o.Name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(embedded, o.Data) {
			t.Errorf("%s is not what fhirgen makes now: run it", o.Name)
		}
	}
}

const packageJSON = `{"name":"hl7.fhir.r4.examples","version":"4.0.1"}`

func TestReadPackage(t *testing.T) {
	content := map[string]string{"package.json": packageJSON, "Basic-b.json": "{}", "Basic-a.json": "[]", "readme.txt": "x"}
	dir := t.TempDir()
	folder, tarball := filepath.Join(dir, "folder"), filepath.Join(dir, "p.tgz")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, data := range content {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteHeader(&tar.Header{Name: "package/" + name, Size: int64(len(data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if w.Close() != nil || z.Close() != nil || os.WriteFile(tarball, b.Bytes(), 0o644) != nil {
		t.Fatal("cannot write the tarball")
	}
	want := []file{{"Basic-a.json", []byte("[]")}, {"Basic-b.json", []byte("{}")}, {"package.json", []byte(packageJSON)}}
	for _, source := range []string{folder, tarball} {
		got, err := readPackage(source)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", source, diff)
		}
	}
}

func TestCheckPackage(t *testing.T) {
	for _, tt := range []struct{ name, data, want string }{
		{"other package", `{"name":"hl7.fhir.r5.examples","version":"4.0.1"}`, "hl7.fhir.r5.examples@4.0.1"},
		{"other version", `{"name":"hl7.fhir.r4.examples","version":"4.3.0"}`, "@4.3.0"},
		{"no JSON", `{`, "package.json"},
	} {
		if err := checkPackage([]file{{"package.json", []byte(tt.data)}}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := checkPackage(nil); err == nil {
		t.Error("a package without package.json was accepted")
	}
}

func TestOfType(t *testing.T) {
	var files []file
	for _, name := range []string{"ValueSet-a", "ValueSet-example", "ValueSet-example-b", "ValueSet-example2", "ValueSet-examplescenario-c", "CodeSystem-d"} {
		files = append(files, file{Name: name + ".json"})
	}
	var got []string
	for _, f := range ofType(files, "ValueSet") {
		got = append(got, f.Name)
	}
	if diff := cmp.Diff([]string{"ValueSet-a.json", "ValueSet-examplescenario-c.json"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutNarrative(t *testing.T) {
	url, id, got, err := withoutNarrative([]byte(`{ "resourceType" : "ValueSet", "id": "x", "text": {"div":"x"}, "url":"http://x", "n": 1.10, "d": {"text": "kept", "id": "d"} }`))
	if err != nil || url != "http://x" || id != "x" {
		t.Errorf("%q, %q, %v", url, id, err)
	}
	if want := `{"resourceType":"ValueSet","id":"x","url":"http://x","n":1.10,"d":{"text":"kept","id":"d"}}`; string(got) != want {
		t.Errorf("got %s", got)
	}
	if _, _, _, err := withoutNarrative([]byte(`{"resourceType":"ValueSet","id":"x"}`)); err == nil {
		t.Error("a resource without url was accepted")
	}
}

func TestTypes(t *testing.T) {
	types, err := buildTypes([]file{
		{"StructureDefinition-P.json", []byte(`{"type":"P","kind":"resource","baseDefinition":"http://hl7.org/fhir/StructureDefinition/DomainResource","snapshot":{"element":[
			{"path":"P","constraint":[{"key":"p-1","severity":"error","human":"h","expression":"e"}]},
			{"path":"P.id","min":0,"max":"1","type":[{"code":"http://hl7.org/fhirpath/System.String","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type","valueUrl":"string"}]}]},
			{"path":"P.none","min":0,"max":"0","type":[{"code":"string"}]},
			{"path":"P.c","min":1,"max":"*","isSummary":true,"type":[{"code":"BackboneElement"}]},
			{"path":"P.c.v[x]","min":0,"max":"1","type":[{"code":"string"},{"code":"Reference","targetProfile":["http://t"]}],"binding":{"strength":"required","valueSet":"http://v"}},
			{"path":"P.c.again","min":0,"max":"*","contentReference":"#P.c"}]}}`)},
		{"StructureDefinition-Q.json", []byte(`{"type":"P","kind":"resource","derivation":"constraint","snapshot":{"element":[{"path":"P"}]}}`)},
		{"StructureDefinition-L.json", []byte(`{"type":"L","kind":"logical","snapshot":{"element":[{"path":"L"}]}}`)},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []*r4.Type{
		{Name: "P", Kind: r4.Resource, Base: "DomainResource", Constraints: []r4.Constraint{{Key: "p-1", Severity: "error", Human: "h", Expression: "e"}}, Elements: []*r4.Element{
			{Name: "id", Path: "P.id", Max: 1, Types: []r4.TypeRef{{Code: "id"}}},
			{Name: "c", Path: "P.c", Min: 1, Max: r4.Unbounded, Summary: true, Types: []r4.TypeRef{{Code: "BackboneElement"}}},
		}},
		{Name: "P.c", Kind: r4.Backbone, Base: "BackboneElement", Elements: []*r4.Element{
			{Name: "v", Path: "P.c.v[x]", Choice: true, Max: 1, Types: []r4.TypeRef{{Code: "string"}, {Code: "Reference", TargetProfiles: []string{"http://t"}}}, Binding: &r4.Binding{Strength: "required", ValueSet: "http://v"}},
			{Name: "again", Path: "P.c.again", Max: r4.Unbounded, ContentReference: "P.c"},
		}},
	}
	if diff := cmp.Diff(want, types, cmp.Comparer(func(a, b r4.Type) bool {
		return a.Name == b.Name && a.Kind == b.Kind && a.Base == b.Base && cmp.Equal(a.Constraints, b.Constraints) && cmp.Equal(a.Elements, b.Elements)
	})); diff != "" {
		t.Error(diff)
	}
}
