package fhirpath_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// TestCases runs testdata/cases.txt.
func TestCases(t *testing.T) {
	data, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	focus := readResource(t, "testdata/bundle.json")
	env := caseEnv(focus)
	for i, line := range strings.Split(string(data), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		expression, want, ok := strings.Cut(line, " => ")
		if !ok {
			t.Fatalf("line %d has no =>", i+1)
		}
		if got := evaluate(expression, env, focus); got != want {
			t.Errorf("line %d: %s\n\tgot %s, want %s", i+1, expression, got, want)
		}
	}
}

// caseEnv makes the resources of the bundle %pat and %obs.
func caseEnv(bundle *fhir.Element) *fhirpath.Env {
	env := &fhirpath.Env{
		Resource:     bundle,
		RootResource: bundle,
		Now:          time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)),
		Variables:    map[string]fhirpath.Collection{},
		Resolve: func(reference string) (*fhir.Element, bool) {
			if reference != "Practitioner/elsewhere" {
				return nil, false
			}
			e := fhir.NewResource("Practitioner")
			return e.Set("id", "elsewhere"), true
		},
	}
	for entry := range bundle.All("entry") {
		res := entry.Get("resource")
		name := map[string]string{"Patient": "pat", "Observation": "obs"}[res.ResourceType()]
		env.Variables[name] = fhirpath.Collection{fhirpath.Node{Element: res}}
	}
	return env
}

func evaluate(expression string, env *fhirpath.Env, focus *fhir.Element) string {
	x, err := fhirpath.Compile(expression)
	if err != nil {
		return "!"
	}
	got, err := x.Evaluate(env, focus)
	switch {
	case err != nil:
		return "!"
	case len(got) == 0:
		return "{}"
	}
	var items []string
	for _, v := range got {
		items = append(items, v.String())
	}
	return strings.Join(items, ", ")
}

// TestContained resolves local references of the resource at hand.
func TestContained(t *testing.T) {
	bundle := readResource(t, "testdata/bundle.json")
	obs := bundle.Children[len(bundle.Children)-1].Get("resource")
	env := &fhirpath.Env{Resource: obs, RootResource: obs}
	if got := evaluate("performer.resolve().name.text", env, obs); got != "見本 太郎" {
		t.Errorf("contained: got %s", got)
	}
	env = &fhirpath.Env{Resource: obs.Get("contained"), RootResource: obs}
	if got := evaluate("'#'.resolve().id | '#pr'.resolve().id", env, obs.Get("contained")); got != "pr" {
		t.Errorf("from the contained resource: got %s", got)
	}
}

// TestSyntaxErrors says where the error is, in both languages.
func TestSyntaxErrors(t *testing.T) {
	tests := []struct {
		name, expression string
		line, column     int
	}{
		{"unknown function", "name.frobnicate()", 1, 6},
		{"early end", "name.", 1, 6},
		{"second line", "name\n  .where(", 2, 10},
		{"columns are characters", "'日本' ?", 1, 6},
		{"open string", "1 + 'abc", 1, 5},
		{"open comment", "1 /* x", 1, 3},
		{"bad escape", `'\q'`, 1, 2},
		{"argument count", "name.where()", 1, 6},
		{"unknown type", "name is Person1", 1, 9},
		{"unknown variable", "$that", 1, 1},
		{"deep", strings.Repeat("(", 500), 1, 201},
		{"long", strings.Repeat(" ", 70_000), 1, 1},
		{"nothing", "", 1, 1},
		{"regular expression", "name.text.matches('(')", 1, 11},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := fhirpath.Compile(tt.expression)
			issues, ok := err.(fhir.Issues)
			if !ok || len(issues) != 1 {
				t.Fatalf("got %v, want one issue", err)
			}
			i := issues[0]
			if i.Line != tt.line || i.Column != tt.column {
				t.Errorf("got %v, want line %d, column %d", err, tt.line, tt.column)
			}
			if i.Message.En == "" || i.Message.Ja == "" {
				t.Errorf("a message is missing: %+v", i.Message)
			}
		})
	}
}

// TestHooks passes what functions ask to Env, and its errors back.
func TestHooks(t *testing.T) {
	focus := readResource(t, "testdata/bundle.json")
	var traced []string
	env := caseEnv(focus)
	env.Trace = func(name string, c fhirpath.Collection) {
		for _, v := range c {
			traced = append(traced, name+"="+v.String())
		}
	}
	env.MemberOf = func(v fhirpath.Value, valueSet string) (bool, error) {
		return v.String() == "final" && valueSet == "vs", nil
	}
	env.Subsumes = func(a, b *fhir.Element) (bool, error) { return a == b, nil }
	env.ConformsTo = func(e *fhir.Element, profile string) (bool, error) {
		if profile == "bad" {
			return false, os.ErrNotExist
		}
		return e.ResourceType() == profile, nil
	}
	tests := []struct{ name, expression, want string }{
		{"memberOf", "%obs.status.memberOf('vs')", "true"},
		{"not memberOf", "%obs.status.memberOf('other')", "false"},
		{"memberOf nothing", "{}.memberOf('other')", "{}"},
		{"subsumes", "%obs.code.coding.subsumes(%obs.code.coding)", "true"},
		{"subsumedBy", "%obs.code.coding.subsumedBy(%obs.code)", "false"},
		{"conformsTo", "conformsTo('Bundle')", "true"},
		{"conformsTo fails", "conformsTo('bad')", "!"},
		{"trace", "%obs.status.trace('s').exists()", "true"},
		{"trace with projection", "%pat.name.trace('n', text).count()", "2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := evaluate(tt.expression, env, focus); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.expression, got, tt.want)
			}
		})
	}
	if got := strings.Join(traced, " "); got != "s=final n=見本 花子 n=ミホン ハナコ" {
		t.Errorf("traced %q", got)
	}
}

// TestEvaluateBool tells false from unknown.
func TestEvaluateBool(t *testing.T) {
	focus := readResource(t, "testdata/bundle.json")
	tests := []struct {
		expression   string
		value, known bool
	}{
		{"entry.exists()", true, true},
		{"entry.empty()", false, true},
		{"total > 1", false, false},
		{"entry.first()", true, true},
	}
	for _, tt := range tests {
		value, known, err := fhirpath.MustCompile(tt.expression).EvaluateBool(nil, focus)
		if value != tt.value || known != tt.known || err != nil {
			t.Errorf("%s: got %v, %v, %v", tt.expression, value, known, err)
		}
	}
	if _, _, err := fhirpath.MustCompile("entry").EvaluateBool(nil, focus); err == nil {
		t.Error("several items are a condition")
	}
}

// TestConcurrent evaluates the same expressions in many goroutines.
func TestConcurrent(t *testing.T) {
	focus := readResource(t, "testdata/bundle.json")
	env := caseEnv(focus)
	expressions := []string{
		"entry.resource.descendants().count()", "%obs.value > 50000 'g'", "'abc'.matches('b')",
		"%pat.name.select(text | family).distinct().count()", "(1 | 2 | 3).aggregate($this + $total, 0)",
	}
	for _, source := range expressions {
		x := fhirpath.MustCompile(source)
		want, err := x.Evaluate(env, focus)
		if err != nil || len(want) != 1 {
			t.Fatalf("%s: %v, %v", source, want, err)
		}
		for range 8 {
			t.Run(source, func(t *testing.T) {
				t.Parallel()
				for range 50 {
					got, err := x.Evaluate(env, focus)
					if err != nil || len(got) != 1 || got[0].String() != want[0].String() {
						t.Errorf("got %v, %v; want %v", got, err, want)
					}
				}
			})
		}
	}
}

// TestCheck finds what can never be right, and nothing in what can.
func TestCheck(t *testing.T) {
	tests := []struct {
		name, focus, expression string
		ok                      bool
	}{
		{"an element", "Patient", "name.given", true},
		{"no element", "Patient", "name.givn", false},
		{"no element in a lambda", "Patient", "name.where(us = 'x')", false},
		{"no element in a condition", "Patient", "name.exists() or nme.exists()", false},
		{"own type", "Patient", "Patient.name", true},
		{"base type", "Patient", "DomainResource.extension", true},
		{"other type", "Patient", "Encounter.status", false},
		{"stem", "Observation", "value.ofType(Quantity).unit", true},
		{"choice by type", "Observation", "valueQuantity.unit", false},
		{"type without the element", "Observation", "value.ofType(Period).unit", false},
		{"element of some types", "Observation", "value.unit", true},
		{"anything in a slot", "Bundle", "entry.resource.whatever", true},
		{"backbone", "Patient", "contact.name.family", true},
		{"content reference", "Questionnaire", "item.item.linkId", true},
		{"number as string", "Patient", "multipleBirth.ofType(integer).startsWith('1')", false},
		{"string", "Patient", "name.family.startsWith('1')", true},
		{"environment", "Patient", "%resource.anything", true},
		{"unordered", "Patient", "descendants().first()", false},
		{"number to a date", "Patient", "birthDate + 1", false},
		{"duration to a date", "Patient", "birthDate + 1 year", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			focus, ok := r4.TypeByName(tt.focus)
			if !ok {
				t.Fatalf("no type %s", tt.focus)
			}
			err := fhirpath.MustCompile(tt.expression).Check(focus)
			if (err == nil) != tt.ok {
				t.Errorf("%s: got %v", tt.expression, err)
			}
		})
	}
}
