package fhirpath

import (
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// typeSpecifier is a type as an expression names it.
// https://hl7.org/fhirpath/N1/#type-specifiers
type typeSpecifier struct {
	namespace string // "System", "FHIR" or ""
	name      string
	fhir      *r4.Type // nil where FHIR has no such type
	// leaf tells that no other type is a subtype of fhir.
	leaf bool
}

// newTypeSpecifier finds the type; ok is false where an unqualified or FHIR
// name is no type. A System name that is none is a type nothing is of.
func newTypeSpecifier(namespace, name string) (spec *typeSpecifier, ok bool) {
	spec = &typeSpecifier{namespace: namespace, name: name}
	if namespace == "System" {
		return spec, true
	}
	if t, found := r4.TypeByName(name); found {
		spec.fhir = t
		spec.leaf = t.Kind == r4.Resource && !t.Abstract
		return spec, namespace == "" || namespace == "FHIR"
	}
	return spec, namespace == "" && systemType(name)
}

func systemType(name string) bool {
	switch name {
	case "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity", "Any":
		return true
	}
	return false
}

// is reports whether the value has the type or a subtype of it.
func (s *typeSpecifier) is(v Value) bool {
	n, ok := v.(Node)
	if !ok {
		return s.isSystem(v)
	}
	if s.namespace == "System" || n.Element == nil || n.Type == nil || s.fhir == nil {
		return false
	}
	return s.covers(n.Type)
}

// covers reports whether a FHIR type is the specified one or a subtype.
func (s *typeSpecifier) covers(t *r4.Type) bool {
	if t.Name == s.name {
		return true
	}
	if s.leaf || s.fhir == nil {
		return false
	}
	for t.Base != "" {
		if t.Base == s.name {
			return true
		}
		base, ok := r4.TypeByName(t.Base)
		if !ok || base == t {
			return false
		}
		t = base
	}
	return false
}

// selects is the test of as and ofType: exact for primitives, is for the rest.
func (s *typeSpecifier) selects(v Value) bool {
	if n, ok := v.(Node); ok && n.Element != nil && n.Type != nil && n.Type.Kind == r4.Primitive {
		return s.namespace != "System" && n.Type.Name == s.name
	}
	return s.is(v)
}

func (s *typeSpecifier) isSystem(v Value) bool {
	if s.namespace == "FHIR" {
		return false
	}
	return s.name == "Any" || typeInfo(v).Name == s.name
}

// typeInfo returns what type() says of a value.
func typeInfo(v Value) *TypeInfo {
	name := ""
	switch v := v.(type) {
	case Node:
		if v.Element != nil && v.Type != nil {
			name = v.Type.Name
		}
		return &TypeInfo{"FHIR", name}
	case Boolean:
		name = "Boolean"
	case String:
		name = "String"
	case Integer:
		name = "Integer"
	case *Decimal:
		name = "Decimal"
	case *Date:
		name = "Date"
	case *DateTime:
		name = "DateTime"
	case *Time:
		name = "Time"
	case *Quantity:
		name = "Quantity"
	case *TypeInfo:
		name = "SimpleTypeInfo"
	}
	return &TypeInfo{"System", name}
}
