package fhirpath

import (
	"iter"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Value is one item of a collection: a Node of a resource or a System value,
// which is one of Boolean, String, Integer, *Decimal, *Date, *DateTime, *Time,
// *Quantity and *TypeInfo. Values do not change.
// https://hl7.org/fhirpath/N1/#literals
type Value interface {
	// String returns the value as toString() does; for a complex Node the
	// name of its type.
	String() string
	value()
}

// Node is an element of a resource.
type Node struct{ *fhir.Element }

// Boolean is System.Boolean.
type Boolean bool

// String is System.String.
type String string

// Integer is System.Integer: 32 bits, arithmetic that leaves them is empty.
type Integer int32

// Decimal is System.Decimal; it keeps its trailing zeros.
type Decimal struct{ Number apd.Decimal }

// TypeInfo is what type() returns: namespace "System" or "FHIR" and a name.
// https://hl7.org/fhirpath/N1/#reflection
type TypeInfo struct{ Namespace, Name string }

func (Node) value()      {}
func (Boolean) value()   {}
func (String) value()    {}
func (Integer) value()   {}
func (*Decimal) value()  {}
func (*TypeInfo) value() {}

// String returns the primitive's text or the name of the type.
func (n Node) String() string {
	switch {
	case n.Element == nil:
		return ""
	case n.Kind != fhir.None:
		return n.Value
	case n.Type != nil:
		return n.Type.Name
	}
	return n.Name
}

// String returns "true" or "false".
func (b Boolean) String() string { return strconv.FormatBool(bool(b)) }

// String returns the string itself.
func (s String) String() string { return string(s) }

// String returns the digits.
func (i Integer) String() string { return strconv.Itoa(int(i)) }

// String returns the digits without an exponent.
func (d *Decimal) String() string { return d.Number.Text('f') }

// String returns the qualified name, "System.Integer".
func (t *TypeInfo) String() string { return t.Namespace + "." + t.Name }

// Collection is an ordered list of values; the empty one stands for unknown.
type Collection []Value

// Nodes returns the elements among the items, in order.
func (c Collection) Nodes() iter.Seq[*fhir.Element] {
	return func(yield func(*fhir.Element) bool) {
		for _, v := range c {
			if n, ok := v.(Node); ok && !yield(n.Element) {
				return
			}
		}
	}
}

// System returns the System value a FHIR primitive or Quantity stands for;
// any other value, a primitive without a value among them, as it is. Text that
// is not in the lexical form of its type becomes a String.
// https://hl7.org/fhir/R4/fhirpath.html#types
func System(v Value) Value {
	n, ok := v.(Node)
	if !ok || n.Element == nil {
		return v
	}
	if n.Type == nil {
		return unknown(n)
	}
	if n.Type.Kind != r4.Primitive {
		if isQuantity(n.Type) {
			if q, ok := quantityOf(n.Element); ok {
				return q
			}
		}
		return v
	}
	if n.Kind == fhir.None {
		return v
	}
	if s := primitive(n.Type.Name, n.Value); s != nil {
		return s
	}
	return String(n.Value)
}

// primitive returns the System value of a primitive's text, nil where the text
// is a string or has not the form of the type.
func primitive(typeName, text string) Value {
	switch typeName {
	case "boolean":
		return Boolean(text == "true")
	case "integer", "positiveInt", "unsignedInt":
		if i, err := strconv.ParseInt(text, 10, 32); err == nil {
			return Integer(i)
		}
	case "decimal":
		if d, ok := parseDecimal(text); ok {
			return d
		}
	case "date":
		if d, ok := ParseDate(text); ok {
			return d
		}
	case "dateTime", "instant":
		if d, ok := ParseDateTime(text); ok {
			return d
		}
	case "time":
		if t, ok := ParseTime(text); ok {
			return t
		}
	}
	return nil
}

// unknown returns the System value of content without a definition.
func unknown(n Node) Value {
	switch n.Kind {
	case fhir.String:
		return String(n.Value)
	case fhir.Boolean:
		return Boolean(n.Value == "true")
	case fhir.Number:
		if i, err := strconv.ParseInt(n.Value, 10, 32); err == nil {
			return Integer(i)
		}
		if d, ok := parseDecimal(n.Value); ok {
			return d
		}
	}
	return n
}

// text returns the text of a string: a String or a FHIR primitive that
// converts to one.
func text(v Value) (string, bool) {
	switch v := v.(type) {
	case String:
		return string(v), true
	case Node:
		if v.Element == nil || v.Kind != fhir.String {
			return "", false
		}
		if v.Type == nil {
			return v.Value, true
		}
		switch v.Type.Name {
		case "date", "dateTime", "instant", "time":
			return "", false
		}
		return v.Value, true
	}
	return "", false
}

// typeName names the type of a value for messages.
func typeName(v Value) string { return typeInfo(v).String() }
