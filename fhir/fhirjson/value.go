package fhirjson

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// run is the reading of the repetitions of one property.
type run struct {
	prop  *r4.Property
	meta  bool // it is the "_x" of a primitive
	first int  // place of the first repetition on the stack of children
	count int  // repetitions that the other half ("x" or "_x") made, -1: it was not read
	read  int  // repetitions read so far
}

// repetitions reads the value of a property: one value, or an array of them.
func (d *decoder) repetitions(o *object, r *run) bool {
	list := r.prop.Element.Max != 1
	array := d.peek() == '['
	at := d.pos
	if list != array && !d.misplacedArray(array) {
		return false
	}
	if !array {
		if !d.repetition(o, r, list) {
			return false
		}
		return d.fits(r, at)
	}
	d.pos++
	if d.space() == ']' {
		d.pos++
		return d.report(at, "json-empty-array", d.path.Expression(),
			fhir.Messagef("an array must not be empty", "配列は空であってはなりません")) && d.placeholder(r)
	}
	for more := true; more; {
		d.path[len(d.path)-1].Index = r.read
		d.space()
		if !d.repetition(o, r, true) {
			return false
		}
		var ok bool
		if more, ok = d.next(']'); !ok {
			return false
		}
	}
	d.path[len(d.path)-1].Index = -1
	return d.fits(r, at)
}

func (d *decoder) peek() byte {
	if d.pos < len(d.src) {
		return d.src[d.pos]
	}
	return 0
}

func (d *decoder) misplacedArray(array bool) bool {
	if array {
		return d.report(d.pos, "json-array-unexpected", d.path.Expression(),
			fhir.Messagef("the element does not repeat, so its value is not an array", "繰り返しのない要素の値は配列にできません"))
	}
	return d.report(d.pos, "json-array-expected", d.path.Expression(),
		fhir.Messagef("the element may repeat, so its value is an array", "繰り返し可能な要素の値は配列でなければなりません"))
}

// fits checks that "x" and "_x" have as many repetitions.
func (d *decoder) fits(r *run, at int) bool {
	if r.count < 0 || r.count == r.read {
		return true
	}
	read := r.read
	r.read = r.count
	return d.report(at, "json-array-length", d.path.Expression(),
		fhir.Messagef(`%q and "_%[1]s" have %d and %d repetitions, but must have as many`, "「%[1]s」と「_%[1]s」の要素数が%[2]dと%[3]dで一致しません", r.prop.Name, r.count, read))
}

// placeholder stands for a repetition that could not be read, so that the
// property is known to have been there.
func (d *decoder) placeholder(r *run) bool {
	if r.count < 0 {
		d.pending = append(d.pending, d.place(r))
	}
	r.read = max(1, r.count)
	return true
}

// place returns the element for the next repetition: the one that the other
// half of the primitive made, or a new one.
func (d *decoder) place(r *run) *fhir.Element {
	if r.count >= 0 && r.read < r.count {
		return d.pending[r.first+r.read]
	}
	e := d.newElement()
	e.Name, e.Def, e.Type, e.List = r.prop.Name, r.prop.Element, r.prop.Type, r.prop.Element.Max != 1
	return e
}

// repetition reads one value of a property.
func (d *decoder) repetition(o *object, r *run, inArray bool) bool {
	e := d.place(r)
	if r.count < 0 {
		d.pending = append(d.pending, e)
	}
	r.read++
	c := d.peek()
	if c == 'n' {
		return d.null(o, r, inArray)
	}
	if r.prop.Type.Kind == r4.Primitive && !r.meta {
		e.Offset = int32(d.pos)
		return d.primitive(e, c)
	}
	if c != '{' {
		return d.wrongKind("an object", "オブジェクト") && d.skip(d.depth)
	}
	if r.prop.Type.Name == "Resource" {
		return d.resource(e)
	}
	return d.object(e)
}

// null reads a null, which only holds the place of a repetition of a primitive
// of which the other half has something to say.
func (d *decoder) null(o *object, r *run, inArray bool) bool {
	if inArray && r.prop.Type.Kind == r4.Primitive {
		o.null = true
	} else if !d.report(d.pos, "json-null", d.path.Expression(),
		fhir.Messagef("null is not a value", "nullは値として使えません")) {
		return false
	}
	return d.word("null")
}

// checkNulls refuses repetitions of which both halves are null.
func (d *decoder) checkNulls(o *object) bool {
	index := 0
	for i, e := range d.pending[o.pending:] {
		if i > 0 && d.pending[o.pending+i-1].Name == e.Name {
			index++
		} else {
			index = 0
		}
		if !e.List || e.Type == nil || e.Type.Kind != r4.Primitive || e.Kind != fhir.None || len(e.Children) > 0 {
			continue
		}
		d.path = append(d.path, fhir.Step{Name: e.Def.Name, Index: index})
		ok := d.report(int(e.Offset), "json-null", d.path.Expression(),
			fhir.Messagef("null without content in the other array", "対応する内容のないnullがあります"))
		d.path = d.path[:len(d.path)-1]
		if !ok {
			return false
		}
	}
	return true
}

// primitive reads the value of a primitive, which begins with c.
func (d *decoder) primitive(e *fhir.Element, c byte) bool {
	want := fhir.KindOf(e.Type)
	ok := true
	switch {
	case c == '"' && want == fhir.String:
		e.Value, ok = d.str()
		if ok && e.Value == "" && !d.keepEmpty {
			ok = d.report(int(e.Offset), "json-empty-string", d.path.Expression(),
				fhir.Messagef("a string must not be empty", "文字列は空であってはなりません"))
		}
	case c == '-' && want == fhir.Number, '0' <= c && c <= '9' && want == fhir.Number:
		e.Value, ok = d.number()
	case c == 't' && want == fhir.Boolean:
		e.Value, ok = "true", d.word("true")
	case c == 'f' && want == fhir.Boolean:
		e.Value, ok = "false", d.word("false")
	default:
		k := kindNames[want]
		ok = d.wrongKind(k.En, k.Ja) && d.skip(d.depth)
	}
	e.Kind = want
	return ok
}

var kindNames = map[fhir.Kind]fhir.Message{
	fhir.String:  {En: "a string", Ja: "文字列"},
	fhir.Number:  {En: "a number", Ja: "数値"},
	fhir.Boolean: {En: "true or false", Ja: "trueまたはfalse"},
}

// wrongKind notes that the value is not of the JSON kind its type asks for.
func (d *decoder) wrongKind(en, ja string) bool {
	return d.report(d.pos, "json-kind", d.path.Expression(),
		fhir.Message{En: en + " is expected here", Ja: "ここには" + ja + "が必要です"})
}
