package patch

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// newElement makes the element of that name from the operation's value.
func (c *change) newElement(parent *fhir.Element, name string) (*fhir.Element, error) {
	part := c.parts["value"]
	if part == nil {
		return nil, issue(RuleSyntax, "the operation has no value", "操作に value がありません")
	}
	return elementFrom(parent.Type, name, part)
}

// elementFrom makes an element from a parameter or part: from its value[x],
// its resource, or, for types that have no value[x], its parts.
func elementFrom(parent *r4.Type, name string, part *fhir.Element) (*fhir.Element, error) {
	source := valueOf(part)
	prop, full, ok := property(parent, name, source)
	if !ok {
		return nil, issue(RuleTarget, "the type %s has no such element, or not of the type of the value", "%s にその要素がないか、値の型が合いません", typeName(parent))
	}
	e := &fhir.Element{Name: full, Def: prop.Element, Type: prop.Type, Offset: -1, List: prop.Element.Max != 1}
	switch {
	case source != nil:
		return e, fill(e, source)
	case slices.ContainsFunc(part.Children, func(c *fhir.Element) bool { return c.Name == "part" }):
		return e, build(e, part)
	}
	return nil, issue(RuleSyntax, "the value is empty", "value が空です")
}

// valueOf returns the value[x] or resource of a parameter, nil for none.
func valueOf(part *fhir.Element) *fhir.Element {
	for _, c := range part.Children {
		if c.Name == "resource" || c.Def != nil && c.Def.Choice {
			return c
		}
	}
	return nil
}

// property finds the property behind a name, which for a choice may be its
// stem; the type of the value then tells which.
func property(parent *r4.Type, name string, source *fhir.Element) (prop r4.Property, full string, ok bool) {
	if parent == nil {
		return prop, "", false
	}
	if prop, ok = parent.Property(name); ok {
		return prop, name, true
	}
	if source == nil || source.Type == nil || name == "" {
		return prop, "", false
	}
	full = name + strings.ToUpper(source.Type.Name[:1]) + source.Type.Name[1:]
	prop, ok = parent.Property(full)
	return prop, full, ok && prop.Element.Choice && prop.Element.Name == name
}

// fill gives an element the value and children of another. A primitive may be
// of another type with the same JSON form, a string for a code for instance;
// a complex one must be of the type, or its children must fit it.
func fill(e, source *fhir.Element) error {
	if source.ResourceType() != "" {
		if e.Type.Kind != r4.Resource {
			return mismatch(e)
		}
		copied := source.Clone()
		e.Type, e.Children = copied.Type, copied.Children
		return nil
	}
	if e.Type.Kind == r4.Primitive != (source.Type.Kind == r4.Primitive) || e.Type.Kind == r4.Resource {
		return mismatch(e)
	}
	if source.Kind != fhir.None {
		if !fits(e.Type, source) {
			return mismatch(e)
		}
		e.SetValue(source.Value)
	}
	for _, c := range source.Children {
		if err := fillChild(e, c); err != nil {
			return err
		}
	}
	return nil
}

// fits reports whether a primitive value can be one of the type.
func fits(t *r4.Type, source *fhir.Element) bool {
	if fhir.KindOf(t) != source.Kind {
		return false
	}
	whole := !strings.ContainsAny(source.Value, ".eE")
	return t.Name == "decimal" || source.Kind != fhir.Number || whole
}

func fillChild(e, source *fhir.Element) error {
	prop, ok := e.Type.Property(source.Name)
	if !ok {
		return mismatch(e)
	}
	child := &fhir.Element{Name: source.Name, Def: prop.Element, Type: prop.Type, Offset: -1, List: prop.Element.Max != 1}
	if err := fill(child, source); err != nil {
		return err
	}
	place(e, child)
	return nil
}

// build gives an element its children by parts: each names one and has its
// value, or parts again.
func build(e, part *fhir.Element) error {
	for p := range part.All("part") {
		child, err := elementFrom(e.Type, p.Text("name"), p)
		if err != nil {
			return err
		}
		for _, s := range e.Children {
			if s.Def == child.Def && child.Def.Max == 1 {
				return issue(RuleTarget, "the value has an element twice that does not repeat", "値に繰り返さない要素が 2 つあります")
			}
		}
		place(e, child)
	}
	return nil
}

// place puts a child behind its siblings of the same name, or where the
// definition of the parent has it.
func place(parent, child *fhir.Element) {
	order := orderOf(parent, child)
	at, among := 0, false
	for i, s := range parent.Children {
		switch {
		case s.Name == child.Name: // a source may be out of order; a list stays together
			at, among = i+1, true
		case !among && orderOf(parent, s) <= order:
			at = i + 1
		}
	}
	parent.Children = slices.Insert(parent.Children, at, child)
}

func orderOf(parent, child *fhir.Element) int {
	if p, ok := parent.Type.Property(child.Name); ok {
		return p.Order
	}
	return -1
}

func mismatch(e *fhir.Element) error {
	return issue(RuleTarget, "the value is not of the type %s", "値の型が %s ではありません", typeName(e.Type))
}

func typeName(t *r4.Type) string {
	if t == nil {
		return "?"
	}
	return t.Name
}
