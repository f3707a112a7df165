package validate_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/fhirtest"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/validate"
)

// mutation spoils the n-th element (in the order of Walk) of a valid resource.
// apply returns the element at which the error id must be found, nil where
// the element cannot be spoilt in this way. parent is nil for the root.
type mutation struct {
	name, id string
	apply    func(parent, e *fhir.Element) (at *fhir.Element)
}

// wrong values by primitive type.
var wrongValues = map[string]string{
	"boolean": "maybe", "integer": "1.5", "unsignedInt": "-1", "positiveInt": "0", "decimal": "1.",
	"date": "2023-02-29", "dateTime": "2023-01-01T25:00:00Z", "instant": "2023-01-01", "time": "24:00",
	"base64Binary": "a", "id": "under_score", "code": " blank", "uri": "a b", "url": "a b", "canonical": "a b",
	"oid": "urn:oid:3.1", "uuid": "urn:uuid:1", "string": "\x01", "markdown": "\x02",
}

var mutations = []mutation{
	{"required element missing", "element-missing", func(parent, e *fhir.Element) *fhir.Element {
		if parent == nil || e.Def == nil || e.Def.Min == 0 || countOf(parent, e) > 1 {
			return nil
		}
		parent.Remove(e.Name)
		return parent
	}},
	{"single element repeated", "element-repeats", func(parent, e *fhir.Element) *fhir.Element {
		if parent == nil || e.Def == nil || e.Def.Max != 1 || e.Name == "id" || e.Name == "url" && parent.Type.Name == "Extension" {
			return nil
		}
		parent.Children = slices.Insert(parent.Children, slices.Index(parent.Children, e), e.Clone())
		return parent
	}},
	{"wrong format", "primitive-format", func(_, e *fhir.Element) *fhir.Element {
		wrong, ok := wrongValues[e.Type.Name]
		if !ok || e.Value == "" {
			return nil
		}
		e.Value = wrong
		return e
	}},
	{"code not in required binding", "binding-required", func(_, e *fhir.Element) *fhir.Element {
		if e.Def == nil || e.Def.Binding == nil || e.Def.Binding.Strength != "required" || e.Type.Name != "code" ||
			e.Def.Binding.ValueSet == "http://hl7.org/fhir/ValueSet/all-types|4.0.1" {
			return nil
		}
		e.Value = "no-such-code"
		return e
	}},
	{"code not in its code system", "tx-code-unknown", func(parent, e *fhir.Element) *fhir.Element {
		if parent == nil || parent.Type.Name != "Coding" || e.Name != "code" || !isHeld(parent.Text("system")) {
			return nil
		}
		e.Value = "no-such-code"
		return e
	}},
	{"display of nothing", "tx-display-wrong", func(parent, e *fhir.Element) *fhir.Element {
		if parent == nil || parent.Type.Name != "Coding" || e.Name != "display" || !isHeld(parent.Text("system")) || parent.Text("code") == "" {
			return nil
		}
		e.Value = "no such display"
		return e
	}},
	{"reference to a wrong type", "reference-type", func(_, e *fhir.Element) *fhir.Element {
		if e.Type.Name != "Reference" || e.Def == nil || !slices.ContainsFunc(e.Def.Types, func(t r4.TypeRef) bool {
			return len(t.TargetProfiles) > 0 && !slices.Contains(t.TargetProfiles, "http://hl7.org/fhir/StructureDefinition/Resource")
		}) {
			return nil
		}
		e.Remove("type")
		e.Set("reference", "TestReport/1")
		return e
	}},
	{"reference to nothing contained", "ref-1", func(_, e *fhir.Element) *fhir.Element {
		if e.Type.Name != "Reference" {
			return nil
		}
		e.Set("reference", "#nothing")
		return e
	}},
	{"unknown extension", "extension-unknown", func(_, e *fhir.Element) *fhir.Element {
		if _, ok := e.Type.Property("extension"); !ok || e.Type.Name == "Extension" {
			return nil
		}
		x := e.Add("extension")
		x.Set("url", "https://nowhere.jp/extension").Set("valueString", "x")
		return x
	}},
	{"unknown modifier extension", "modifier-extension-unknown", func(_, e *fhir.Element) *fhir.Element {
		if _, ok := e.Type.Property("modifierExtension"); !ok {
			return nil
		}
		x := e.Add("modifierExtension")
		x.Set("url", "https://nowhere.jp/extension").Set("valueString", "x")
		return x
	}},
	{"extension in the wrong place", "extension-context", func(_, e *fhir.Element) *fhir.Element {
		if _, ok := e.Type.Property("extension"); !ok || e.Type.Name == "Extension" || e.Type.Name == "Patient" {
			return nil
		}
		x := e.Add("extension")
		x.Set("url", "http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName").Set("valueString", "x")
		return x
	}},
	{"extension without value", "ext-1", func(_, e *fhir.Element) *fhir.Element {
		if e.Type.Name != "Extension" {
			return nil
		}
		e.Children = slices.DeleteFunc(e.Children, func(c *fhir.Element) bool { return c.Name != "url" })
		return e
	}},
	{"element without content", "ele-1", func(_, e *fhir.Element) *fhir.Element {
		if e.Def == nil || e.Type.Kind == r4.Resource || e.Type.Kind == r4.Primitive {
			return nil
		}
		e.Children = nil
		return e
	}},
	{"script in narrative", "txt-1", func(_, e *fhir.Element) *fhir.Element {
		if e.Type.Name != "xhtml" {
			return nil
		}
		e.Value = `<div xmlns="http://www.w3.org/1999/xhtml">x<script>alert(1)</script></div>`
		return e
	}},
	{"contained resource nobody refers to", "dom-3", func(parent, e *fhir.Element) *fhir.Element {
		if _, ok := e.Type.Property("contained"); !ok || parent != nil {
			return nil
		}
		c := fhir.NewResource("Basic")
		e.AddResource("contained", c).Set("id", "lonely").Add("code").Set("text", "x")
		return c
	}},
	{"unit that is not UCUM", "tx-code-unknown", func(parent, e *fhir.Element) *fhir.Element {
		if parent == nil || e.Name != "code" || parent.Text("system") != "http://unitsofmeasure.org" {
			return nil
		}
		e.Value = "no unit"
		return e
	}},
}

func countOf(parent, e *fhir.Element) int {
	n := 0
	for _, c := range parent.Children {
		if c.Def == e.Def {
			n++
		}
	}
	return n
}

// isHeld reports whether the codes of a system are known here in full.
func isHeld(system string) bool {
	return slices.Contains([]string{
		"http://terminology.hl7.org/CodeSystem/observation-category", "http://terminology.hl7.org/CodeSystem/v2-0203",
		"http://terminology.hl7.org/CodeSystem/condition-clinical", "http://terminology.hl7.org/CodeSystem/condition-category",
		"http://terminology.hl7.org/CodeSystem/v3-ActCode", "http://terminology.hl7.org/CodeSystem/v2-0131",
		"http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
	}, system)
}

// TestMutations spoils valid examples in every place in every way and looks
// for the error that must follow, at the place where it must be.
func TestMutations(t *testing.T) {
	bases := []string{
		"Patient-example.json", "Observation-blood-pressure.json", "Condition-example.json", "Encounter-f001.json",
		"CarePlan-example.json", "MedicationRequest-medrx0311.json", "Practitioner-example.json", "Organization-hl7.json",
		"Task-example3.json", "Consent-consent-example-basic.json", "Coverage-9876B1.json", "Goal-example.json",
	}
	v, err := validate.New(validate.Config{})
	if err != nil {
		t.Fatal(err)
	}
	made, kinds := 0, map[string]int{}
	for x, err := range fhirtest.Some(os.DirFS("../..")) {
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(bases, x.Name) {
			continue
		}
		bases = slices.DeleteFunc(bases, func(n string) bool { return n == x.Name })
		valid, err := fhirjson.Decode(x.JSON, fhirjson.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if issues := v.Validate(t.Context(), valid, validate.Options{}); issues.HasErrors() {
			t.Errorf("%s is not valid: %v", x.Name, issues)
			continue
		}
		for _, m := range mutations {
			for n := range sizeOf(valid) {
				spoilt := valid.Clone()
				parent, e := nth(spoilt, n)
				if e == nil || e.Type == nil {
					continue
				}
				at := m.apply(parent, e)
				if at == nil {
					continue
				}
				made++
				kinds[m.name]++
				want := spoilt.Expression(at)
				issues := v.Validate(t.Context(), spoilt, validate.Options{})
				if !slices.ContainsFunc(issues, func(i fhir.Issue) bool {
					return i.Severity == fhir.Error && i.ID == m.id && i.Expression == want
				}) {
					t.Errorf("%s: %s: want %s at %s, got %v", x.Name, m.name, m.id, want, issues)
				}
			}
		}
	}
	if len(bases) > 0 {
		t.Errorf("not among the committed examples: %v", bases)
	}
	for _, m := range mutations {
		if kinds[m.name] == 0 {
			t.Errorf("no example could be spoilt by: %s", m.name)
		}
	}
	if made < 200 {
		t.Errorf("only %d mutations", made)
	}
	t.Logf("%d mutations: %v", made, slices.Sorted(maps.Keys(kinds)))
}

func sizeOf(e *fhir.Element) int {
	n := 0
	e.Walk(func(*fhir.Element) bool { n++; return true })
	return n
}

// nth returns the n-th element and its parent.
func nth(root *fhir.Element, n int) (parent, e *fhir.Element) {
	var find func(p, c *fhir.Element)
	find = func(p, c *fhir.Element) {
		if n == 0 {
			parent, e = p, c
		}
		n--
		for _, k := range c.Children {
			find(c, k)
		}
	}
	find(nil, root)
	return parent, e
}
