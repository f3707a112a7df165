package fhirjson

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// unknown refuses a property R4 does not define or, on request, keeps it as
// elements without definition and type.
func (d *decoder) unknown(o *object, name string, at int) bool {
	if !d.keepUnknown {
		return d.report(at, "element-unknown", d.path.Expression(name),
			fhir.Messagef("%s has no property %q", "%sにプロパティ%qはありません", o.Type.Name, fhir.Clip(name))) && d.skip(d.depth)
	}
	return d.keep(o.kept, name, at)
}

// maxKept bounds the unknown properties of one object, among which duplicates
// are searched one by one.
const maxKept = 256

// keep reads a value of any kind. The names of unknown properties that its
// object has so far begin at base.
func (d *decoder) keep(base int, name string, at int) bool {
	if slices.Contains(d.kept[base:], name) {
		return d.duplicate(name, at)
	}
	if len(d.kept)-base == maxKept {
		d.problems.Add(at, fhir.Issue{
			Severity: fhir.Fatal, Code: fhir.TooCostly, ID: "limit-unknown", Expression: d.path.Expression(),
			Message: fhir.Messagef("more than %d unknown properties", "未知のプロパティが%d個を超えています", maxKept),
		})
		return false
	}
	d.kept = append(d.kept, name)
	d.path = append(d.path, fhir.Step{Name: fhir.Clip(name), Index: fhir.NoIndex})
	ok := d.keepValue(name)
	d.path = d.path[:len(d.path)-1]
	return ok
}

func (d *decoder) keepValue(name string) bool {
	if d.space() != '[' {
		return d.keepOne(name, false)
	}
	d.pos++
	if d.space() == ']' {
		d.pos++
		return d.report(d.pos-2, "json-empty-array", d.path.Expression(),
			fhir.Messagef("an array must not be empty", "配列は空であってはなりません"))
	}
	for i, more := 0, true; more; i++ {
		d.path[len(d.path)-1].Index = i
		if !d.keepOne(name, true) {
			return false
		}
		var ok bool
		if more, ok = d.next(']'); !ok {
			return false
		}
	}
	return true
}

// keepOne reads one unknown value that is not an array.
func (d *decoder) keepOne(name string, list bool) bool {
	c := d.space()
	e := d.newElement()
	e.Name, e.List = name, list
	d.pending = append(d.pending, e)
	ok := true
	switch {
	case c == '{':
		return d.keepObject(e)
	case c == '"':
		e.Kind = fhir.String
		e.Value, ok = d.str()
	case c == 't':
		e.Kind, e.Value = fhir.Boolean, "true"
		ok = d.word("true")
	case c == 'f':
		e.Kind, e.Value = fhir.Boolean, "false"
		ok = d.word("false")
	case c == '-' || '0' <= c && c <= '9':
		e.Kind = fhir.Number
		e.Value, ok = d.number()
	default:
		return d.wrongKind("a value other than null and an array in an array", "null・入れ子の配列以外の値") && d.skip(d.depth)
	}
	return ok
}

func (d *decoder) keepObject(e *fhir.Element) bool {
	if d.depth++; d.depth > d.maxDepth {
		return d.tooDeep()
	}
	base, kept := len(d.pending), len(d.kept)
	d.pos++
	if d.space() == '}' {
		d.pos++
		d.depth--
		return d.report(d.pos-1, "json-empty-object", d.path.Expression(),
			fhir.Messagef("an object must not be empty", "オブジェクトは空であってはなりません"))
	}
	for more := true; more; {
		name, at, ok := d.name()
		if !ok || !d.keep(kept, name, at) {
			return false
		}
		if more, ok = d.next('}'); !ok {
			return false
		}
	}
	e.Children = d.seal(base)
	d.kept = d.kept[:kept]
	d.depth--
	return true
}
