package fhirpath

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// path is a chain of element names from a root, walked without collections in
// between: "code.coding.where(…)" begins with the path of two names.
// https://hl7.org/fhirpath/N1/#path-selection
type path struct {
	root  node           // nil: $this
	head  *typeSpecifier // "Patient" in "Patient.name": $this must be one
	steps []step
}

// step is one name, and the type its elements must have, if any.
type step struct {
	name string
	only *typeSpecifier
}

func (n *path) eval(ev *evaluation, dst Collection) (Collection, error) {
	if n.root == nil {
		return n.from(ev.this, dst), nil
	}
	items, err := ev.collect(n.root)
	defer ev.release(items)
	if err != nil {
		return dst, err
	}
	for _, v := range items {
		dst = n.from(v, dst)
	}
	return dst, nil
}

// from appends what the path leads to from a value.
func (n *path) from(v Value, dst Collection) Collection {
	switch v := v.(type) {
	case Node:
		if v.Element != nil && (n.head == nil || n.head.is(v)) {
			return walk(v.Element, n.steps, dst)
		}
	case *TypeInfo:
		if len(n.steps) == 1 && n.head == nil {
			return v.member(n.steps[0].name, dst)
		}
	}
	return dst
}

func (t *TypeInfo) member(name string, dst Collection) Collection {
	switch name {
	case "namespace":
		return append(dst, String(t.Namespace))
	case "name":
		return append(dst, String(t.Name))
	}
	return dst
}

func walk(e *fhir.Element, steps []step, dst Collection) Collection {
	if len(steps) == 0 {
		return append(dst, Node{e})
	}
	for _, c := range e.Children {
		if steps[0].matches(c) {
			dst = walk(c, steps[1:], dst)
		}
	}
	return dst
}

// leads reports whether the path reaches anything from e.
func leads(e *fhir.Element, steps []step) bool {
	if len(steps) == 0 {
		return true
	}
	for _, c := range e.Children {
		if steps[0].matches(c) && leads(c, steps[1:]) {
			return true
		}
	}
	return false
}

// matches compares with the stem of a choice, with the name of anything else.
func (s *step) matches(e *fhir.Element) bool {
	name := e.Name
	if e.Def != nil && e.Def.Choice {
		name = e.Def.Name
	}
	return name == s.name && (s.only == nil || s.only.selects(Node{e}))
}

// exists reports whether the path reaches anything.
func (n *path) exists(ev *evaluation) (bool, error) {
	if n.root == nil {
		return n.reaches(ev.this), nil
	}
	items, err := ev.collect(n.root)
	defer ev.release(items)
	for _, v := range items {
		if n.reaches(v) {
			return true, err
		}
	}
	return false, err
}

func (n *path) reaches(v Value) bool {
	if v, ok := v.(Node); ok && v.Element != nil {
		return (n.head == nil || n.head.is(v)) && leads(v.Element, n.steps)
	}
	return len(n.from(v, nil)) > 0
}
