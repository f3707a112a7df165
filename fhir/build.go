package fhir

import (
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// NewResource returns an empty resource of that type. It panics on a name
// that is not an R4 resource type: the name is always a constant of the caller
// or was checked before.
func NewResource(resourceType string) *Element {
	t, ok := r4.TypeByName(resourceType)
	if !ok || t.Kind != r4.Resource {
		panic(fmt.Sprintf("fhir: %q is not an R4 resource type", resourceType))
	}
	return &Element{Type: t, Offset: -1}
}

// Add appends a child of that property name, in the place the definition
// gives it among its siblings, and returns it. It panics where the type has no
// such property.
func (e *Element) Add(name string) *Element {
	prop, ok := e.Type.Property(name)
	if !ok {
		panic(fmt.Sprintf("fhir: %s has no property %q", e.Type.Name, name))
	}
	c := &Element{Name: prop.Name, Def: prop.Element, Type: prop.Type, Offset: -1, List: prop.Element.Max != 1}
	e.insert(c, prop.Order)
	return c
}

// AddResource appends a resource in a slot such as "contained" or "resource".
func (e *Element) AddResource(name string, res *Element) *Element {
	prop, ok := e.Type.Property(name)
	if !ok {
		panic(fmt.Sprintf("fhir: %s has no property %q", e.Type.Name, name))
	}
	res.Name, res.Def, res.List = prop.Name, prop.Element, prop.Element.Max != 1
	e.insert(res, prop.Order)
	return res
}

// Set gives the first child of that name the value, adding the child where
// there is none. An empty value removes the child. It returns e.
func (e *Element) Set(name, value string) *Element {
	if value == "" {
		e.Remove(name)
		return e
	}
	c := e.Get(name)
	if c == nil {
		c = e.Add(name)
	}
	c.SetValue(value)
	return e
}

// SetValue gives a primitive its value in lexical form.
func (e *Element) SetValue(value string) {
	e.Value = value
	e.Kind = String
	if e.Type != nil {
		e.Kind = KindOf(e.Type)
	}
}

// KindOf returns the JSON kind of a primitive type's values, None for a type
// that is not primitive.
func KindOf(t *r4.Type) Kind {
	if t.Kind != r4.Primitive {
		return None
	}
	switch t.Name {
	case "boolean":
		return Boolean
	case "integer", "decimal", "positiveInt", "unsignedInt":
		return Number
	}
	return String
}

// Remove deletes every child with that name.
func (e *Element) Remove(name string) {
	e.Children = slices.DeleteFunc(e.Children, func(c *Element) bool { return c.Name == name })
}

// insert puts c after the last sibling of its name or, where there is none,
// after the last whose definition order is not after it.
func (e *Element) insert(c *Element, order int) {
	for i := len(e.Children) - 1; i >= 0; i-- {
		if e.Children[i].Name == c.Name {
			e.Children = slices.Insert(e.Children, i+1, c)
			return
		}
	}
	at := len(e.Children)
	for ; at > 0; at-- {
		if p, ok := e.Type.Property(e.Children[at-1].Name); !ok || p.Order <= order {
			break
		}
	}
	e.Children = slices.Insert(e.Children, at, c)
}
