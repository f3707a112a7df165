package terminology_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// draws returns a value set that draws on a system and on another value set.
func draws(url, system, other string) *fhir.Element {
	r := fhir.NewResource("ValueSet").Set("url", url).Set("status", "active")
	include := r.Add("compose").Add("include")
	include.Set("system", system).Set("version", "1")
	include.Add("valueSet").SetValue(other)
	return r
}

func TestGather(t *testing.T) {
	held := map[terminology.Need]*fhir.Element{
		{Type: "ValueSet", Canonical: "a"}:     draws("a", "s", "b"),
		{Type: "ValueSet", Canonical: "b"}:     draws("b", "s", "a"),
		{Type: "CodeSystem", Canonical: "s|1"}: fhir.NewResource("CodeSystem").Set("url", "s"),
	}
	var asked []string
	found, err := terminology.Gather(func(n terminology.Need) (*fhir.Element, error) {
		asked = append(asked, n.Type+" "+n.Canonical)
		return held[n], nil
	}, terminology.Need{Type: "ValueSet", Canonical: "a"}, terminology.Need{Type: "ValueSet"})
	if err != nil || len(found) != 3 {
		t.Fatal(len(found), err)
	}
	if diff := cmp.Diff([]string{"ValueSet a", "CodeSystem s|1", "ValueSet b"}, asked); diff != "" {
		t.Error(diff)
	}
}

func TestGatherEnds(t *testing.T) {
	n := 0
	endless := func(terminology.Need) (*fhir.Element, error) {
		n++
		return draws(fmt.Sprint(n), "s", fmt.Sprint(n+1)), nil
	}
	if _, err := terminology.Gather(endless, terminology.Need{Type: "ValueSet", Canonical: "1"}); !errors.Is(err, terminology.ErrTooCostly) {
		t.Error(err)
	}
	broken := errors.New("broken")
	failing := func(terminology.Need) (*fhir.Element, error) { return nil, broken }
	if _, err := terminology.Gather(failing, terminology.Need{Type: "ValueSet", Canonical: "1"}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

// TestWith: what is added is known, does not change what was known, and goes
// without trace.
func TestWith(t *testing.T) {
	before := service(t)
	system := fhir.NewResource("CodeSystem").Set("url", "http://example.jp/added").Set("status", "active").Set("content", "complete")
	system.Add("concept").Set("code", "x")
	set := fhir.NewResource("ValueSet").Set("url", "http://example.jp/vs/added").Set("version", "2").Set("status", "active")
	set.Add("compose").Add("include").Set("system", "http://example.jp/added")
	mine := fhir.NewResource("ValueSet").Set("url", sets+"excluded").Set("status", "active")
	theirs := fhir.NewResource("ValueSet").Set("url", "http://hl7.org/fhir/ValueSet/administrative-gender").Set("status", "active")
	theirs.Add("compose").Add("include").Set("system", "http://example.jp/added")
	more := fhir.NewResource("CodeSystem").Set("url", "http://example.jp/more").Set("status", "active").
		Set("content", "supplement").Set("supplements", gender)
	more.Add("concept").Set("code", "female").Add("designation").Set("language", "ja").Set("value", "女性")
	after := before.With(system, set, mine, theirs, more)

	codes := func(m *terminology.Memory, set string) string {
		x, err := m.Expand(t.Context(), terminology.ExpandRequest{ValueSet: set})
		if err != nil {
			return err.Error()
		}
		var list []string
		for _, c := range x.Contains {
			list = append(list, c.Code)
		}
		return strings.Join(list, " ")
	}
	for _, tt := range []struct{ name, set, before, after string }{
		{"a new set", "http://example.jp/vs/added", "value set is not known: http://example.jp/vs/added", "x"},
		{"its version", "http://example.jp/vs/added|2", "value set is not known: http://example.jp/vs/added|2", "x"},
		{"a set of R4 is replaced", "http://hl7.org/fhir/ValueSet/administrative-gender", "male female other unknown", "x"},
		{"what it was given stays", sets + "excluded", codes(before, sets+"excluded"), codes(before, sets+"excluded")},
		{"what is not concerned stays", "http://hl7.org/fhir/ValueSet/publication-status", "draft active retired unknown", "draft active retired unknown"},
	} {
		if got := codes(before, tt.set); got != tt.before {
			t.Errorf("%s: before %q", tt.name, got)
		}
		if got := codes(after, tt.set); got != tt.after {
			t.Errorf("%s: after %q, want %q", tt.name, got, tt.after)
		}
	}
	for _, m := range []*terminology.Memory{after, before} {
		c, err := m.Lookup(t.Context(), terminology.LookupRequest{System: gender, Code: "female", Language: "ja"})
		if want := map[bool]string{true: "女性", false: "Female"}[m == after]; err != nil || c.Display != want {
			t.Errorf("%v %q, want %q", err, c.Display, want)
		}
	}
	if before.With() != before {
		t.Error("nothing added makes another")
	}
}
