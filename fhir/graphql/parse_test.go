package graphql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/graphql"
)

// TestParseReferenceDocuments reads the documents of the reference
// implementation's parser test, separated by "#### name" lines.
func TestParseReferenceDocuments(t *testing.T) {
	sections := strings.Split(string(read(t, "parser-tests.gql")), "#### ")[1:]
	if len(sections) < 20 {
		t.Fatalf("found only %d documents", len(sections))
	}
	for _, s := range sections {
		name, text, _ := strings.Cut(s, "\n")
		t.Run(strings.TrimSpace(name), func(t *testing.T) {
			if _, err := graphql.Parse(text); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"nothing", "", "holds no query"},
		{"fragment alone", "fragment a on Patient { id }", "holds no query"},
		{"open selection", "{ id", "(line 1, column 5)"},
		{"empty selection", "{ name { } }", "must name a field"},
		{"open string", "{ name(use: \"official) { text } }", "not closed"},
		{"string over two lines", "{ name(use: \"a\nb\") { text } }", "not closed on its line"},
		{"bad escape", `{ name(use: "\q") { text } }`, "wrong escape"},
		{"bad number", "{ name(_count: 1.2.3) { text } }", "not a number"},
		{"stray character", "{ id ; }", "no place in GraphQL"},
		{"line is counted", "{\n id\n  %\n}", "(line 3, column 3)"},
		{"value is missing", "{ name(use: ) { text } }", "something else is due"},
		{"fragment twice", "{ ...a } fragment a on A { id } fragment a on A { id }", "twice"},
		{"fragment of itself", "{ ...a } fragment a on Patient { id ...a }", "contains itself"},
		{"fragment of itself far below", "{ ...a } fragment a on Patient { link { ...b } } fragment b on Link { other { resource { ...a } } }", "contains itself"},
		{"too deep", strings.Repeat("{ a ", 40) + strings.Repeat("}", 40), "nested deeper"},
		{"too long", "{ id } #" + strings.Repeat("x", 70_000), "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := graphql.Parse(tt.source)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestExecuteRefuses(t *testing.T) {
	source := loadResources(t)
	tests := []struct{ name, query, want string }{
		{"mutation", "mutation { id }", "only queries"},
		{"two operations without a name", "query a { id } query b { id }", "name one"},
		{"undeclared variable", "{ name(use: $x) { text } }", "not declared"},
		{"required variable", "query q($x: String!) { name(use: $x) { text } }", "has no value"},
		{"unknown fragment", "{ ...nobody }", "not defined"},
		{"two fields under one name", "{ x: id x: active }", "use aliases"},
		{"value with a selection", "{ active { id } }", "has no fields"},
		{"element without a selection", "{ name }", "needs a selection"},
		{"skip without if", "{ id @skip }", "needs the argument if"},
		{"negative count", "{ name(_count: -1) { text } }", "whole number"},
		{"reverse search without _reference", "{ ConditionList { id } }", "_reference"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := graphql.Parse(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			_, err = graphql.Execute(t.Context(), graphql.Request{Document: doc, Focus: source["Patient/example"], Source: source})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestExecuteBoundsFragmentsThatDouble makes sure that fragments which spread
// the next one twice do not cost two to the power of their number.
func TestExecuteBoundsFragmentsThatDouble(t *testing.T) {
	var b strings.Builder
	b.WriteString("{ ...f0 }")
	for i := range 40 {
		fmt.Fprintf(&b, " fragment f%d on Patient { ...f%d ...f%d }", i, i+1, i+1)
	}
	b.WriteString(" fragment f40 on Patient { id }")
	doc, err := graphql.Parse(b.String())
	if err != nil {
		t.Fatal(err)
	}
	source := loadResources(t)
	_, err = graphql.Execute(t.Context(), graphql.Request{Document: doc, Focus: source["Patient/example"], Source: source})
	if err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"{ id }", `query a($x: [String!]! = ["a"]) { n: name(use: $x) @flatten { given @first } ...f }`,
		`fragment f on Patient { id } { PatientList(name: "\u5c71") { id } }`, `{ a(b: {c: [1, -2.5e3]}) }`, `"""`, "#",
	} {
		f.Add(seed)
	}
	source := loadResources(f)
	f.Fuzz(func(t *testing.T, text string) {
		doc, err := graphql.Parse(text)
		if err != nil {
			return
		}
		// Whatever parses must execute or be refused, without a panic.
		_, _ = graphql.Execute(t.Context(), graphql.Request{Document: doc, Focus: source["Patient/example"], Source: source})
	})
}
