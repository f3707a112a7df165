package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// definitions is the table that package r4 decodes; gob matches its fields by
// name with the structure there.
type definitions struct {
	Types []*r4.Type
	// ConstraintSets are the different lists of invariants that elements have;
	// SetOf tells which of them is that of each element, in the order of
	// Types and their Elements, whose own Constraints are left empty.
	ConstraintSets [][]r4.Constraint
	SetOf          []int
	Parameters     []*r4.SearchParameter
	Compartments   []compartment
}

// compartment is the membership of one resource type in one compartment.
type compartment struct {
	Compartment, Type string
	Codes             []string
}

func buildDefinitions(files []file) (*definitions, error) {
	types, err := buildTypes(ofType(files, "StructureDefinition"))
	if err != nil {
		return nil, err
	}
	params, err := buildParameters(ofType(files, "SearchParameter"))
	if err != nil {
		return nil, err
	}
	compartments, err := buildCompartments(ofType(files, "CompartmentDefinition"))
	if err != nil {
		return nil, err
	}
	d := &definitions{Types: types, Parameters: params, Compartments: compartments}
	d.shareConstraints()
	return d, nil
}

// shareConstraints moves the invariants of the elements, nearly all of which
// have the same few, into ConstraintSets.
func (d *definitions) shareConstraints() {
	sets := map[string]int{}
	for _, t := range d.Types {
		for _, e := range t.Elements {
			key := fmt.Sprintf("%q", e.Constraints)
			set, ok := sets[key]
			if !ok {
				set = len(d.ConstraintSets)
				sets[key] = set
				d.ConstraintSets = append(d.ConstraintSets, e.Constraints)
			}
			d.SetOf = append(d.SetOf, set)
			e.Constraints = nil
		}
	}
}

// structure is the part of a StructureDefinition the tables need.
// https://hl7.org/fhir/R4/structuredefinition.html
type structure struct {
	Type, Kind, Derivation, BaseDefinition string
	Abstract                               bool
	Snapshot                               struct{ Element []elementDefinition }
}

// elementDefinition is the part of an ElementDefinition the tables need.
// https://hl7.org/fhir/R4/elementdefinition.html
type elementDefinition struct {
	Path             string
	Min              int
	Max              string
	ContentReference string
	MaxLength        int
	IsModifier       bool
	IsSummary        bool
	Representation   []string
	Type             []struct {
		Code                   string
		Profile, TargetProfile []string
		Extension              []struct{ URL, ValueURL string }
	}
	Binding    *struct{ Strength, ValueSet string }
	Constraint []struct{ Key, Severity, Human, Expression string }
}

const (
	systemType = "http://hl7.org/fhirpath/System."
	fhirType   = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
	baseURL    = "http://hl7.org/fhir/StructureDefinition/"
)

var kinds = map[string]r4.TypeKind{
	"resource": r4.Resource, "complex-type": r4.Complex, "primitive-type": r4.Primitive,
}

// buildTypes reads the StructureDefinitions that define types; profiles,
// extensions and logical models are left out.
func buildTypes(files []file) ([]*r4.Type, error) {
	var out []*r4.Type
	for _, f := range files {
		var s structure
		if err := json.Unmarshal(f.Data, &s); err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if kinds[s.Kind] == 0 || s.Derivation == "constraint" {
			continue
		}
		types, err := s.types()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		out = append(out, types...)
	}
	return out, nil
}

// types returns the type itself, followed by its backbone types.
func (s *structure) types() ([]*r4.Type, error) {
	if len(s.Snapshot.Element) == 0 {
		return nil, fmt.Errorf("no snapshot")
	}
	root := &r4.Type{
		Name: s.Type, Kind: kinds[s.Kind], Abstract: s.Abstract,
		Base: strings.TrimPrefix(s.BaseDefinition, baseURL),
	}
	byPath := map[string]*r4.Type{s.Type: root}
	out := []*r4.Type{root}
	for _, d := range s.Snapshot.Element {
		parent, name := cut(d.Path)
		if parent == "" {
			root.Constraints = d.constraints()
			continue
		}
		if root.Kind == r4.Primitive && name == "value" {
			continue // the value is the node's own, not a child
		}
		owner := byPath[parent]
		if owner == nil { // the first child makes the parent a backbone
			def := elementAt(byPath, parent)
			owner = &r4.Type{Name: parent, Kind: r4.Backbone, Base: def.Types[0].Code, Constraints: def.Constraints}
			byPath[parent] = owner
			out = append(out, owner)
		}
		e, err := d.element(root, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, err)
		}
		if e.Max != 0 {
			owner.Elements = append(owner.Elements, e)
		}
	}
	return out, nil
}

// cut splits "Patient.contact.name" into "Patient.contact" and "name".
func cut(path string) (parent, name string) {
	i := strings.LastIndexByte(path, '.')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

func elementAt(types map[string]*r4.Type, path string) *r4.Element {
	parent, _ := cut(path)
	for _, e := range types[parent].Elements {
		if e.Path == path {
			return e
		}
	}
	panic("fhirgen: snapshot has children before their parent: " + path)
}

func (d *elementDefinition) element(root *r4.Type, name string) (*r4.Element, error) {
	e := &r4.Element{
		Path: d.Path, Min: d.Min, MaxLength: d.MaxLength, Modifier: d.IsModifier, Summary: d.IsSummary,
		ContentReference: strings.TrimPrefix(d.ContentReference, "#"),
		Constraints:      d.constraints(),
		XMLAttribute:     len(d.Representation) > 0 && d.Representation[0] == "xmlAttr",
	}
	e.Name, e.Choice = strings.CutSuffix(name, "[x]")
	var err error
	if e.Max, err = maxOf(d.Max); err != nil {
		return nil, err
	}
	for _, t := range d.Type {
		code, err := d.typeCode(root, t.Code, t.Extension)
		if err != nil {
			return nil, err
		}
		e.Types = append(e.Types, r4.TypeRef{Code: code, Profiles: t.Profile, TargetProfiles: t.TargetProfile})
	}
	if d.Binding != nil {
		e.Binding = &r4.Binding{Strength: d.Binding.Strength, ValueSet: d.Binding.ValueSet}
	}
	return e, nil
}

// typeCode returns the FHIR type behind a type code. The snapshots give some
// elements a FHIRPath system type and the FHIR type as an extension; for the
// id of resources that extension says string, though the type is id:
// https://hl7.org/fhir/R4/resource.html#id
func (d *elementDefinition) typeCode(root *r4.Type, code string, extensions []struct{ URL, ValueURL string }) (string, error) {
	if !strings.HasPrefix(code, systemType) {
		return code, nil
	}
	if root.Kind == r4.Resource && d.Path == root.Name+".id" {
		return "id", nil
	}
	for _, x := range extensions {
		if x.URL == fhirType {
			return x.ValueURL, nil
		}
	}
	if d.Path == "xhtml.id" { // the one snapshot without the extension
		return "string", nil
	}
	return "", fmt.Errorf("no FHIR type for %s", code)
}

func (d *elementDefinition) constraints() []r4.Constraint {
	var out []r4.Constraint
	for _, c := range d.Constraint {
		out = append(out, r4.Constraint(c))
	}
	return out
}

func maxOf(max string) (int, error) {
	if max == "*" {
		return r4.Unbounded, nil
	}
	return strconv.Atoi(max)
}
