// Package fhirxml reads and writes the XML form of FHIR R4 without loss,
// narratives included. It has its own XML reader: one that knows neither
// document types nor entities, so that no document can make it fetch or expand
// anything. https://hl7.org/fhir/R4/xml.html
package fhirxml

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// Options bounds decoding. The zero value has the default limits.
type Options struct {
	MaxBytes int // default 16 MiB
	MaxDepth int // default 64 elements inside one another, narratives not counted
	// AnyOrder takes elements that are out of order, as some published
	// definitions have them, and puts them into order.
	AnyOrder bool
}

const (
	defaultBytes = 16 << 20
	defaultDepth = 64
	// narrativeDepth bounds the nesting inside a narrative.
	narrativeDepth = 256
)

// The namespaces.
const (
	fhirNamespace  = "http://hl7.org/fhir"
	xhtmlNamespace = "http://www.w3.org/1999/xhtml"
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
	xmlNamespace   = "http://www.w3.org/XML/1998/namespace"
)

// Decode reads one resource. It refuses document types, entities, bad UTF-8,
// content that R4 does not define and elements out of order; the error is a
// fhir.Issues with an expression, a line and a column for every problem found.
// Lexical checks of primitives (is it a date?) are the validator's, but for
// numbers and booleans that JSON could not hold. Comments and processing
// instructions outside narratives are left out. The tree does not refer to
// data.
func Decode(data []byte, opts Options) (*fhir.Element, error) {
	limit := opts.MaxBytes
	if limit <= 0 {
		limit = defaultBytes
	}
	if len(data) > limit {
		return nil, tooLong(len(data), limit)
	}
	d := decoder{scanner: scanner{src: string(data)}, maxDepth: opts.MaxDepth, anyOrder: opts.AnyOrder}
	if d.maxDepth <= 0 {
		d.maxDepth = defaultDepth
	}
	root := d.document()
	if issues := d.problems.Issues(d.src); issues != nil {
		return nil, issues
	}
	return root, nil
}

// Append writes a resource, without white space, to the end of dst. Children
// go in the order of their definitions, whatever their order in the tree.
// Elements without content and properties unknown to R4 are left out, for XML
// has no place for them; characters that XML cannot hold become U+FFFD.
func Append(dst []byte, resource *fhir.Element) []byte {
	w := writer{dst: dst}
	w.resource(resource, true)
	return w.dst
}

// AppendIndent writes a resource for people to read, two blanks a level.
// Narratives stay as they are.
func AppendIndent(dst []byte, resource *fhir.Element) []byte {
	w := writer{dst: dst, indent: true}
	w.resource(resource, true)
	return append(w.dst, '\n')
}
