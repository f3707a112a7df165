package fhirpath_test

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

// FuzzCompile looks for expressions that break the parser, and for errors that
// do not point into the source.
func FuzzCompile(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, expression string) {
		x, err := fhirpath.Compile(expression)
		if err == nil {
			if x.String() != expression {
				t.Errorf("source became %q", x.String())
			}
			return
		}
		issues, ok := err.(fhir.Issues)
		if !ok || len(issues) != 1 || issues[0].Line < 1 || issues[0].Column < 1 {
			t.Errorf("%q: %#v", expression, err)
		}
	})
}

// FuzzEvaluate looks for expressions that break the evaluation, change the
// focus or give another result the second time.
func FuzzEvaluate(f *testing.F) {
	seed(f)
	focus := readResource(f, "testdata/bundle.json")
	before := focus.Clone()
	env := caseEnv(focus)
	f.Fuzz(func(t *testing.T, expression string) {
		x, err := fhirpath.Compile(expression)
		if err != nil {
			return
		}
		_ = x.Check(focus.Type)
		first, err := x.Evaluate(env, focus)
		second, again := x.Evaluate(env, focus)
		if (err == nil) != (again == nil) || len(first) != len(second) {
			t.Fatalf("%q: %v, %v, then %v, %v", expression, first, err, second, again)
		}
		for i := range first {
			if first[i].String() != second[i].String() {
				t.Errorf("%q: %v, then %v", expression, first, second)
			}
		}
		if !same(before, focus) {
			t.Fatalf("%q changed the focus", expression)
		}
	})
}

func same(a, b *fhir.Element) bool {
	if a.Name != b.Name || a.Value != b.Value || len(a.Children) != len(b.Children) {
		return false
	}
	for i := range a.Children {
		if !same(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}

// seed adds the expressions of cases.txt.
func seed(f *testing.F) {
	f.Helper()
	file, err := os.Open("testdata/cases.txt")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if expression, _, ok := strings.Cut(lines.Text(), " => "); ok {
			f.Add(expression)
		}
	}
}
