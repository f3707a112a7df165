// Package fhir holds FHIR R4 resources in memory without losing anything of
// what was on the wire: a tree of elements, each with its definition.
// https://hl7.org/fhir/R4/json.html https://hl7.org/fhir/R4/xml.html
package fhir

import (
	"iter"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Kind tells how a primitive value was, or is to be, written in JSON.
type Kind uint8

// The kinds of a value. None is the kind of complex elements and of
// primitives that carry only an id or extensions.
const (
	None Kind = iota
	String
	Number
	Boolean
)

// Element is one node of a resource: the resource itself, a complex element
// or a primitive. Repetitions are siblings with the same Name, next to each
// other, in order. A tree belongs to one goroutine while it is changed; it
// may be read by many.
type Element struct {
	// Name is the JSON property name without a leading underscore, with the
	// type suffix of a choice ("valueQuantity"). It is "" for a root.
	Name string
	// Def is the definition of the element in its parent type. It is nil for
	// a root, for contained and entry resources' own node it is the
	// definition of the slot that holds them, and nil for unknown content
	// that was kept on request.
	Def *r4.Element
	// Type is the concrete type of the node: a resource type, a data type or
	// a backbone type such as "Patient.contact". It is nil for unknown content.
	Type *r4.Type
	// Value is a primitive's value in its lexical form: unescaped for strings,
	// digit for digit for numbers ("1.10"), "true" or "false". Kind tells which
	// of them it is; None means that there is no value.
	Value string
	// Children are the child elements in the order of the source. A
	// primitive's children are its "id" and "extension" elements. The
	// "resourceType" property is not a child: Type tells it.
	Children []*Element
	Kind     Kind
	// List reports that JSON writes the element inside an array. It follows
	// the definition where there is one.
	List bool
	// Offset is the byte offset of the value in the source, -1 when built.
	Offset int32
}

// ResourceType returns the name of the resource type of a resource node, ""
// for any other element.
func (e *Element) ResourceType() string {
	if e == nil || e.Type == nil || e.Type.Kind != r4.Resource {
		return ""
	}
	return e.Type.Name
}

// All returns every child with that name, in order.
func (e *Element) All(name string) iter.Seq[*Element] {
	return func(yield func(*Element) bool) {
		if e == nil {
			return
		}
		for _, c := range e.Children {
			if c.Name == name && !yield(c) {
				return
			}
		}
	}
}

// Get follows a path of property names, taking the first repetition at each
// step, and returns nil where the path ends early. Get on nil gives nil, so
// calls chain.
func (e *Element) Get(path ...string) *Element {
	for _, name := range path {
		if e == nil {
			return nil
		}
		var next *Element
		for _, c := range e.Children {
			if c.Name == name {
				next = c
				break
			}
		}
		e = next
	}
	return e
}

// Text returns the primitive value at a path, "" where there is none.
func (e *Element) Text(path ...string) string {
	if c := e.Get(path...); c != nil {
		return c.Value
	}
	return ""
}

// ID returns the id of a resource or element, "" where there is none.
func (e *Element) ID() string { return e.Text("id") }

// Clone returns a deep copy that shares nothing but definitions with e.
func (e *Element) Clone() *Element {
	if e == nil {
		return nil
	}
	n := 0
	e.Walk(func(*Element) bool { n++; return true })
	c := cloner{nodes: make([]Element, 0, n), links: make([]*Element, n)}
	return c.clone(e)
}

// cloner holds the memory of a copy: one piece is cheaper than one for each
// element.
type cloner struct {
	nodes []Element
	links []*Element
}

func (c *cloner) clone(e *Element) *Element {
	c.nodes = append(c.nodes, *e)
	out := &c.nodes[len(c.nodes)-1]
	if e.Children == nil {
		return out
	}
	n := len(e.Children)
	out.Children, c.links = c.links[:n:n], c.links[n:]
	for i, child := range e.Children {
		out.Children[i] = c.clone(child)
	}
	return out
}

// Walk calls visit for e and every element below it, parents first, until
// visit returns false for a node, whose children are then left out.
func (e *Element) Walk(visit func(*Element) bool) {
	if e == nil || !visit(e) {
		return
	}
	for _, c := range e.Children {
		c.Walk(visit)
	}
}
