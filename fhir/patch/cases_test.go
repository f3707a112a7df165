package patch_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/patch"
)

// patchCase is one case of testdata/cases.txt.
type patchCase struct{ kind, name, resource, patch, want string }

// TestCases runs testdata/cases.txt.
func TestCases(t *testing.T) {
	for _, c := range cases(t) {
		t.Run(c.kind+" "+c.name, func(t *testing.T) {
			input := fromJSON(t, c.resource)
			before := asJSON(input)
			got, err := apply(t, c.kind, input, c.patch)
			if diff := cmp.Diff(before, asJSON(input)); diff != "" {
				t.Errorf("the input changed:\n%s", diff)
			}
			if rule, fails := strings.CutPrefix(c.want, "!"); fails {
				wantRule(t, err, strings.TrimSpace(rule))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(members(t, c.want), members(t, asJSON(got))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// apply calls the patch of that kind.
func apply(t testing.TB, kind string, input *fhir.Element, p string) (*fhir.Element, error) {
	t.Helper()
	switch kind {
	case "json":
		return patch.JSON(input, []byte(p))
	case "merge":
		return patch.Merge(input, []byte(p))
	case "fhirpath":
		return patch.FHIRPath(input, fromJSON(t, p))
	}
	t.Fatalf("unknown kind %q", kind)
	return nil, nil
}

// wantRule wants issues in two languages, the first of them of a rule; any
// rule where rule is "".
func wantRule(t *testing.T, err error, rule string) {
	t.Helper()
	var issues fhir.Issues
	if !errors.As(err, &issues) {
		t.Fatalf("got %v, want issues", err)
	}
	if rule != "" && issues[0].ID != rule {
		t.Errorf("got rule %s (%v), want %s", issues[0].ID, err, rule)
	}
	if issues[0].Message.En == "" || issues[0].Message.Ja == "" {
		t.Errorf("a message is missing: %+v", issues[0].Message)
	}
}

// members reads JSON so that the order of members does not count.
func members(t *testing.T, s string) (v any) {
	t.Helper()
	fromJSON(t, s) // it is a resource
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func cases(t testing.TB) (all []patchCase) {
	t.Helper()
	data, err := os.ReadFile("testdata/cases.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(data), "\n== ")[1:] {
		lines := strings.Split(strings.TrimSpace(block), "\n")
		if len(lines) != 4 {
			t.Fatalf("a case has %d lines, not 4: %s", len(lines), lines[0])
		}
		kind, name, _ := strings.Cut(lines[0], ": ")
		all = append(all, patchCase{kind, name, lines[1], lines[2], lines[3]})
	}
	return all
}
