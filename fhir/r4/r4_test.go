package r4

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
)

func TestEmbeddedSums(t *testing.T) {
	data := map[string][]byte{
		"definitions.gob.zst": definitionsData, "conformance.gob.zst": conformanceIndexData, "conformance.blocks.zst": conformanceBlocks,
	}
	if len(data) != len(embeddedSums) {
		t.Errorf("%d files embedded, %d sums recorded", len(data), len(embeddedSums))
	}
	sources, err := os.ReadFile("SOURCES.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range embeddedSums {
		if got := fmt.Sprintf("%x", sha256.Sum256(data[name])); got != want {
			t.Errorf("%s: sha256 %s, recorded %s", name, got, want)
		}
		if !slices.Contains(splitCells(string(sources)), want) {
			t.Errorf("SOURCES.md does not record %s of %s", want, name)
		}
	}
	if !slices.Contains(splitCells(string(sources)), sourceSum) {
		t.Errorf("SOURCES.md does not record the package's sum %s", sourceSum)
	}
}

// splitCells returns the words of a markdown table.
func splitCells(s string) []string {
	var out []string
	start := -1
	for i, r := range s + " " {
		if r == ' ' || r == '|' || r == '\n' {
			if start >= 0 {
				out = append(out, s[start:i])
			}
			start = -1
		} else if start < 0 {
			start = i
		}
	}
	return out
}

func TestProperties(t *testing.T) {
	tests := []struct {
		typ, property  string
		path, wantType string
		max            int
	}{
		{"Patient", "id", "Patient.id", "id", 1},
		{"Patient", "birthDate", "Patient.birthDate", "date", 1},
		{"Patient", "contact", "Patient.contact", "Patient.contact", Unbounded},
		{"Patient", "deceasedBoolean", "Patient.deceased[x]", "boolean", 1},
		{"Patient", "contained", "Patient.contained", "Resource", Unbounded},
		{"Patient.contact", "name", "Patient.contact.name", "HumanName", 1},
		{"Patient.contact", "modifierExtension", "Patient.contact.modifierExtension", "Extension", Unbounded},
		{"Bundle.entry", "resource", "Bundle.entry.resource", "Resource", 1},
		{"Bundle.entry", "link", "Bundle.entry.link", "Bundle.link", Unbounded},
		{"Observation", "valueQuantity", "Observation.value[x]", "Quantity", 1},
		{"Observation.component", "referenceRange", "Observation.component.referenceRange", "Observation.referenceRange", Unbounded},
		{"Questionnaire.item", "item", "Questionnaire.item.item", "Questionnaire.item", Unbounded},
		{"Extension", "valueBase64Binary", "Extension.value[x]", "base64Binary", 1},
		{"Extension", "valueMeta", "Extension.value[x]", "Meta", 1},
		{"Extension", "url", "Extension.url", "uri", 1},
		{"Extension", "id", "Extension.id", "string", 1},
		{"string", "id", "string.id", "string", 1},
		{"string", "extension", "string.extension", "Extension", Unbounded},
		{"xhtml", "id", "xhtml.id", "string", 1},
		{"Timing", "repeat", "Timing.repeat", "Timing.repeat", 1},
		{"Timing.repeat", "boundsPeriod", "Timing.repeat.bounds[x]", "Period", 1},
		{"ElementDefinition.slicing", "rules", "ElementDefinition.slicing.rules", "code", 1},
		{"Narrative", "div", "Narrative.div", "xhtml", 1},
	}
	for _, tt := range tests {
		t.Run(tt.typ+"."+tt.property, func(t *testing.T) {
			typ, ok := TypeByName(tt.typ)
			if !ok {
				t.Fatalf("no type %s", tt.typ)
			}
			p, ok := typ.Property(tt.property)
			if !ok {
				t.Fatalf("no property %s", tt.property)
			}
			if p.Element.Path != tt.path || p.Type.Name != tt.wantType || p.Element.Max != tt.max {
				t.Errorf("got %s of type %s max %d, want %s of type %s max %d", p.Element.Path, p.Type.Name, p.Element.Max, tt.path, tt.wantType, tt.max)
			}
			if typ.Elements[p.Order] != p.Element {
				t.Errorf("order %d is not the place of %s", p.Order, tt.path)
			}
		})
	}
}

func TestNoSuchProperty(t *testing.T) {
	for _, tt := range []struct{ typ, property string }{
		{"Patient", "value"}, {"Observation", "value"}, {"Observation", "valueAddress"},
		{"string", "value"}, {"Patient", "resourceType"}, {"xhtml", "extension"},
	} {
		typ, _ := TypeByName(tt.typ)
		if p, ok := typ.Property(tt.property); ok {
			t.Errorf("%s.%s is %s, want none", tt.typ, tt.property, p.Element.Path)
		}
	}
}

func TestXMLAttributes(t *testing.T) {
	for _, tt := range []struct {
		typ, property string
		want          bool
	}{
		{"HumanName", "id", true}, {"Extension", "url", true}, {"Extension", "id", true}, {"Patient.contact", "id", true},
		{"string", "id", true}, {"xhtml", "id", true}, {"Patient", "id", false}, {"Coding", "system", false},
	} {
		typ, _ := TypeByName(tt.typ)
		if p, _ := typ.Property(tt.property); p.Element.XMLAttribute != tt.want {
			t.Errorf("%s.%s: XML attribute %v, want %v", tt.typ, tt.property, !tt.want, tt.want)
		}
	}
}

func TestDetails(t *testing.T) {
	obs, _ := TypeByName("Observation")
	status, _ := obs.Property("status")
	if b := status.Element.Binding; b == nil || b.Strength != "required" || b.ValueSet != "http://hl7.org/fhir/ValueSet/observation-status|4.0.1" {
		t.Errorf("binding of Observation.status is %v", b)
	}
	if !status.Element.Modifier || !status.Element.Summary || status.Element.Min != 1 {
		t.Errorf("Observation.status: %+v", status.Element)
	}
	if !slices.ContainsFunc(obs.Constraints, func(c Constraint) bool { return c.Key == "obs-7" && c.Expression != "" }) {
		t.Error("Observation has no obs-7")
	}
	value, _ := obs.Property("valueQuantity")
	bundle, _ := TypeByName("Bundle")
	entry, _ := bundle.Property("entry")
	for _, tt := range []struct {
		element *Element
		want    []string
	}{{value.Element, []string{"ele-1"}}, {entry.Element, []string{"bdl-5", "bdl-8", "ele-1"}}} {
		var keys []string
		for _, c := range tt.element.Constraints {
			keys = append(keys, c.Key)
		}
		if !slices.Equal(keys, tt.want) {
			t.Errorf("%s has %v, want %v", tt.element.Path, keys, tt.want)
		}
	}
	subject, _ := obs.Property("subject")
	if got := subject.Element.Types[0].TargetProfiles; len(got) != 4 {
		t.Errorf("targets of Observation.subject: %v", got)
	}
	for _, tt := range []struct{ name, base string }{{"code", "string"}, {"Patient", "DomainResource"}, {"Bundle", "Resource"}, {"Age", "Quantity"}, {"Patient.contact", "BackboneElement"}} {
		if typ, _ := TypeByName(tt.name); typ == nil || typ.Base != tt.base {
			t.Errorf("%s: %+v, want base %s", tt.name, typ, tt.base)
		}
	}
}

func TestResourceTypes(t *testing.T) {
	names := ResourceTypes()
	if len(names) != 146 || !slices.IsSorted(names) {
		t.Errorf("%d resource types, want the 146 of R4, sorted", len(names))
	}
	for _, name := range []string{"Resource", "DomainResource", "Quantity", "Event"} {
		if slices.Contains(names, name) {
			t.Errorf("%s is not a concrete resource type", name)
		}
	}
}

func TestSearchParameters(t *testing.T) {
	codes := func(typ string) []string {
		var out []string
		for _, p := range SearchParameters(typ) {
			out = append(out, p.Code)
		}
		return out
	}
	got := codes("Patient")
	for _, want := range []string{"_id", "_lastUpdated", "_tag", "_text", "birthdate", "gender", "general-practitioner"} {
		if !slices.Contains(got, want) {
			t.Errorf("Patient lacks %s: %v", want, got)
		}
	}
	if !slices.IsSorted(got) {
		t.Errorf("not sorted: %v", got)
	}
	if slices.Contains(codes("Bundle"), "_text") {
		t.Error("Bundle is no DomainResource, yet has _text")
	}
	if got, want := codes("Resource"), []string{"_content", "_filter", "_id", "_lastUpdated", "_profile", "_query", "_security", "_source", "_tag"}; !slices.Equal(got, want) {
		t.Errorf("Resource has %v, want %v", got, want)
	}
	for _, name := range ResourceTypes() {
		all := codes(name)
		if n := len(slices.Compact(slices.Clone(all))); n != len(all) {
			t.Errorf("%s has a code twice: %v", name, all)
		}
	}
	p, ok := SearchParameterByURL("http://hl7.org/fhir/SearchParameter/Observation-code-value-quantity")
	if !ok || len(p.Components) != 2 || p.Type != "composite" {
		t.Errorf("code-value-quantity: %+v", p)
	}
}

func TestCompartment(t *testing.T) {
	if codes, ok := Compartment("Patient", "Observation"); !ok || !slices.Equal(codes, []string{"subject", "performer"}) {
		t.Errorf("Observation in Patient: %v %v", codes, ok)
	}
	if codes, ok := Compartment("Patient", "Organization"); ok {
		t.Errorf("Organization in Patient: %v", codes)
	}
	for _, name := range []string{"Patient", "Encounter", "RelatedPerson", "Practitioner", "Device"} {
		if _, ok := Compartment(name, "Observation"); !ok {
			t.Errorf("no compartment %s", name)
		}
	}
}

func TestConformance(t *testing.T) {
	for _, typ := range []string{"StructureDefinition", "ValueSet", "CodeSystem", "ConceptMap", "SearchParameter", "OperationDefinition", "CompartmentDefinition"} {
		urls := ConformanceURLs(typ)
		if len(urls) == 0 || !slices.IsSorted(urls) {
			t.Errorf("%d %ss", len(urls), typ)
		}
		for _, url := range urls {
			data, ok := Conformance(url)
			var r struct{ ResourceType, URL, ID string }
			if err := json.Unmarshal(data, &r); !ok || err != nil || r.ResourceType != typ || r.URL != url {
				t.Fatalf("%s: %v %v %+v", url, ok, err, r)
			}
			if same, ok := ConformanceByID(typ, r.ID); !ok || &same[0] != &data[0] && !bytes.Equal(same, data) {
				t.Fatalf("%s: not found as %s/%s", url, typ, r.ID)
			}
		}
	}
	if _, ok := Conformance("http://hl7.org/fhir/ValueSet/example-extensional"); ok {
		t.Error("an example is served as part of the specification")
	}
	if _, ok := ConformanceByID("ValueSet", "Patient"); ok {
		t.Error("an id of another type is found")
	}
	data, _ := Conformance("http://hl7.org/fhir/StructureDefinition/Patient")
	var sd struct {
		Text         any
		Snapshot     struct{ Element []any }
		Differential struct{ Element []any }
	}
	if err := json.Unmarshal(data, &sd); err != nil || sd.Text != nil || len(sd.Snapshot.Element) != 45 || len(sd.Differential.Element) == 0 {
		t.Errorf("Patient: %v, %d elements in the snapshot", err, len(sd.Snapshot.Element))
	}
}

// Budget of the first use: 150 ms and 80 MiB.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeTables(definitionsData); err != nil {
			b.Fatal(err)
		}
	}
}

// The worst case: the block is not in memory. Budget: 2 ms.
func BenchmarkConformance(b *testing.B) {
	b.ReportAllocs()
	c := loadConformance()
	for b.Loop() {
		clear(c.recent)
		if _, ok := Conformance("http://hl7.org/fhir/StructureDefinition/Patient"); !ok {
			b.Fatal("not found")
		}
	}
}

// TestConcurrentFirstUse reads from many goroutines what is decompressed on
// first use.
func TestConcurrentFirstUse(t *testing.T) {
	urls := ConformanceURLs("ValueSet")
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := g; i < len(urls); i += 37 {
				if data, ok := Conformance(urls[i]); !ok || !json.Valid(data) {
					t.Errorf("%s: %d bytes", urls[i], len(data))
				}
			}
			runtime.GC() // takes the blocks away from under the others
		})
	}
	wg.Wait()
}
