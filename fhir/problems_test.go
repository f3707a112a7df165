package fhir_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
)

func TestLineColumn(t *testing.T) {
	const text = "ab\nあいう\r\nc"
	for _, tt := range []struct{ offset, line, column int }{
		{0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {9, 2, 3}, {13, 2, 5}, {14, 3, 1}, {15, 3, 2}, {99, 3, 2}, {-1, 1, 1},
	} {
		if line, column := fhir.LineColumn(text, tt.offset); line != tt.line || column != tt.column {
			t.Errorf("offset %d: %d:%d, want %d:%d", tt.offset, line, column, tt.line, tt.column)
		}
	}
}

func TestProblems(t *testing.T) {
	text := strings.Repeat("あ\n", 10)
	var p fhir.Problems
	if p.Issues(text) != nil {
		t.Error("issues out of nothing")
	}
	for _, offset := range []int{37, 0, 4, 3, 100} {
		p.Add(offset, fhir.Issue{})
	}
	for i, issue := range p.Issues(text) {
		if line, column := fhir.LineColumn(text, []int{0, 3, 4, 37, 100}[i]); issue.Line != line || issue.Column != column {
			t.Errorf("issue %d: %d:%d, want %d:%d", i, issue.Line, issue.Column, line, column)
		}
	}
	for i := p.Len(); i < fhir.MaxProblems-1; i++ {
		if !p.Add(0, fhir.Issue{}) {
			t.Fatalf("gave up after %d", i)
		}
	}
	for range 2 {
		if p.Add(0, fhir.Issue{}) || p.Len() != fhir.MaxProblems {
			t.Errorf("%d issues, want to stop at %d", p.Len(), fhir.MaxProblems)
		}
	}
}

func TestNumberLen(t *testing.T) {
	for s, want := range map[string]int{
		"0": 1, "-0": 2, "10": 2, "1.10": 4, "1E3": 3, "1e-03": 5, "-1.5e+10": 8, "1,2": 1, "1 ": 1, "1.5x": 3,
		"": 0, "-": 0, "+1": 0, "01": 0, "-01": 0, ".5": 0, "1.": 0, "1e": 0, "1e+": 0, "NaN": 0, " 1": 0,
	} {
		if got := fhir.NumberLen(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func TestPathExpression(t *testing.T) {
	p := fhir.Path{{Name: "Bundle", Index: fhir.NoIndex}, {Name: "entry", Index: 3}, {Name: "resource", Index: fhir.NoIndex}}
	if got := p.Expression(); got != "Bundle.entry[3].resource" {
		t.Errorf("got %q", got)
	}
	if got := p.Expression(strings.Repeat("あ", 100)); got != "Bundle.entry[3].resource."+strings.Repeat("あ", 21)+"…" {
		t.Errorf("got %q", got)
	}
}
