package fhirxml

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// progress is how far the children of an element have been read.
type progress struct {
	order, index int
	name         string
	text         bool // stray text was reported
	mixed        bool // out of order, and allowed to be
}

// children reads the child elements up to the end tag.
func (d *decoder) children(e *fhir.Element) bool {
	at := d.token.start
	p := progress{order: -1}
	for d.read() {
		switch d.token.kind {
		case text:
			if !p.text && !d.strayText() {
				return false
			}
			p.text = true
		case startTag:
			if !d.child(e, &p) {
				return false
			}
		default:
			if p.mixed {
				slices.SortStableFunc(e.Children, func(a, b *fhir.Element) int { return orderOf(e, a) - orderOf(e, b) })
			}
			if len(e.Children) == 0 && e.Kind == fhir.None && e.Type.Kind != r4.Resource {
				return d.report(at, "xml-empty", d.path.Expression(), fhir.Messagef("an element must have a value or content", "要素には値か内容が必要です"))
			}
			return true
		}
	}
	return false
}

func (d *decoder) strayText() bool {
	at := d.token.start
	for strings.IndexByte(" \t\r\n", d.src[at]) >= 0 {
		at++
	}
	return d.report(at, "xml-text", d.path.Expression(),
		fhir.Messagef("text outside a narrative", "ナラティブ以外の場所に文字列があります"))
}

// child reads one child element.
func (d *decoder) child(e *fhir.Element, p *progress) bool {
	local := d.token.name.local
	prop, ok := e.Type.Property(local)
	if !ok || prop.Element.XMLAttribute {
		return d.report(d.token.start, "element-unknown", d.path.Expression(local),
			fhir.Messagef("%s has no element %q", "%sに要素%qはありません", e.Type.Name, fhir.Clip(local))) && d.skip()
	}
	want := fhirNamespace
	if prop.Type.Name == "xhtml" {
		want = xhtmlNamespace
	}
	if d.namespace(d.token.name.prefix) != want {
		return d.wrongNamespace(local) && d.skip()
	}
	d.push(prop.Element.Name)
	defer d.pop()
	if !d.inOrder(prop, p) {
		return false
	}
	c := &fhir.Element{Name: prop.Name, Def: prop.Element, Type: prop.Type, List: prop.Element.Max != 1, Offset: int32(d.token.start)}
	if c.List {
		d.path[len(d.path)-1].Index = p.index
	}
	e.Children = append(e.Children, c)
	switch prop.Type.Name {
	case "xhtml":
		return d.narrativeOf(c)
	case "Resource":
		return d.slot(c)
	}
	return d.content(c)
}

// inOrder checks that a child stands where its definition puts it.
func (d *decoder) inOrder(prop r4.Property, p *progress) bool {
	ok := true
	switch {
	case prop.Order < p.order && d.anyOrder:
		p.mixed, p.index = true, 0
	case prop.Order < p.order:
		ok = d.report(d.token.start, "xml-order", d.path.Expression(),
			fhir.Messagef("%q stands after %q, but belongs before it", "「%s」は「%s」より前に置かなければなりません", prop.Name, p.name))
		p.index = 0
	case prop.Order > p.order:
		p.index = 0
	case prop.Name != p.name:
		ok = d.report(d.token.start, "xml-choice", d.path.Expression(),
			fhir.Messagef("%s[x] may have one type only", "%s[x]に指定できる型は一つだけです", prop.Element.Name))
	case prop.Element.Max == 1:
		ok = d.report(d.token.start, "xml-repeated", d.path.Expression(),
			fhir.Messagef("%q may stand only once", "「%s」は一度しか使えません", prop.Name))
	default:
		p.index++
	}
	p.order, p.name = max(p.order, prop.Order), prop.Name
	return ok
}

// orderOf is the place of a child in the definition of its parent.
func orderOf(parent, c *fhir.Element) int {
	p, _ := parent.Type.Property(c.Name)
	return p.Order
}

// slot reads an element that holds one resource, such as contained.
// https://hl7.org/fhir/R4/references.html#contained
func (d *decoder) slot(e *fhir.Element) bool {
	at, filled := d.token.start, false
	for _, a := range d.token.attributes {
		if !d.attributeOf(e, a) {
			return false
		}
	}
	for d.read() {
		switch d.token.kind {
		case text:
			if !d.strayText() {
				return false
			}
		case startTag:
			if filled {
				if !d.report(d.token.start, "xml-repeated", d.path.Expression(), fhir.Messagef("one resource only may stand here", "ここに置けるリソースは一つだけです")) || !d.skip() {
					return false
				}
				continue
			}
			filled = true
			if !d.resource(e) {
				return false
			}
		default:
			if !filled {
				return d.report(at, "xml-empty", d.path.Expression(), fhir.Messagef("a resource is expected here", "ここにはリソースが必要です"))
			}
			return true
		}
	}
	return false
}

// narrativeOf reads the div of a narrative as its text.
func (d *decoder) narrativeOf(e *fhir.Element) bool {
	e.Kind = fhir.String
	var ok bool
	if e.Value, ok = d.narrative(); !ok {
		return d.fatal(d.fault.at, fhir.Structure, d.fault.id, fhir.Message{En: "narrative: " + d.fault.en, Ja: "ナラティブ: " + d.fault.ja})
	}
	return true
}
