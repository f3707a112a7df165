// Package fhirjson reads and writes the JSON form of FHIR R4 without loss.
// https://hl7.org/fhir/R4/json.html
package fhirjson

import "github.com/kaigofhir/kaigofhir/fhir"

// Options bounds and relaxes decoding. The zero value is strict, with the
// default limits.
type Options struct {
	MaxBytes    int  // default 16 MiB
	MaxDepth    int  // default 64
	KeepUnknown bool // keep properties R4 does not define instead of refusing them
}

// Decode reads one resource. It refuses bad UTF-8, duplicate names, content
// that R4 does not define and values of the wrong JSON kind; the error is a
// fhir.Issues with an expression, a line and a column for every problem found.
// Lexical checks of primitives (is it a date?) are the validator's.
func Decode(data []byte, opts Options) (*fhir.Element, error) { panic("contract") }

// Append writes a resource, without white space, to the end of dst.
func Append(dst []byte, resource *fhir.Element) []byte { panic("contract") }

// AppendIndent writes a resource for people to read, two blanks a level.
func AppendIndent(dst []byte, resource *fhir.Element) []byte { panic("contract") }
