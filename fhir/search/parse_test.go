package search_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
)

func newRegistry(t testing.TB) *search.Registry {
	t.Helper()
	r, err := search.New(searchscript.Options())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDirectives(t *testing.T) {
	r := newRegistry(t)
	req, err := r.Parse("Patient", "_count=5&_sort=-birthdate,name&_total=estimate&_summary=data&_elements=name,%20gender"+
		"&_include=Patient:organization:Organization&_revinclude:iterate=Observation:subject&_include=*&_contained=both&_containedType=container"+
		"&_format=xml&_pretty=true&_cursor=abc&nosuch=1")
	if err != nil {
		t.Fatal(err)
	}
	d := req.Directives
	if d.Include[0].Param.Code != "organization" || d.RevInclude[0].Param.Code != "subject" {
		t.Errorf("includes are %+v %+v", d.Include, d.RevInclude)
	}
	d.Include[0].Param, d.RevInclude[0].Param = nil, nil
	want := search.Directives{
		Include:    []search.Include{{Source: "Patient", Target: "Organization"}, {Wildcard: true}},
		RevInclude: []search.Include{{Source: "Observation", Iterate: true}},
		Summary:    "data", Elements: []string{"name", "gender"}, Contained: "both", ContainedType: "container",
		CountGiven: true, SortGiven: true, TotalGiven: true, Format: "xml", Pretty: "true", Cursor: "abc",
	}
	if diff := cmp.Diff(want, d); diff != "" {
		t.Errorf("directives (-want +got):\n%s", diff)
	}
	q := req.Query
	if q.Count != 5 || q.Total != search.TotalEstimate || len(q.Sort) != 2 || !q.Sort[0].Descending || q.Sort[1].Param.Code != "name" {
		t.Errorf("query is %+v", q)
	}
	if !cmp.Equal(req.Unknown, []string{"nosuch"}) || !cmp.Equal(q.Types, []string{"Patient"}) {
		t.Errorf("unknown %v, types %v", req.Unknown, q.Types)
	}
}

// TestErrorsTellNoValues gives values that look personal; no error may repeat
// them.
func TestErrorsTellNoValues(t *testing.T) {
	r := newRegistry(t)
	for _, query := range []string{
		"birthdate=yamada", "gender:foo=yamada", "_count=yamada", "_sort=code&_total=yamada", "identifier=yamada|yamada|yamada",
		"general-practitioner=yamada%20taro", "_has:Observation:patient:date=yamada", "_filter=gender%20is%20yamada", "_list=$yamada",
		"name:missing=yamada", "organization.name:foo=yamada", "_include=yamada", "_type=yamada", "name=%ffyamada",
	} {
		_, err := r.Parse("Patient", query)
		var issues fhir.Issues
		if !errors.As(err, &issues) || len(issues) == 0 {
			t.Errorf("%s: error %v is not fhir.Issues", query, err)
			continue
		}
		for _, i := range issues {
			if strings.Contains(i.Message.En+i.Message.Ja+i.Expression, "yamada") {
				t.Errorf("%s: the error repeats the value: %+v", query, i)
			}
			if i.Message.En == "" || i.Message.Ja == "" || i.ID == "" {
				t.Errorf("%s: the error lacks a text or id: %+v", query, i)
			}
		}
	}
}

func TestLimits(t *testing.T) {
	r := newRegistry(t)
	tests := []struct{ name, query string }{
		{"length", "name=" + strings.Repeat("a", 1<<18)},
		{"criteria", strings.Repeat("name=a&", 300)},
		{"values", "name=" + strings.Repeat("a,", 5000)},
		{"chain", strings.Repeat("link.", 12) + "name=a"},
		{"has", strings.Repeat("_has:Patient:link:", 12) + "name=a"},
		{"filter depth", "_filter=" + strings.Repeat("(", 100) + "name%20eq%20a" + strings.Repeat(")", 100)},
		{"filter terms", "_filter=name%20eq%20a" + strings.Repeat("%20or%20name%20eq%20a", 400)},
		{"sort keys", "_sort=" + strings.Repeat("name,", 20)},
		{"includes", strings.Repeat("_include=*&", 100)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := r.Parse("Patient", tt.query); err == nil {
				t.Error("not refused")
			}
		})
	}
}

func TestValueForms(t *testing.T) {
	r := newRegistry(t)
	empty, loinc := "", "http://loinc.org"
	tests := []struct {
		name, typ, query string
		want             search.Value
	}{
		{"token", "Observation", "code=1-8", search.Value{Raw: "1-8", Code: "1-8"}},
		{"token with system", "Observation", "code=http://loinc.org|1-8", search.Value{Raw: "http://loinc.org|1-8", System: &loinc, Code: "1-8"}},
		{"token without system", "Observation", "code=|1-8", search.Value{Raw: "|1-8", System: &empty, Code: "1-8"}},
		{"escaped bar", "Observation", `code=a\|b`, search.Value{Raw: "a|b", Code: "a|b"}},
		{"escapes", "Patient", `name=a\,b\$c\|d\\e\f`, search.Value{Raw: `a,b$c|d\e\f`}},
		{"plus is a blank", "Patient", "name=a+b", search.Value{Raw: "a b"}},
		{"day in Japan", "Patient", "birthdate=ge1970-01-01", search.Value{Raw: "ge1970-01-01", Prefix: "ge", From: -9 * 3600 * 1e6, To: 15 * 3600 * 1e6}},
		{"second in UTC", "Observation", "date=1970-01-01T00:00:01Z", search.Value{Raw: "1970-01-01T00:00:01Z", Prefix: "eq", From: 1e6, To: 2e6}},
		{"number", "RiskAssessment", "probability=lt0.80", search.Value{Raw: "lt0.80", Prefix: "lt", Number: "0.80", Low: "795e-3", High: "805e-3"}},
		{"reference of one type", "Observation", "encounter=5", search.Value{Raw: "5", ID: "5"}},
		{"reference by modifier", "Observation", "subject:Patient=5", search.Value{Raw: "5", Type: "Patient", ID: "5"}},
		{"own base", "Observation", "subject=https://fhir.example.jp/r4/Patient/5", search.Value{Raw: "https://fhir.example.jp/r4/Patient/5", Type: "Patient", ID: "5"}},
		{"version", "Observation", "subject=Patient/5/_history/2", search.Value{Raw: "Patient/5/_history/2", Type: "Patient", ID: "5", URL: "2"}},
		{"canonical unit", "Observation", "value-quantity=5.4|http://unitsofmeasure.org|mg", search.Value{
			Raw: "5.4|http://unitsofmeasure.org|mg", Prefix: "eq", System: ptr("http://unitsofmeasure.org"), Code: "mg", Number: "5.4", Low: "535e-2", High: "545e-2",
			Canonical: &search.Value{Prefix: "eq", Code: "g", Number: "54e-4", Low: "535e-5", High: "545e-5"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req, err := r.Parse(tt.typ, tt.query)
			if err != nil {
				t.Fatal(err)
			}
			if len(req.Query.Where) != 1 || len(req.Query.Where[0].Values) != 1 {
				t.Fatalf("where is %+v", req.Query.Where)
			}
			if diff := cmp.Diff(tt.want, req.Query.Where[0].Values[0]); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func ptr(s string) *string { return &s }

// FuzzParse looks for panics, for errors that are not issues, and for clauses
// that cannot be compiled.
func FuzzParse(f *testing.F) {
	scripts, err := searchscript.All()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range scripts {
		for i, c := range s.Cases {
			if i%5 == 0 {
				f.Add(c.Type, c.Query)
			}
		}
	}
	r := newRegistry(f)
	f.Fuzz(func(t *testing.T, typ, query string) {
		req, err := r.Parse(typ, query)
		var issues fhir.Issues
		if err != nil {
			if !errors.As(err, &issues) || !issues.HasErrors() {
				t.Fatalf("error %v is not fhir.Issues", err)
			}
			return
		}
		compile(t, req.Query.Where)
	})
}

// compile compiles every clause that stands alone.
func compile(t *testing.T, where []search.Clause) {
	for _, c := range where {
		switch {
		case len(c.Any) > 0:
			for _, all := range c.Any {
				compile(t, all)
			}
		case c.Chain != nil:
			compile(t, []search.Clause{c.Chain.Where})
		case c.Has != nil:
			compile(t, []search.Clause{c.Has.Where})
		default:
			ranges, _, err := c.Ranges()
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range ranges {
				if string(g.Low) > string(g.High) {
					t.Fatalf("range [%q, %q)", g.Low, g.High)
				}
				g.Contains(append([]byte(nil), g.Low...))
			}
		}
	}
}
