package patch

import (
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Diff returns a FHIRPath Patch that turns one resource into another of the
// same type: FHIRPath(from, Diff(from, to)) is to. Repetitions are compared by
// position. Both trees must come from a decoder or builder; ids of the
// resources themselves are not compared. https://hl7.org/fhir/R4/fhirpatch.html
func Diff(from, to *fhir.Element) (*fhir.Element, error) {
	if from.ResourceType() != to.ResourceType() {
		return nil, issue(RuleIdentity, "the resources are of different types", "リソースの型が異なります")
	}
	d := differ{out: fhir.NewResource("Parameters")}
	d.compare(from.ResourceType(), from, to, true)
	return d.out, nil
}

type differ struct{ out *fhir.Element }

// compare emits what turns the children of a into those of b.
func (d *differ) compare(path string, a, b *fhir.Element, root bool) {
	var gone []func()
	var added []func()
	for _, name := range childNames(a, b) {
		if root && name == "id" {
			continue
		}
		left, right := named(a, name), named(b, name)
		for i := range max(len(left), len(right)) {
			at := fmt.Sprintf("%s.%s", path, name)
			if len(left) > 1 || len(right) > 1 || isList(left, right) {
				at += fmt.Sprintf("[%d]", i)
			}
			switch {
			case i >= len(right):
				gone = append(gone, func() { d.operation("delete", at) })
			case i >= len(left):
				added = append(added, func() { d.add(path, name, right[i]) })
			default:
				d.change(at, left[i], right[i], &gone, &added)
			}
		}
	}
	// Additions come first, for an element that loses its last child is gone
	// itself; deletions go from the end, so that indexes before them hold.
	for _, f := range added {
		f()
	}
	for _, f := range slices.Backward(gone) {
		f()
	}
}

// change emits what turns one element into another in its place.
func (d *differ) change(at string, a, b *fhir.Element, gone, added *[]func()) {
	switch {
	case same(a, b):
	case a.Type == b.Type && a.Kind == fhir.None && b.Kind == fhir.None && a.Type.Kind != r4.Primitive && len(b.Children) > 0:
		d.compare(at, a, b, false)
	default:
		op := d.operation("replace", at)
		d.value(op.Add("part").Set("name", "value"), b)
	}
}

// operation starts an operation on a path.
func (d *differ) operation(kind, path string) *fhir.Element {
	op := d.out.Add("parameter").Set("name", "operation")
	op.Add("part").Set("name", "type").Set("valueCode", kind)
	op.Add("part").Set("name", "path").Set("valueString", path)
	return op
}

func (d *differ) add(path, name string, e *fhir.Element) {
	op := d.operation("add", path)
	op.Add("part").Set("name", "name").Set("valueString", name)
	d.value(op.Add("part").Set("name", "value"), e)
}

// value puts an element into a part: as value[x], as a resource, or, for types
// without a value[x], as parts.
func (d *differ) value(part, e *fhir.Element) {
	if e.ResourceType() != "" {
		part.AddResource("resource", e.Clone())
		return
	}
	prop, ok := part.Type.Property("value" + typeSuffix(e.Type))
	if !ok && e.Kind == fhir.String { // xhtml, which travels as a string
		prop, ok = part.Type.Property("valueString")
	}
	if ok {
		v := part.Add(prop.Name)
		v.Kind, v.Value, v.Children = e.Kind, e.Value, e.Clone().Children
		return
	}
	for _, c := range e.Children {
		name := c.Name
		if c.Def != nil {
			name = c.Def.Name
		}
		d.value(part.Add("part").Set("name", name), c)
	}
}

// typeSuffix is the suffix of a value[x] of the type.
func typeSuffix(t *r4.Type) string {
	if t == nil || t.Name == "" {
		return ""
	}
	return string(t.Name[0]&^0x20) + t.Name[1:]
}

// childNames returns the definition names of the children of both, in order of
// first appearance.
func childNames(a, b *fhir.Element) []string {
	var names []string
	for _, e := range []*fhir.Element{a, b} {
		for _, c := range e.Children {
			if n := definedName(c); !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// definedName is the name in the definition: "value" for valueQuantity.
func definedName(e *fhir.Element) string {
	if e.Def != nil {
		return e.Def.Name
	}
	return e.Name
}

func named(e *fhir.Element, name string) []*fhir.Element {
	var list []*fhir.Element
	for _, c := range e.Children {
		if definedName(c) == name {
			list = append(list, c)
		}
	}
	return list
}

func isList(left, right []*fhir.Element) bool {
	for _, list := range [][]*fhir.Element{left, right} {
		if len(list) > 0 && list[0].List {
			return true
		}
	}
	return false
}

// same reports whether two elements are alike, order of siblings included.
func same(a, b *fhir.Element) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Kind == b.Kind && a.Value == b.Value &&
		slices.EqualFunc(a.Children, b.Children, same)
}
