// Package r4 is FHIR R4 (4.0.1) as tables: the types with their elements,
// search parameters, compartments and the conformance resources themselves.
// The tables are generated from the npm package hl7.fhir.r4.examples (CC0),
// embedded in compressed form, decoded on first use and never changed after.
// https://hl7.org/fhir/R4/
package r4

//go:generate go run ../../cmd/fhirgen -source ../../.cache/fhir-r4-examples/package -out . -examples ../../testdata/fhir-r4

// TypeKind tells what sort of type a Type is.
type TypeKind uint8

// The sorts of types.
const (
	Resource  TypeKind = iota + 1 // Patient, Bundle, …; also the abstract Resource and DomainResource
	Complex                       // HumanName, Extension, …
	Primitive                     // date, string, …; also xhtml
	Backbone                      // anonymous types of backbone elements, named by path: "Patient.contact"
)

// Unbounded is the Max of an element that may repeat without limit ("*").
const Unbounded = -1

// Type is a resource type, a data type or the anonymous type of a backbone
// element.
type Type struct {
	Name     string
	Kind     TypeKind
	Base     string // name of the type this one specialises, "" for Element and Resource
	Abstract bool
	// Elements are the direct child elements, inherited ones included, in the
	// order of the snapshot, which is the order of XML. Those of a primitive
	// are id and extension; its value is no child.
	Elements []*Element
	// Constraints are the invariants on the type as a whole; those of a
	// backbone type are also those of the element that defines it.
	Constraints []Constraint

	properties map[string]*Property
	ordered    []*Property // in definition order
}

// Element is the definition of one child element of a type.
type Element struct {
	Name     string // "birthDate"; "value" for value[x]
	Path     string // "Patient.birthDate"; "Observation.value[x]"
	Choice   bool   // true for value[x]
	Min, Max int    // Max is Unbounded for "*"
	Types    []TypeRef
	// ContentReference is the path whose content this element repeats
	// ("Questionnaire.item"), "" for most. Its Property has that path's Type.
	ContentReference string
	Binding          *Binding
	Constraints      []Constraint
	MaxLength        int // 0: no limit
	Modifier         bool
	Summary          bool
	XMLAttribute     bool // written as an XML attribute (Element.id, Extension.url)
}

// TypeRef is one type an element may have.
type TypeRef struct {
	Code           string   // "Reference", "date"
	Profiles       []string // canonical URLs
	TargetProfiles []string // canonical URLs, for Reference and canonical
}

// Binding ties a coded element to a value set.
type Binding struct {
	Strength string // required, extensible, preferred, example
	ValueSet string // canonical, possibly with |version
}

// Constraint is an invariant.
type Constraint struct {
	Key        string // "dom-3"
	Severity   string // "error" or "warning"
	Human      string
	Expression string // FHIRPath
}

// Property is what a JSON property name stands for in a type.
type Property struct {
	Name    string // the property name itself, "valueQuantity"
	Element *Element
	Type    *Type // the concrete type; for a slot that holds any resource, the type Resource
	Order   int   // position of Element among Type.Elements of the parent

	index int // position among the ordered properties of the parent
}

// Property finds the element and concrete type behind a JSON property name
// ("valueQuantity", without a leading underscore).
func (t *Type) Property(name string) (Property, bool) {
	if p, ok := t.properties[name]; ok {
		return *p, true
	}
	return Property{}, false
}

// PropertyAfter is Property for readers of whole objects: content mostly comes
// in definition order, so the few properties after the previous one, nil at the
// start, are tried first. It returns nil where there is no such property. What
// it returns must not be changed.
func (t *Type) PropertyAfter(previous *Property, name string) *Property {
	const near = 4
	from := 0
	if previous != nil {
		from = previous.index + 1
	}
	for i := from; i < len(t.ordered) && i < from+near; i++ {
		if t.ordered[i].Name == name {
			return t.ordered[i]
		}
	}
	return t.properties[name]
}

// SearchParameter is a search parameter of the base specification.
// https://hl7.org/fhir/R4/searchparameter.html
type SearchParameter struct {
	URL        string
	Code       string // name in queries: "code", "_lastUpdated"
	Type       string // number date string token reference composite quantity uri special
	Base       []string
	Target     []string // resource types a reference may point to
	Expression string   // FHIRPath, "" for special parameters
	Components []SearchComponent
	Comparator []string
	Modifier   []string
}

// SearchComponent is one part of a composite parameter.
type SearchComponent struct {
	Definition string // canonical URL of the part's SearchParameter
	Expression string
}
