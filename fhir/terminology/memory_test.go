package terminology_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// service returns a Memory with the resources of testdata/.
func service(t testing.TB) *terminology.Memory {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata: %v", err)
	}
	var resources []*fhir.Element
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := fhirjson.Decode(data, fhirjson.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		resources = append(resources, r)
	}
	return terminology.New(terminology.Config{Resources: resources})
}

const (
	gender = "http://hl7.org/fhir/administrative-gender"
	care   = "https://example.jp/CodeSystem/care"
	sets   = "https://example.jp/ValueSet/"
)

func TestValidate(t *testing.T) {
	s := service(t)
	tests := []struct {
		name   string
		set    string
		code   terminology.Coding
		infer  bool
		want   terminology.Verdict
		issues string // ids, blank-separated
	}{
		{"a code of R4", "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1", terminology.Coding{System: gender, Code: "female"}, false, terminology.Yes, ""},
		{"a bare code", "http://hl7.org/fhir/ValueSet/administrative-gender", terminology.Coding{Code: "female"}, true, terminology.Yes, ""},
		{"a bare code that is not there", "http://hl7.org/fhir/ValueSet/administrative-gender", terminology.Coding{Code: "women"}, true, terminology.No, "tx-not-in-value-set"},
		{"a bare code where a system is needed", "http://hl7.org/fhir/ValueSet/administrative-gender", terminology.Coding{Code: "female"}, false, terminology.No, "tx-not-in-value-set"},
		{"a code the system does not have", "http://hl7.org/fhir/ValueSet/administrative-gender", terminology.Coding{System: gender, Code: "women"}, false, terminology.No, "tx-code-unknown tx-not-in-value-set"},
		{"a display of another code", "", terminology.Coding{System: gender, Code: "female", Display: "Male"}, false, terminology.Yes, "tx-display-wrong"},
		{"a display in another case", "", terminology.Coding{System: gender, Code: "female", Display: "  FEMALE"}, false, terminology.Yes, ""},
		{"a display that is a designation", "", terminology.Coding{System: care, Code: "day", Display: "通所介護"}, false, terminology.Yes, ""},
		{"a display of a supplement", "", terminology.Coding{System: care, Code: "day", Display: "デイサービス"}, false, terminology.Yes, ""},
		{"an inactive code", "", terminology.Coding{System: care, Code: "old"}, false, terminology.Yes, "tx-code-inactive"},
		{"a system nobody holds", "", terminology.Coding{System: "http://snomed.info/sct", Code: "1"}, false, terminology.Unknown, ""},
		{"a set over a system nobody holds", sets + "snomed", terminology.Coding{System: "http://snomed.info/sct", Code: "1"}, false, terminology.Unknown, "tx-system-unknown"},
		{"a set nobody holds", sets + "none", terminology.Coding{System: gender, Code: "female"}, false, terminology.Unknown, "tx-value-set-unknown"},
		{"a set nobody holds, a code nobody knows", sets + "none", terminology.Coding{System: gender, Code: "x"}, false, terminology.Unknown, "tx-value-set-unknown tx-code-unknown"},
		{"a fragment has it", "", terminology.Coding{System: care + "-fragment", Code: "a"}, false, terminology.Yes, ""},
		{"a fragment lacks it", "", terminology.Coding{System: care + "-fragment", Code: "z"}, false, terminology.Unknown, ""},
		{"is-a, itself", sets + "is-a", terminology.Coding{System: care, Code: "outside"}, false, terminology.Yes, ""},
		{"is-a, two below", sets + "is-a", terminology.Coding{System: care, Code: "dementia-day"}, false, terminology.Yes, ""},
		{"is-a, beside", sets + "is-a", terminology.Coding{System: care, Code: "home"}, false, terminology.No, "tx-not-in-value-set"},
		{"descendent-of, itself", sets + "descendent-of", terminology.Coding{System: care, Code: "outside"}, false, terminology.No, "tx-not-in-value-set"},
		{"is-not-a", sets + "is-not-a", terminology.Coding{System: care, Code: "day"}, false, terminology.No, "tx-not-in-value-set"},
		{"regex takes the whole code", sets + "regex", terminology.Coding{System: care, Code: "dementia-day"}, false, terminology.No, "tx-not-in-value-set"},
		{"property =", sets + "property", terminology.Coding{System: care, Code: "day"}, false, terminology.Yes, ""},
		{"property exists", sets + "exists", terminology.Coding{System: care, Code: "home"}, false, terminology.No, "tx-not-in-value-set"},
		{"in", sets + "in", terminology.Coding{System: care, Code: "home"}, false, terminology.Yes, ""},
		{"excluded", sets + "excluded", terminology.Coding{System: care, Code: "old"}, false, terminology.No, "tx-code-inactive tx-not-in-value-set"},
		{"import", sets + "import", terminology.Coding{System: care, Code: "day"}, false, terminology.Yes, ""},
		{"import of two is what both have", sets + "import-both", terminology.Coding{System: care, Code: "outside"}, false, terminology.No, "tx-not-in-value-set"},
		{"import of itself", sets + "circle", terminology.Coding{System: care, Code: "day"}, false, terminology.Unknown, "tx-system-unknown"},
		{"the set of a whole system", "https://example.jp/ValueSet/all-care", terminology.Coding{System: care, Code: "day"}, false, terminology.Yes, ""},
		{"a UCUM unit a package names", "", terminology.Coding{System: "http://unitsofmeasure.org", Code: "mg", Display: "ミリグラム"}, false, terminology.Yes, ""},
		{"a UCUM unit", "", terminology.Coding{System: "http://unitsofmeasure.org", Code: "mm[Hg]"}, false, terminology.Yes, ""},
		{"no UCUM unit", "", terminology.Coding{System: "http://unitsofmeasure.org", Code: "mmHg!"}, false, terminology.No, "tx-code-unknown"},
		{"a language", "http://hl7.org/fhir/ValueSet/all-languages", terminology.Coding{Code: "ja-JP"}, true, terminology.Yes, ""},
		{"no language", "http://hl7.org/fhir/ValueSet/all-languages", terminology.Coding{Code: "japanese!"}, true, terminology.No, "tx-not-in-value-set"},
		{"a MIME type", "http://hl7.org/fhir/ValueSet/mimetypes|4.0.1", terminology.Coding{Code: "text/plain; charset=UTF-8"}, true, terminology.Yes, ""},
		{"no MIME type", "http://hl7.org/fhir/ValueSet/mimetypes|4.0.1", terminology.Coding{Code: "plain text"}, true, terminology.No, "tx-not-in-value-set"},
		{"a currency", "http://hl7.org/fhir/ValueSet/currencies|4.0.1", terminology.Coding{Code: "JPY"}, true, terminology.Yes, ""},
		{"a country", "http://hl7.org/fhir/ValueSet/iso3166-1-2", terminology.Coding{System: "urn:iso:std:iso:3166", Code: "JP"}, false, terminology.Yes, ""},
		{"no country", "http://hl7.org/fhir/ValueSet/iso3166-1-2", terminology.Coding{System: "urn:iso:std:iso:3166", Code: "XX"}, false, terminology.No, "tx-code-unknown tx-not-in-value-set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Validate(t.Context(), terminology.ValidateRequest{
				ValueSet: tt.set, Codings: []terminology.Coding{tt.code}, InferSystem: tt.infer})
			if err != nil {
				t.Fatal(err)
			}
			var ids []string
			for _, i := range got.Issues {
				ids = append(ids, i.ID)
				if i.Message.En == "" || i.Message.Ja == "" {
					t.Errorf("issue %s lacks a language: %+v", i.ID, i.Message)
				}
			}
			if got.Verdict != tt.want || strings.Join(ids, " ") != tt.issues {
				t.Errorf("got %v %v, want %v [%s]", got.Verdict, ids, tt.want, tt.issues)
			}
		})
	}
}

func TestValidateTakesOneOfManyCodings(t *testing.T) {
	got, err := service(t).Validate(t.Context(), terminology.ValidateRequest{
		ValueSet: sets + "is-a",
		Codings:  []terminology.Coding{{System: "http://snomed.info/sct", Code: "1"}, {System: care, Code: "day"}},
	})
	if err != nil || got.Verdict != terminology.Yes || got.Match.Code != "day" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestExpand(t *testing.T) {
	s := service(t)
	tests := []struct {
		name string
		req  terminology.ExpandRequest
		want string // codes, "!" before abstract ones
		err  error
	}{
		{"is-a", terminology.ExpandRequest{ValueSet: sets + "is-a"}, "outside day dementia-day", nil},
		{"union without doubles, exclude", terminology.ExpandRequest{ValueSet: sets + "excluded"}, "!service home outside day dementia-day", nil},
		{"page", terminology.ExpandRequest{ValueSet: sets + "excluded", Offset: 1, Count: 2}, "home outside", nil},
		{"text", terminology.ExpandRequest{ValueSet: sets + "excluded", Filter: "認知 対応"}, "dementia-day", nil},
		{"active only", terminology.ExpandRequest{ValueSet: "https://example.jp/ValueSet/all-care", ActiveOnly: true}, "!service home outside day dementia-day", nil},
		{"import", terminology.ExpandRequest{ValueSet: sets + "import"}, "outside day dementia-day home", nil},
		{"intersection", terminology.ExpandRequest{ValueSet: sets + "import-both"}, "day dementia-day", nil},
		{"an expansion at hand", terminology.ExpandRequest{ValueSet: sets + "expanded"}, "x y", nil},
		{"unknown set", terminology.ExpandRequest{ValueSet: sets + "none"}, "", terminology.ErrUnknownValueSet},
		{"unknown system", terminology.ExpandRequest{ValueSet: sets + "snomed"}, "", terminology.ErrUnknownSystem},
		{"circle", terminology.ExpandRequest{ValueSet: sets + "circle"}, "", terminology.ErrCircular},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Expand(t.Context(), tt.req)
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, strings.Join(codes(got.Contains), " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func codes(in []terminology.Contained) []string {
	var out []string
	for _, c := range in {
		code := c.Code
		if c.Abstract {
			code = "!" + code
		}
		out = append(append(out, code), codes(c.Contains)...)
	}
	return out
}

func TestExpandNestedInJapanese(t *testing.T) {
	got, err := service(t).Expand(t.Context(), terminology.ExpandRequest{
		ValueSet: "https://example.jp/ValueSet/all-care", Nested: true, Language: "ja"})
	if err != nil {
		t.Fatal(err)
	}
	day := got.Contains[0].Contains[1].Contains[0]
	if len(got.Contains) != 2 || day.Code != "day" || day.Display != "通所介護" || got.Total != 6 {
		t.Errorf("got %+v", got)
	}
}

func TestLimit(t *testing.T) {
	s := terminology.New(terminology.Config{Limit: 2})
	_, err := s.Expand(t.Context(), terminology.ExpandRequest{ValueSet: "http://hl7.org/fhir/ValueSet/administrative-gender"})
	if !errors.Is(err, terminology.ErrTooCostly) {
		t.Errorf("got %v", err)
	}
}

func TestLookup(t *testing.T) {
	s := service(t)
	c, err := s.Lookup(t.Context(), terminology.LookupRequest{System: care, Code: "dementia-day", Language: "ja"})
	if err != nil || c.Display != "認知症対応型通所介護" || !cmp.Equal(c.Properties, []terminology.Property{
		{Code: "setting", Type: "code", Value: "centre"}, {Code: "parent", Type: "code", Value: "day"}}) {
		t.Errorf("got %+v, %v", c, err)
	}
	for system, want := range map[string]error{care: terminology.ErrUnknownCode, "http://loinc.org": terminology.ErrUnknownSystem, care + "-fragment": terminology.ErrUnknownSystem} {
		if _, err := s.Lookup(t.Context(), terminology.LookupRequest{System: system, Code: "none"}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", system, err, want)
		}
	}
}

func TestSubsumes(t *testing.T) {
	s := service(t)
	for _, tt := range []struct {
		a, b string
		want terminology.Subsumption
	}{
		{"day", "day", terminology.Equivalent},
		{"outside", "dementia-day", terminology.SubsumesB},
		{"dementia-day", "outside", terminology.SubsumedByB},
		{"home", "day", terminology.NotSubsumed},
	} {
		got, err := s.Subsumes(t.Context(), terminology.SubsumesRequest{System: care, A: tt.a, B: tt.b})
		if err != nil || got != tt.want {
			t.Errorf("%s, %s: %s, %v; want %s", tt.a, tt.b, got, err, tt.want)
		}
	}
}

func TestTranslate(t *testing.T) {
	s := service(t)
	tests := []struct {
		name string
		req  terminology.TranslateRequest
		want string // equivalence code …
		ok   bool
	}{
		{"by map", terminology.TranslateRequest{URL: "https://example.jp/ConceptMap/care", Coding: terminology.Coding{System: care, Code: "day"}}, "wider 15", true},
		{"by systems", terminology.TranslateRequest{TargetSystem: "https://example.jp/CodeSystem/kind", Coding: terminology.Coding{System: care, Code: "home"}}, "equal 11", true},
		{"reverse", terminology.TranslateRequest{Reverse: true, Coding: terminology.Coding{System: "https://example.jp/CodeSystem/kind", Code: "15"}}, "narrower day", true},
		{"said not to exist", terminology.TranslateRequest{URL: "https://example.jp/ConceptMap/care", Coding: terminology.Coding{System: care, Code: "service"}}, "unmatched ", false},
		{"unmapped", terminology.TranslateRequest{URL: "https://example.jp/ConceptMap/care", Coding: terminology.Coding{System: care, Code: "old"}}, "inexact 99", true},
		{"a map of R4", terminology.TranslateRequest{URL: "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3", Coding: terminology.Coding{System: gender, Code: "female"}}, "equal F", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := s.Translate(t.Context(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, m := range got.Matches {
				out = append(out, m.Equivalence+" "+m.Coding.Code)
			}
			if strings.Join(out, ",") != tt.want || got.Found != tt.ok {
				t.Errorf("got %v %v, want %q %v", out, got.Found, tt.want, tt.ok)
			}
		})
	}
	if _, err := s.Translate(t.Context(), terminology.TranslateRequest{URL: "x"}); !errors.Is(err, terminology.ErrUnknownMap) {
		t.Error(err)
	}
}

// TestEveryValueSetOfR4 asks each value set for its expansion: it either has
// one whose codes it then contains, or says which system is not known.
func TestEveryValueSetOfR4(t *testing.T) {
	s := terminology.New(terminology.Config{})
	urls := r4.ConformanceURLs("ValueSet")
	expanded := 0
	for _, url := range urls {
		x, err := s.Expand(t.Context(), terminology.ExpandRequest{ValueSet: url})
		if err != nil {
			if !errors.Is(err, terminology.ErrUnknownSystem) && !errors.Is(err, terminology.ErrUnknownValueSet) {
				t.Errorf("%s: %v", url, err)
			}
			continue
		}
		expanded++
		for _, c := range x.Contains[:min(3, len(x.Contains))] {
			v, err := s.Validate(t.Context(), terminology.ValidateRequest{ValueSet: url, Codings: []terminology.Coding{c.Coding}})
			if err != nil || v.Verdict == terminology.No {
				t.Errorf("%s does not contain its own %s#%s: %v %v", url, c.System, c.Code, v, err)
			}
		}
	}
	if expanded*100 < len(urls)*90 {
		t.Errorf("only %d of %d value sets could be expanded", expanded, len(urls))
	}
}

func TestConcurrentUse(t *testing.T) {
	s := service(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				v, err := s.Validate(context.Background(), terminology.ValidateRequest{
					ValueSet: sets + "import", Codings: []terminology.Coding{{System: care, Code: "day"}}})
				if err != nil || v.Verdict != terminology.Yes {
					t.Errorf("%v %v", v, err)
				}
			}
		})
	}
	wg.Wait()
}

// BenchmarkValidateCode: budget 1 µs and 5 allocations per code.
func BenchmarkValidateCode(b *testing.B) {
	s := terminology.New(terminology.Config{})
	req := terminology.ValidateRequest{
		ValueSet: "http://hl7.org/fhir/ValueSet/observation-status|4.0.1",
		Codings:  []terminology.Coding{{Code: "final"}}, InferSystem: true}
	b.ReportAllocs()
	for b.Loop() {
		if v, _ := s.Validate(b.Context(), req); v.Verdict != terminology.Yes {
			b.Fatal(v)
		}
	}
}
