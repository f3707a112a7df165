package patch

import (
	"bytes"
	"io"

	"github.com/cockroachdb/apd/v3"
	"github.com/go-json-experiment/json/jsontext"
)

// valueKind is the sort of a JSON value.
type valueKind uint8

const (
	nullKind valueKind = iota
	falseKind
	trueKind
	numberKind
	stringKind
	arrayKind
	objectKind
)

// value is a JSON value that keeps the order of members and the digits of
// numbers.
type value struct {
	kind    valueKind
	text    string // of a string, unescaped, or a number, as written
	items   []*value
	members []member
	// emptied tells that an operation took something out: left without
	// content, it is not written.
	emptied bool
}

type member struct {
	name  string
	value *value
}

// The limits of a document.
const (
	maxDocument = 16 << 20 // bytes
	maxDepth    = 100
	maxValues   = 1 << 20
)

// parseValue reads one JSON document. Names must be unique in an object.
func parseValue(data []byte) (*value, error) {
	if len(data) > maxDocument {
		return nil, issue(RuleCost, "the patch is too large", "パッチが大きすぎます")
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	v, err := read(d, 0)
	if err == nil {
		if _, end := d.ReadToken(); end != io.EOF {
			err = end
			if err == nil {
				err = io.ErrUnexpectedEOF
			}
		}
	}
	if err != nil {
		return nil, issue(RuleSyntax, "the patch is not well-formed JSON", "パッチが正しい JSON ではありません")
	}
	return v, nil
}

func read(d *jsontext.Decoder, depth int) (*value, error) {
	if depth > maxDepth {
		return nil, io.ErrShortBuffer
	}
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case 'n':
		return &value{kind: nullKind}, nil
	case 'f':
		return &value{kind: falseKind}, nil
	case 't':
		return &value{kind: trueKind}, nil
	case '0':
		return &value{kind: numberKind, text: tok.String()}, nil
	case '"':
		return &value{kind: stringKind, text: tok.String()}, nil
	case '[':
		return readArray(d, depth)
	}
	return readObject(d, depth)
}

func readArray(d *jsontext.Decoder, depth int) (*value, error) {
	v := &value{kind: arrayKind}
	for d.PeekKind() != ']' {
		item, err := read(d, depth+1)
		if err != nil {
			return nil, err
		}
		v.items = append(v.items, item)
	}
	_, err := d.ReadToken()
	return v, err
}

func readObject(d *jsontext.Decoder, depth int) (*value, error) {
	v := &value{kind: objectKind}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		m := member{name: name.String()}
		if m.value, err = read(d, depth+1); err != nil {
			return nil, err
		}
		v.members = append(v.members, m)
	}
	_, err := d.ReadToken()
	return v, err
}

// appendTo writes the value, without what was emptied.
func (v *value) appendTo(dst []byte) []byte {
	switch v.kind {
	case falseKind:
		return append(dst, "false"...)
	case trueKind:
		return append(dst, "true"...)
	case numberKind:
		return append(dst, v.text...)
	case stringKind:
		dst, _ = jsontext.AppendQuote(dst, v.text) // valid UTF-8: it was read
		return dst
	case arrayKind:
		return v.appendArray(dst)
	case objectKind:
		return v.appendObject(dst)
	}
	return append(dst, "null"...)
}

func (v *value) appendArray(dst []byte) []byte {
	dst = append(dst, '[')
	first := true
	for _, item := range v.items {
		if item.gone() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = item.appendTo(dst)
	}
	return append(dst, ']')
}

func (v *value) appendObject(dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for _, m := range v.members {
		if m.value.gone() {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst, _ = jsontext.AppendQuote(dst, m.name)
		dst = append(dst, ':')
		dst = m.value.appendTo(dst)
	}
	return append(dst, '}')
}

// gone reports whether operations left the value without content.
func (v *value) gone() bool {
	if len(v.items) == 0 && len(v.members) == 0 {
		return v.emptied
	}
	for _, item := range v.items {
		if !item.gone() {
			return false
		}
	}
	for _, m := range v.members {
		if !m.value.gone() {
			return false
		}
	}
	return true
}

// member returns the member of an object, nil where there is none.
func (v *value) member(name string) *value {
	for _, m := range v.members {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// string returns the string of a member, "" where it is none.
func (v *value) string(name string) string {
	if m := v.member(name); m != nil && m.kind == stringKind {
		return m.text
	}
	return ""
}

// clone returns a deep copy and counts its values off a budget.
func (v *value) clone(budget *int) *value {
	*budget--
	if *budget < 0 {
		return v
	}
	c := *v
	c.items, c.members = nil, nil
	for _, item := range v.items {
		c.items = append(c.items, item.clone(budget))
	}
	for _, m := range v.members {
		c.members = append(c.members, member{m.name, m.value.clone(budget)})
	}
	return &c
}

// equal compares as the test operation does: numbers by value, objects
// without regard to order. https://www.rfc-editor.org/rfc/rfc6902#section-4.6
func (v *value) equal(o *value) bool {
	if v.kind != o.kind || len(v.items) != len(o.items) || len(v.members) != len(o.members) {
		return false
	}
	switch v.kind {
	case numberKind:
		return equalNumbers(v.text, o.text)
	case stringKind:
		return v.text == o.text
	}
	for i, item := range v.items {
		if !item.equal(o.items[i]) {
			return false
		}
	}
	for _, m := range v.members {
		if other := o.member(m.name); other == nil || !m.value.equal(other) {
			return false
		}
	}
	return true
}

func equalNumbers(a, b string) bool {
	if a == b {
		return true
	}
	x, _, errX := apd.NewFromString(a)
	y, _, errY := apd.NewFromString(b)
	return errX == nil && errY == nil && ordinary(x) && ordinary(y) && x.Cmp(y) == 0
}

// ordinary keeps numbers from comparison that would take as many digits as
// their exponent says.
func ordinary(d *apd.Decimal) bool { return d.Exponent > -1000 && d.Exponent < 1000 }
