package fhirxml

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// decoder turns tags into elements.
type decoder struct {
	scanner
	maxDepth, depth int
	anyOrder        bool
	problems        fhir.Problems
	path            fhir.Path
}

// document reads the whole text as one resource.
func (d *decoder) document() *fhir.Element {
	if !d.checkCharacters() || !d.read() {
		return nil
	}
	if d.token.kind != startTag {
		d.fatal(d.token.start, fhir.Structure, "xml-syntax", fhir.Messagef("a resource is an element", "リソースは要素でなければなりません"))
		return nil
	}
	root := &fhir.Element{}
	d.path = fhir.Path{{Index: fhir.NoIndex}}
	if !d.resource(root) || !d.read() {
		return nil
	}
	if d.token.kind != endOfText {
		d.fatal(d.token.start, fhir.Structure, "xml-syntax", fhir.Messagef("content after the resource", "リソースの後に余分な内容があります"))
	}
	return root
}

// resource reads an element whose name is its resource type. Like all readers
// of elements it is called at the start tag and returns at the end tag.
func (d *decoder) resource(e *fhir.Element) bool {
	t, ok := r4.TypeByName(d.token.name.local)
	if !ok || t.Kind != r4.Resource || t.Abstract {
		return d.report(d.token.start, "resource-type-unknown", d.path.Expression(),
			fhir.Messagef("%q is not a resource type of R4", "%qはR4のリソース型ではありません", fhir.Clip(d.token.name.local))) && d.skip()
	}
	if d.namespace(d.token.name.prefix) != fhirNamespace {
		return d.wrongNamespace(t.Name) && d.skip()
	}
	if len(d.path) == 1 {
		d.path[0].Name = t.Name
	}
	e.Type = t
	return d.content(e)
}

func (d *decoder) wrongNamespace(local string) bool {
	return d.report(d.token.start, "xml-namespace", d.path.Expression(),
		fhir.Messagef("<%s> is not in the namespace it belongs to", "<%s>の名前空間が正しくありません", fhir.Clip(local)))
}

// content reads attributes and children of an element whose Type is known.
func (d *decoder) content(e *fhir.Element) bool {
	if d.depth++; d.depth > d.maxDepth {
		return d.tooDeep()
	}
	e.Offset = int32(d.token.start)
	for _, a := range d.token.attributes {
		if !d.attributeOf(e, a) {
			return false
		}
	}
	ok := d.children(e)
	d.depth--
	return ok
}

func (d *decoder) tooDeep() bool {
	return d.fatal(d.token.start, fhir.TooCostly, "limit-depth",
		fhir.Messagef("nested more than %d levels deep", "入れ子が%d段を超えています", d.maxDepth))
}

// attributeOf makes the value or a child of an attribute.
func (d *decoder) attributeOf(e *fhir.Element, a attribute) bool {
	if a.prefix == "xmlns" || a.prefix == "" && a.local == "xmlns" || d.namespace(a.prefix) == xsiNamespace {
		return true
	}
	prop, ok := e.Type.Property(a.local)
	switch {
	case a.prefix == "" && a.local == "value" && e.Type.Kind == r4.Primitive:
		return d.value(e, a)
	case a.prefix == "" && ok && prop.Element.XMLAttribute:
		child := &fhir.Element{Name: prop.Name, Def: prop.Element, Type: prop.Type, Offset: int32(a.at)}
		e.Children = append(e.Children, child)
		d.push(prop.Element.Name)
		ok = d.value(child, a)
		d.pop()
		return ok
	}
	return d.report(a.at, "element-unknown", d.path.Expression(),
		fhir.Messagef("%s has no attribute %q", "%sに属性%qはありません", e.Type.Name, fhir.Clip(a.String())))
}

func (d *decoder) push(name string) {
	d.path = append(d.path, fhir.Step{Name: name, Index: fhir.NoIndex})
}

func (d *decoder) pop() { d.path = d.path[:len(d.path)-1] }

// value gives a primitive its value.
func (d *decoder) value(e *fhir.Element, a attribute) bool {
	e.Kind, e.Value = fhir.KindOf(e.Type), a.value
	switch {
	case a.value == "":
		return d.report(a.at, "xml-empty", d.path.Expression(), fhir.Messagef("a value must not be empty", "値は空であってはなりません"))
	case e.Kind == fhir.Number && fhir.NumberLen(a.value) != len(a.value):
		return d.report(a.at, "xml-value", d.path.Expression(), fhir.Messagef("a number is expected here", "ここには数値が必要です"))
	case e.Kind == fhir.Boolean && a.value != "true" && a.value != "false":
		return d.report(a.at, "xml-value", d.path.Expression(), fhir.Messagef("true or false is expected here", "ここにはtrueまたはfalseが必要です"))
	}
	return true
}

// skip reads over the rest of an element.
func (d *decoder) skip() bool {
	for level := len(d.open); len(d.open) >= level; {
		if !d.read() {
			return false
		}
		if len(d.open) > 2*d.maxDepth+narrativeDepth {
			return d.tooDeep()
		}
	}
	return true
}
