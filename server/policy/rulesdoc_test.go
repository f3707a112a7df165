package policy

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// TestRulesTable keeps docs/rules.md whole: a row for every rule, and behind
// every rule that changes an answer a test that bears its number.
func TestRulesTable(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "rules.md"))
	if err != nil {
		t.Fatal(err)
	}
	tests := testNames(t)
	row := regexp.MustCompile(`(?m)^\| (R\d+) \| ([^|]+) \| (answer|nothing|not done) \| ([^|]+) \|$`)
	var listed []string
	for _, m := range row.FindAllStringSubmatch(string(data), -1) {
		number, rule, changes, how := m[1], m[2], m[3], m[4]
		listed = append(listed, number)
		if r, ok := sharing.RuleByNumber(number); !ok || r.En != rule {
			t.Errorf("%s says %q, the rule is %q", number, rule, r.En)
		}
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(how, -1)
		if changes == "answer" && len(named) == 0 {
			t.Errorf("%s changes an answer, but no test is named", number)
		}
		for _, n := range named {
			if !slices.Contains(tests, n[1]) {
				t.Errorf("%s names the test %s, which is not there", number, n[1])
			}
			if padded := strings.Replace(number, "R", "R0", 1); !strings.Contains(n[1], number) && !strings.Contains(n[1], padded) {
				t.Errorf("%s: the test %s does not bear its number", number, n[1])
			}
		}
	}
	var all []string
	for _, r := range sharing.Rules() {
		all = append(all, r.Number)
	}
	if !slices.Equal(listed, all) {
		t.Errorf("the table has %v, the rules are %v", listed, all)
	}
}

// testNames are the tests of this package.
func testNames(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}
