package fhirpath_test

import (
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/fhirxml"
)

// suiteDir holds the official cases. See testdata/fhir-test-cases/SOURCES.md.
const suiteDir = "../../testdata/fhir-test-cases/r4"

// The form of the official suite.
type (
	suite struct {
		Groups []struct {
			Name  string      `xml:"name,attr"`
			Tests []suiteTest `xml:"test"`
		} `xml:"group"`
	}
	suiteTest struct {
		Name       string `xml:"name,attr"`
		Input      string `xml:"inputfile,attr"`
		Predicate  bool   `xml:"predicate,attr"`
		Ordered    string `xml:"ordered,attr"`
		Functions  bool   `xml:"checkOrderedFunctions,attr"`
		Expression struct {
			Text    string `xml:",chardata"`
			Invalid string `xml:"invalid,attr"`
		} `xml:"expression"`
		Outputs []suiteOutput `xml:"output"`
	}
	suiteOutput struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	}
)

// disputed cases contradict FHIRPath N1 or FHIR R4 as published.
var disputed = map[string]string{
	"testPlusDate19": "N1 ignores the fraction of a quantity only above seconds, so 0.1 's' is 100 ms",

	"HighBoundaryDateTimeMillisecond1": "T08 leaves the minute open: the last moment is 08:59:59.999",
	"HighBoundaryDateTimeMillisecond3": "T08 leaves the minute open: the last moment is 08:59:59.999",
}

// gaps are cases this package does not do yet.
var gaps = map[string]string{}

// TestOfficialSuite runs the R4 suite. Every case that does not pass is listed
// with its reason, and a listed case that passes fails.
func TestOfficialSuite(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(suiteDir, "fhirpath", "tests-fhir-r4.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var s suite
	if err := xml.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	inputs := map[string]*fhir.Element{}
	total, passed := 0, 0
	listed := map[string]bool{}
	for _, g := range s.Groups {
		for _, c := range g.Tests {
			total++
			problem := c.run(t, inputs)
			reason, isDisputed := disputed[c.Name]
			if !isDisputed {
				reason = gaps[c.Name]
			}
			switch {
			case problem == "":
				passed++
				if reason != "" {
					t.Errorf("%s/%s passes but is listed: %s", g.Name, c.Name, reason)
				}
			case reason == "":
				t.Errorf("%s/%s: %s\n\t%s", g.Name, c.Name, strings.TrimSpace(c.Expression.Text), problem)
			default:
				listed[c.Name] = true
			}
		}
	}
	if missing := len(disputed) + len(gaps) - len(listed); missing > 0 && !t.Failed() {
		t.Errorf("%d listed cases are not in the suite", missing)
	}
	t.Logf("%d of %d cases pass; %d disputed, %d gaps", passed, total, len(disputed), len(gaps))
}

// run returns what is wrong, "" for nothing.
func (c *suiteTest) run(t *testing.T, inputs map[string]*fhir.Element) string {
	t.Helper()
	if c.Input == "" {
		c.Input = "patient-example.xml"
	}
	focus := inputs[c.Input]
	if focus == nil {
		focus = readResource(t, filepath.Join(suiteDir, c.Input))
		inputs[c.Input] = focus
	}
	env := &fhirpath.Env{
		Now:        time.Date(2026, 11, 22, 9, 0, 0, 0, time.FixedZone("JST", 9*3600)),
		ConformsTo: conformsToBase,
	}
	x, err := fhirpath.Compile(c.Expression.Text)
	if err == nil && c.Expression.Invalid == "semantic" {
		err = x.Check(focus.Type)
	}
	var got fhirpath.Collection
	if err == nil {
		got, err = x.Evaluate(env, focus)
	}
	if c.Expression.Invalid != "" {
		if err == nil {
			return "no error, want one: " + c.Expression.Invalid
		}
		return ""
	}
	if err != nil {
		return err.Error()
	}
	if c.Predicate {
		value, known, err := got.Bool()
		if err != nil {
			return err.Error()
		}
		got = nil
		if known {
			got = fhirpath.Collection{fhirpath.Boolean(value)}
		}
	}
	return c.compare(got)
}

func (c *suiteTest) compare(got fhirpath.Collection) string {
	var want, have []string
	for i, o := range c.Outputs {
		want = append(want, o.Type+" "+strings.TrimPrefix(strings.TrimSpace(o.Text), "@"))
		prefix := " "
		if o.Type != "" && i < len(got) {
			prefix = typeOf(got[i], o.Type) + " "
		}
		if i < len(got) {
			have = append(have, prefix+got[i].String())
		}
	}
	for i := len(c.Outputs); i < len(got); i++ {
		have = append(have, got[i].String())
	}
	for i := range want {
		want[i] = strings.Replace(want[i], " T", " ", 1) // times of day
	}
	for i := range have {
		have[i] = strings.Replace(have[i], " T", " ", 1)
	}
	if c.Ordered == "false" {
		slices.Sort(want)
		slices.Sort(have)
	}
	if !slices.Equal(want, have) {
		return "got " + strings.Join(have, ", ") + "; want " + strings.Join(want, ", ")
	}
	return ""
}

// typeOf names the type as the suite does: System types by their FHIR
// equivalent, FHIR types by their own name.
func typeOf(v fhirpath.Value, want string) string {
	if n, ok := v.(fhirpath.Node); ok {
		return n.Type.Name
	}
	name := map[string]string{
		"Boolean": "boolean", "String": "string", "Integer": "integer", "Decimal": "decimal",
		"Date": "date", "DateTime": "dateTime", "Time": "time", "Quantity": "Quantity",
	}[typeName(v)]
	_ = want
	return name
}

func typeName(v fhirpath.Value) string {
	c, err := fhirpath.MustCompile("type().name").Append(nil, nil, v)
	if err != nil || len(c) != 1 {
		return ""
	}
	return c[0].String()
}

// conformsToBase knows the profiles that are resource types, no others.
func conformsToBase(e *fhir.Element, profile string) (bool, error) {
	name, ok := strings.CutPrefix(profile, "http://hl7.org/fhir/StructureDefinition/")
	if !ok {
		return false, errors.New("unknown profile")
	}
	return e.ResourceType() == name, nil
}

func readResource(t testing.TB, file string) *fhir.Element {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decode := func() (*fhir.Element, error) { return fhirjson.Decode(data, fhirjson.Options{}) }
	if filepath.Ext(file) == ".xml" {
		decode = func() (*fhir.Element, error) { return fhirxml.Decode(data, fhirxml.Options{}) }
	}
	e, err := decode()
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return e
}
