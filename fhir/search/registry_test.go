package search_test

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

func decode(t testing.TB, text string) *fhir.Element {
	t.Helper()
	e, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestEveryParameter finds every parameter of R4 again under its type.
func TestEveryParameter(t *testing.T) {
	r := newRegistry(t)
	n := 0
	for _, typ := range r4.ResourceTypes() {
		for _, sp := range r4.SearchParameters(typ) {
			if sp.Code == "_filter" || sp.Code == "_query" {
				continue
			}
			n++
			p, ok := r.Lookup(typ, sp.Code)
			if !ok {
				t.Errorf("%s has no parameter %s", typ, sp.Code)
				continue
			}
			if p.Type == "composite" && len(p.Components) < 2 {
				t.Errorf("%s %s has %d components", typ, sp.Code, len(p.Components))
			}
		}
	}
	if n < 2500 {
		t.Errorf("only %d parameters", n)
	}
	if _, ok := r.Lookup("Nosuch", "_id"); ok {
		t.Error("an unknown type has parameters")
	}
}

const custom = `{"resourceType":"SearchParameter","url":"http://example.jp/SearchParameter/care-level","name":"x","status":"active","description":"x",
  "code":"care-level","base":["Patient"],"type":"token","expression":"Patient.extension('http://example.jp/care-level').value"}`

func TestCustomParameters(t *testing.T) {
	patient := decode(t, `{"resourceType":"Patient","id":"p","extension":[{"url":"http://example.jp/care-level","valueCodeableConcept":{"coding":[{"code":"care-2"}]}}],
		"name":[{"family":"山田","use":"official"},{"family":"佐藤","use":"old"}],"contact":[{"name":{"family":"鈴木"}}]}`)
	tests := []struct{ name, param, query, other string }{
		{"extension", custom, "care-level=care-2", "care-level=care-3"},
		{"general expression", strings.NewReplacer("care-level\",\"base", "official\",\"base", `"token"`, `"string"`,
			"Patient.extension('http://example.jp/care-level').value", "Patient.name.where(use = 'official' or use = 'usual').family").Replace(custom),
			"official=山田", "official=佐藤"},
		{"on every resource", strings.NewReplacer(`["Patient"]`, `["Resource"]`, "Patient.extension('http://example.jp/care-level').value", "Resource.id").Replace(custom),
			"care-level=p", "care-level=q"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := search.NewRegistry(decode(t, tt.param))
			if err != nil {
				t.Fatal(err)
			}
			for query, want := range map[string]bool{tt.query: true, tt.other: false} {
				req, err := r.Parse("Patient", query)
				if err != nil || len(req.Unknown) > 0 {
					t.Fatal(err, req.Unknown)
				}
				if got, err := r.Match(req.Query.Where, patient, nil); err != nil || got != want {
					t.Errorf("%s matches %v %v, want %v", query, got, err, want)
				}
				keys, err := r.Keys(patient)
				if err != nil {
					t.Fatal(err)
				}
				ranges, _, err := req.Query.Where[0].Ranges()
				if err != nil {
					t.Fatal(err)
				}
				got := slices.ContainsFunc(keys, func(k []byte) bool {
					return slices.ContainsFunc(ranges, func(g search.Range) bool { return g.Contains(k) })
				})
				if got != want {
					t.Errorf("%s finds %v by keys, want %v", query, got, want)
				}
			}
		})
	}
	for name, bad := range map[string]string{
		"no code":                  strings.Replace(custom, `"code":"care-level"`, `"code":"a.b"`, 1),
		"code of a base parameter": strings.Replace(custom, `"code":"care-level"`, `"code":"name"`, 1),
		"underscore":               strings.Replace(custom, `"code":"care-level"`, `"code":"_level"`, 1),
		"no url":                   strings.Replace(custom, `"url":"http://example.jp/SearchParameter/care-level",`, "", 1),
		"broken path":              strings.Replace(custom, ".value\"", ".value.where(\"", 1),
		"unusable type":            strings.Replace(custom, `"token"`, `"nonsense"`, 1),
		"unknown component":        strings.Replace(custom, `"type":"token"`, `"type":"composite","component":[{"definition":"http://example.jp/none","expression":"code"}]`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := search.NewRegistry(decode(t, bad)); err == nil {
				t.Error("not refused")
			}
		})
	}
}

func TestCustomParametersBesideEachOther(t *testing.T) {
	if _, err := search.NewRegistry(decode(t, custom), decode(t, strings.Replace(custom, "/care-level\"", "/other\"", 1))); err == nil {
		t.Error("two parameters of one code are not refused")
	}
	base := strings.NewReplacer("http://example.jp/SearchParameter/care-level", "http://hl7.org/fhir/SearchParameter/individual-family", "\"code\":\"care-level\"", "\"code\":\"family\"").Replace(custom)
	r, err := search.NewRegistry(decode(t, base))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := r.Lookup("Patient", "family"); p.Type != "string" {
		t.Error("a base parameter was replaced")
	}
	if _, ok := r.Lookup("Patient", "care-level"); ok {
		t.Error("the parameter of another registry is known")
	}
}

func TestReferencesReverseReferenceKey(t *testing.T) {
	r := newRegistry(t)
	o := decode(t, `{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p.1"},
		"performer":[{"reference":"Practitioner/a"},{"reference":"Organization/a"},{"reference":"http://else/Practitioner/b"}]}`)
	keys, err := r.Keys(o)
	if err != nil {
		t.Fatal(err)
	}
	performer, _ := r.Lookup("Observation", "performer")
	subject, _ := r.Lookup("Observation", "subject")
	want := []search.Reference{{Type: "Organization", ID: "a"}, {Type: "Practitioner", ID: "a"}}
	if got := search.References(performer, keys); !slices.Equal(got, want) {
		t.Errorf("performer refers to %v, want %v", got, want)
	}
	for _, ref := range search.References(subject, keys) {
		if _, ok := slices.BinarySearchFunc(keys, search.ReferenceKey(subject, ref.Type, ref.ID), bytes.Compare); !ok {
			t.Errorf("no key for %v", ref)
		}
	}
	if got := search.SortValue(subject, nil, false); got != nil {
		t.Errorf("no keys sort as %q", got)
	}
}

// TestConcurrentUse is of use under -race.
func TestConcurrentUse(t *testing.T) {
	r := newRegistry(t)
	o := decode(t, midsizeObservation)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for _, typ := range []string{"Observation", "Patient", "CarePlan"} {
				if _, err := r.Parse(typ, "_id=1&subject.name=a&value-quantity=5||mg"); err != nil {
					t.Error(err)
				}
			}
			if _, err := r.Keys(o); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// midsizeObservation is about 1.2 KB, as a vital sign in a care record is.
const midsizeObservation = `{"resourceType":"Observation","id":"7f3a6c1e-2b4d-4f6a-9c8e-0123456789ab",
  "meta":{"versionId":"1","lastUpdated":"2024-04-01T03:00:00.123Z","profile":["http://example.jp/StructureDefinition/vital-signs"]},
  "identifier":[{"system":"http://example.jp/record","value":"2024-0001-77"}],
  "status":"final",
  "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],
  "code":{"coding":[{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel with all children optional"}],"text":"血圧"},
  "subject":{"reference":"Patient/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0","display":"synthetic"},
  "encounter":{"reference":"Encounter/11111111-2222-3333-4444-555555555555"},
  "effectiveDateTime":"2024-04-01T09:30:00+09:00",
  "issued":"2024-04-01T09:31:00.000+09:00",
  "performer":[{"reference":"Practitioner/99999999-8888-7777-6666-555555555555"}],
  "component":[
    {"code":{"coding":[{"system":"http://loinc.org","code":"8480-6","display":"Systolic blood pressure"}]},
     "valueQuantity":{"value":128,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}},
    {"code":{"coding":[{"system":"http://loinc.org","code":"8462-4","display":"Diastolic blood pressure"}]},
     "valueQuantity":{"value":76,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}]}`

// BenchmarkKeys has a budget of 15 µs and 16 allocations for an Observation,
// keys included, on one idle core.
func BenchmarkKeys(b *testing.B) {
	r, err := search.NewRegistry()
	if err != nil {
		b.Fatal(err)
	}
	simple := strings.Replace(midsizeObservation, `"component"`, `"valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"},"component"`, 1)
	simple = simple[:strings.Index(simple, `,"component"`)] + "}"
	for _, bb := range []struct{ name, text string }{
		{"Observation", simple},
		{"ObservationWithComponents", midsizeObservation},
		{"Patient", `{"resourceType":"Patient","id":"p","identifier":[{"system":"http://example.jp/insured","value":"0001234567"}],
			"name":[{"text":"山田 太郎","family":"山田","given":["太郎"]},{"text":"ヤマダ タロウ","family":"ヤマダ","given":["タロウ"]}],
			"gender":"male","birthDate":"1940-05-01","address":[{"text":"東京都千代田区1-1","city":"千代田区","state":"東京都"}]}`},
	} {
		e := decode(b, bb.text)
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			n, size := 0, 0
			for b.Loop() {
				keys, err := r.Keys(e)
				if err != nil {
					b.Fatal(err)
				}
				n, size = len(keys), 0
				for _, k := range keys {
					size += len(k)
				}
			}
			b.ReportMetric(float64(n), "keys")
			b.ReportMetric(float64(size), "keybytes")
		})
	}
}

func BenchmarkParse(b *testing.B) {
	r, err := search.NewRegistry()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Parse("Observation", "patient=Patient/123&code=http://loinc.org|8480-6&date=ge2024-04-01&_sort=-date&_count=20"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestConformanceResources indexes a part of the definitions of R4 itself and
// finds each by its canonical URL, by keys and by content.
func TestConformanceResources(t *testing.T) {
	r := newRegistry(t)
	n := 0
	for _, typ := range []string{"ValueSet", "CodeSystem", "StructureDefinition", "OperationDefinition", "SearchParameter", "ConceptMap"} {
		for i, url := range r4.ConformanceURLs(typ) {
			if i%25 != 0 {
				continue
			}
			data, _ := r4.Conformance(url)
			e, err := fhirjson.Decode(data, fhirjson.Options{KeepUnknown: true})
			if err != nil {
				t.Fatalf("%s: %v", url, err)
			}
			keys, err := r.Keys(e)
			if err != nil {
				t.Fatalf("%s: %v", url, err)
			}
			if !slices.IsSortedFunc(keys, bytes.Compare) {
				t.Errorf("%s: keys are not sorted", url)
			}
			if sp, ok := r.Lookup(typ, "url"); !ok || search.SortValue(sp, keys, false) == nil {
				t.Errorf("%s is not indexed by url", url)
			}
			req, err := r.Parse(typ, "url="+url)
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := r.Match(req.Query.Where, e, nil); err != nil || !ok {
				t.Errorf("%s is not found by its url: %v", url, err)
			}
			ranges, _, _ := req.Query.Where[0].Ranges()
			if !slices.ContainsFunc(keys, ranges[0].Contains) {
				t.Errorf("%s has no key of its url", url)
			}
			n++
		}
	}
	if n < 100 {
		t.Errorf("only %d definitions", n)
	}
}
