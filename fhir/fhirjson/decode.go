package fhirjson

import (
	"slices"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// decoder reads one document in one pass. Values point into src. Children are
// gathered on a stack and copied, when their parent ends, into a slab that all
// of the document shares; elements come from another, so that a document costs
// a handful of allocations.
type decoder struct {
	src         string
	pos         int
	maxDepth    int
	keepUnknown bool
	keepEmpty   bool

	problems fhir.Problems
	path     fhir.Path

	pending  []*fhir.Element // stack: the children of each open object
	kept     []string        // stack: the names of unknown properties of each open object
	elements []fhir.Element  // slab
	pointers []*fhir.Element // slab
	depth    int
}

// slot records what an open object has of one of its type's elements.
type slot struct {
	first         int32 // place of the first repetition, counted from the object's first child
	count         int32 // repetitions
	values, metas bool  // "x" was read; "_x" was read
}

// object is an open object: the element it fills and its part of the stacks.
// It lives on the goroutine's stack, so nothing may keep a pointer to it.
type object struct {
	*fhir.Element
	slots         []slot       // one for each element definition of its type
	previous      *r4.Property // last read
	pending, kept int          // where its part of the stacks begins
	null          bool         // a null was read: some primitive may have stayed empty
	typed         bool         // resourceType was read
}

// document reads the whole text as one resource.
func (d *decoder) document() *fhir.Element {
	if !utf8.ValidString(d.src) {
		d.badUTF8()
		return nil
	}
	if d.space() != '{' {
		d.syntax(d.pos, "a resource is an object", "リソースはオブジェクトでなければなりません")
		return nil
	}
	d.elements = make([]fhir.Element, 0, max(8, min(256, len(d.src)/40)))
	d.pending = make([]*fhir.Element, 0, 48)
	d.path = make(fhir.Path, 0, 8)
	root := d.newElement()
	d.path = append(d.path, fhir.Step{Index: fhir.NoIndex})
	if !d.resource(root) {
		return nil
	}
	if d.space(); d.pos < len(d.src) {
		d.syntax(d.pos, "text after the resource", "リソースの後に余分な文字があります")
	}
	return root
}

func (d *decoder) newElement() *fhir.Element {
	if len(d.elements) == cap(d.elements) {
		d.elements = make([]fhir.Element, 0, max(8, min(256, (len(d.src)-d.pos)/24)))
	}
	d.elements = d.elements[:len(d.elements)+1]
	e := &d.elements[len(d.elements)-1]
	e.Offset = int32(d.pos)
	return e
}

// resource reads an object whose type resourceType names.
func (d *decoder) resource(e *fhir.Element) bool {
	at := d.pos
	name, found, ok := d.resourceType()
	if !ok {
		return false
	}
	d.pos = at
	t, known := r4.TypeByName(name)
	switch {
	case !found:
		return d.report(at, "resource-type-missing", d.path.Expression(),
			fhir.Messagef("the resource has no resourceType", "リソースにresourceTypeがありません")) && d.skip(d.depth)
	case !known || t.Kind != r4.Resource || t.Abstract:
		return d.report(at, "resource-type-unknown", d.path.Expression(),
			fhir.Messagef("%q is not a resource type of R4", "%qはR4のリソース型ではありません", fhir.Clip(name))) && d.skip(d.depth)
	}
	e.Type = t
	if len(d.path) == 1 {
		d.path[0].Name = name
	}
	return d.object(e)
}

// resourceType looks ahead for the resourceType of the object at d.pos. It
// nearly always stands first.
func (d *decoder) resourceType() (value string, found, ok bool) {
	d.pos++
	if d.space() == '}' {
		return "", false, true
	}
	for more := true; more; {
		name, _, ok := d.name()
		if !ok {
			return "", false, false
		}
		if name == "resourceType" && d.space() == '"' {
			value, ok = d.str()
			return value, true, ok
		}
		if !d.skip(d.depth + 1) {
			return "", false, false
		}
		if more, ok = d.next('}'); !ok {
			return "", false, false
		}
	}
	return "", false, true
}

// object reads an object into e, whose Type is known.
func (d *decoder) object(e *fhir.Element) bool {
	if d.depth++; d.depth > d.maxDepth {
		return d.tooDeep()
	}
	o := object{Element: e, pending: len(d.pending), kept: len(d.kept)}
	var slots [48]slot
	if n := len(e.Type.Elements); n <= len(slots) {
		o.slots = slots[:n]
	} else {
		o.slots = make([]slot, n)
	}
	ok := d.members(&o)
	if ok && o.null {
		ok = d.checkNulls(&o)
	}
	e.Children = d.seal(o.pending)
	d.kept = d.kept[:o.kept]
	d.depth--
	return ok
}

// seal moves the children above base from the stack to the slab.
func (d *decoder) seal(base int) []*fhir.Element {
	n := len(d.pending) - base
	if n == 0 {
		return nil
	}
	if cap(d.pointers)-len(d.pointers) < n {
		d.pointers = make([]*fhir.Element, 0, max(n, cap(d.elements)))
	}
	start := len(d.pointers)
	d.pointers = append(d.pointers, d.pending[base:]...)
	d.pending = d.pending[:base]
	return slices.Clip(d.pointers[start:])
}

// members reads the members of an object.
func (d *decoder) members(o *object) bool {
	d.pos++
	if d.space() == '}' {
		d.pos++
		return d.report(d.pos-1, "json-empty-object", d.path.Expression(),
			fhir.Messagef("an object must not be empty", "オブジェクトは空であってはなりません"))
	}
	for more := true; more; {
		name, at, ok := d.name()
		if !ok || !d.member(o, name, at) {
			return false
		}
		if more, ok = d.next('}'); !ok {
			return false
		}
	}
	return true
}

// member reads the value of the member whose name stands at at.
func (d *decoder) member(o *object, name string, at int) bool {
	d.space()
	if prop := o.Type.PropertyAfter(o.previous, name); prop != nil {
		o.previous = prop
		return d.known(o, prop, at, false)
	}
	if len(name) > 1 && name[0] == '_' {
		prop := o.Type.PropertyAfter(nil, name[1:])
		if prop != nil && prop.Type.Kind == r4.Primitive && !prop.Element.XMLAttribute && prop.Type.Name != "xhtml" {
			return d.known(o, prop, at, true)
		}
	}
	if name == "resourceType" && o.Type.Kind == r4.Resource {
		if o.typed {
			return d.duplicate(name, at)
		}
		o.typed = true
		return d.skip(d.depth)
	}
	return d.unknown(o, name, at)
}

// known reads the value "x", or with meta set "_x", of a defined property.
func (d *decoder) known(o *object, prop *r4.Property, at int, meta bool) bool {
	s := o.slots[prop.Order]
	fresh := !s.values && !s.metas
	if meta && s.metas || !meta && s.values {
		if d.pending[o.pending+int(s.first)].Name == prop.Name {
			if meta {
				return d.duplicate("_"+prop.Name, at)
			}
			return d.duplicate(prop.Name, at)
		}
		fresh = false
	}
	if !fresh && d.pending[o.pending+int(s.first)].Name != prop.Name {
		return d.report(at, "json-choice", d.path.Expression(prop.Element.Name),
			fhir.Messagef("%s[x] may have one type only", "%s[x]に指定できる型は一つだけです", prop.Element.Name)) && d.skip(d.depth)
	}
	r := run{prop: prop, meta: meta, first: len(d.pending), count: -1}
	if !fresh {
		r.first, r.count = o.pending+int(s.first), int(s.count)
	}
	d.path = append(d.path, fhir.Step{Name: prop.Element.Name, Index: fhir.NoIndex})
	ok := d.repetitions(o, &r)
	d.path = d.path[:len(d.path)-1]
	s.first, s.count = int32(r.first-o.pending), int32(r.read)
	s.values, s.metas = s.values || !meta, s.metas || meta
	o.slots[prop.Order] = s
	return ok
}

func (d *decoder) duplicate(name string, at int) bool {
	return d.report(at, "json-duplicate", d.path.Expression(name),
		fhir.Messagef("the property %q stands twice", "プロパティ%qが重複しています", fhir.Clip(name))) && d.skip(d.depth)
}
