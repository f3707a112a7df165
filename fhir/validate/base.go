package validate

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// object checks a complex element or resource, on which the run stands,
// against its type in R4.
func (r *run) object(e *fhir.Element, p *plan) {
	if len(p.fields) > maxFields || len(r.path) > maxDepth {
		return
	}
	var counts [maxFields]uint16
	name, index := "", 0
	for _, c := range e.Children {
		if c.Name != name {
			name, index = c.Name, 0
		} else {
			index++
		}
		at, known := p.order[c.Def]
		if c.Def == nil || !known || c.Type == nil {
			r.unknown(c, index)
			continue
		}
		if counts[at] < 1<<16-1 {
			counts[at]++
		}
		r.push(c, index)
		r.field(c, &p.fields[at])
		r.pop()
	}
	for i := range p.fields {
		r.occurs(p.fields[i].def, int(counts[i]))
	}
	r.invariants(e, p.invariants)
}

// maxFields is more than any type of R4 has.
const maxFields = 128

func (r *run) unknown(c *fhir.Element, index int) {
	r.push(c, index)
	r.fail(fhir.Structure, "element-unknown", fhir.Messagef(
		"R4 does not define an element '%s' here", "要素 '%s' はここでは定義されていません", c.Name))
	r.pop()
}

// occurs checks how often an element of R4 occurs.
func (r *run) occurs(def *r4.Element, count int) {
	if count < def.Min {
		r.fail(fhir.Required, "element-missing", fhir.Messagef(
			"%s is required", "%s は必須です", def.Path))
	}
	if def.Max != r4.Unbounded && count > def.Max {
		r.fail(fhir.Structure, "element-repeats", fhir.Messagef(
			"%s is allowed at most %d time(s) but occurs %d time(s)", "%s は %d 個までですが %d 個あります", def.Path, def.Max, count))
	}
}

// field checks one element below another.
func (r *run) field(c *fhir.Element, f *field) {
	switch {
	case c.Type.Kind == r4.Resource:
		r.resource(c, placement{slot: c.Def.Name})
		return
	case c.Type.Kind == r4.Primitive:
		r.leaf(c)
	default:
		r.object(c, r.v.plan(c.Type))
	}
	if c.Value == "" && len(c.Children) == 0 && c.Kind == fhir.None {
		r.fail(fhir.Invariant, "ele-1", fhir.Messagef(
			"An element must have a value or children", "要素には値または子要素が必要です"))
		return
	}
	if f.binding != nil {
		r.bind(c, f.binding)
	}
	r.invariants(c, f.invariants)
	if f.profiles != nil {
		r.oneOf(c, f.profiles[c.Type.Name])
	}
	r.datatype(c)
}

// leaf checks a primitive with its id and extensions.
func (r *run) leaf(c *fhir.Element) {
	r.primitive(c)
	if len(c.Children) > 0 {
		r.object(c, r.v.plan(c.Type))
	}
}

// datatype checks what a data type asks beyond its table.
func (r *run) datatype(e *fhir.Element) {
	switch e.Type.Name {
	case "Extension":
		r.extension(e)
	case "Reference":
		r.reference(e)
	case "Coding":
		r.coded(e)
	case "Quantity", "Age", "Duration", "Distance", "Count", "MoneyQuantity", "SimpleQuantity":
		r.coded(e)
	case "Attachment":
		r.attachment(e)
	case "Identifier":
		r.identifier(e)
	case "xhtml":
		r.xhtml(e)
	case "uri", "url", "canonical":
		r.uri(e)
	}
}
