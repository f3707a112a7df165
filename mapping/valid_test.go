package mapping_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// accepted are warnings that stay, with the reason.
var accepted = []struct{ id, at, reason string }{
	{"dom-6", "", "records are for programs; the opinion's sections and the feedback sheet have narratives"},
	{"binding-extensible", ".meta.security[", "the national matrix decides by forms; no label of the standard set means one"},
}

func definitions(t *testing.T) []*fhir.Element {
	t.Helper()
	var list []*fhir.Element
	for _, url := range care.URLs("") {
		data, _ := care.Resource(url)
		r, err := fhirjson.Decode(data, fhirjson.Options{})
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		list = append(list, r)
	}
	return list
}

func validator(t *testing.T) *validate.Validator {
	t.Helper()
	v, err := validate.New(validate.Config{Resources: definitions(t), Now: func() time.Time { return options().Now }})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// issues are the errors and warnings of a resource but those accepted.
func issues(t *testing.T, v *validate.Validator, r *fhir.Element) fhir.Issues {
	t.Helper()
	var left fhir.Issues
next:
	for _, i := range v.Validate(t.Context(), r, validate.Options{}) {
		if i.Severity == fhir.Information {
			continue
		}
		for _, a := range accepted {
			if i.Severity == fhir.Warning && i.ID == a.id && strings.Contains(i.Expression, a.at) {
				continue next
			}
		}
		left = append(left, i)
	}
	return left
}

// TestValid checks what is published, and every transaction of the samples and
// the cases, against R4 and our own profiles.
func TestValid(t *testing.T) {
	v := validator(t)
	check := func(name string, r *fhir.Element) {
		for _, i := range issues(t, v, r) {
			t.Errorf("%s: %s %s at %s: %s", name, i.Severity, i.ID, i.Expression, i.Message.En)
		}
	}
	for _, d := range definitions(t) {
		check(d.Text("url"), d)
	}
	for _, o := range samples.Organizations() {
		if b := mapping.Map(samples.Of(o), options()).Bundle; b != nil {
			check(o.Key, b)
		}
	}
	folders, err := filepath.Glob("testdata/cases/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if b := mapping.Map(load(t, filepath.Join(folder, "in")), options()).Bundle; b != nil {
			check(filepath.Base(folder), b)
		}
	}
}

// TestProfilesBite checks that the profiles are not empty words: without its
// label or its identifier no record of a form is valid.
func TestProfilesBite(t *testing.T) {
	v := validator(t)
	for _, o := range samples.Organizations() {
		b := mapping.Map(samples.Of(o), options()).Bundle
		for e := range b.All("entry") {
			r := e.Get("resource")
			if r.Get("meta", "security") == nil {
				continue
			}
			for _, spoil := range []func(*fhir.Element){
				func(r *fhir.Element) { r.Get("meta").Remove("security") },
				func(r *fhir.Element) { r.Remove("identifier") },
				func(r *fhir.Element) { r.Get("meta", "security").Set("code", care.BurdenRatioCard) },
			} {
				spoilt := r.Clone()
				spoilt.Name, spoilt.Def = "", nil
				spoil(spoilt)
				if !issues(t, v, spoilt).HasErrors() {
					t.Errorf("%s: a spoilt %s is valid", o.Key, r.ResourceType())
				}
			}
		}
	}
}
