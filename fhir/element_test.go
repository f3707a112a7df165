package fhir_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
)

func decode(t *testing.T, source string) *fhir.Element {
	t.Helper()
	e, err := fhirjson.Decode([]byte(source), fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const family = `{"resourceType":"Patient","id":"p","name":[{"family":"介護","given":["花子","はなこ"]},{"text":"b"}],` +
	`"contained":[{"resourceType":"Basic","id":"c"}],"deceasedBoolean":false}`

func TestReadTree(t *testing.T) {
	p := decode(t, family)
	if got := p.ResourceType() + "/" + p.ID(); got != "Patient/p" {
		t.Errorf("got %s", got)
	}
	if got := p.Text("name", "given"); got != "花子" {
		t.Errorf("first given name %q", got)
	}
	var given []string
	for g := range p.Get("name").All("given") {
		given = append(given, g.Value)
	}
	if diff := cmp.Diff([]string{"花子", "はなこ"}, given); diff != "" {
		t.Error(diff)
	}
	for range p.All("name") {
		break // All stops when its reader does
	}
	if p.Get("name").ResourceType() != "" || p.Get("contained").ResourceType() != "Basic" {
		t.Error("resource types of children")
	}
}

func TestNilElement(t *testing.T) {
	var e *fhir.Element
	if e.Get("a", "b") != nil || e.Text("a") != "" || e.ID() != "" || e.ResourceType() != "" || e.Clone() != nil {
		t.Error("a nil element has content")
	}
	for range e.All("a") {
		t.Error("a nil element has children")
	}
	e.Walk(func(*fhir.Element) bool { t.Error("a nil element was visited"); return true })
}

func TestClone(t *testing.T) {
	p := decode(t, family)
	c := p.Clone()
	c.Get("name").Set("family", "other")
	c.Remove("contained")
	if got := string(fhirjson.Append(nil, p)); got != family {
		t.Errorf("the original became %s", got)
	}
	if c.Text("name", "family") != "other" || c.Get("contained") != nil || c.Type != p.Type {
		t.Errorf("the copy is %s", fhirjson.Append(nil, c))
	}
	c = p.Clone()
	c.Get("name").Add("text")
	if a, b := p.Get("name"), c.Get("name"); len(b.Children) != len(a.Children)+1 {
		t.Errorf("the copy is %s", fhirjson.Append(nil, c))
	}
	c.Get("name").Remove("text")
	if got := string(fhirjson.Append(nil, c)); got != family {
		t.Errorf("adding to one element changed another: %s", got)
	}
}

func TestWalk(t *testing.T) {
	var got []string
	decode(t, family).Walk(func(e *fhir.Element) bool {
		got = append(got, e.Name)
		return e.Name != "name"
	})
	if diff := cmp.Diff([]string{"", "id", "name", "name", "contained", "id", "deceasedBoolean"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestExpression(t *testing.T) {
	p := decode(t, family)
	for want, e := range map[string]*fhir.Element{
		"Patient":                  p,
		"Patient.id":               p.Get("id"),
		"Patient.name[0].given[1]": p.Get("name").Children[2],
		"Patient.name[1]":          p.Children[2],
		"Patient.contained[0].id":  p.Get("contained", "id"),
		"Patient.deceased":         p.Get("deceasedBoolean"),
		"":                         p.Get("id").Clone(),
	} {
		if got := p.Expression(e); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
