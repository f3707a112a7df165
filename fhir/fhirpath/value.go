package fhirpath

import (
	"iter"

	"github.com/cockroachdb/apd/v3"

	"github.com/kaigofhir/kaigofhir/fhir"
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
type Decimal struct{ apd.Decimal }

// TypeInfo is what type() returns.
// https://hl7.org/fhirpath/N1/#reflection
type TypeInfo struct{ Namespace, Name string }

func (Node) value()      {}
func (Boolean) value()   {}
func (String) value()    {}
func (Integer) value()   {}
func (*Decimal) value()  {}
func (*TypeInfo) value() {}

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
