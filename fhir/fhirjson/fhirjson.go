// Package fhirjson reads and writes the JSON form of FHIR R4 without loss.
// https://hl7.org/fhir/R4/json.html
package fhirjson

import (
	"bytes"
	"encoding/json"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Options bounds and relaxes decoding. The zero value is strict, with the
// default limits.
type Options struct {
	MaxBytes    int  // default 16 MiB
	MaxDepth    int  // default 64 objects inside one another
	KeepUnknown bool // keep properties R4 does not define instead of refusing them
	KeepEmpty   bool // keep empty strings, which published packages have, instead of refusing them
}

const (
	defaultBytes = 16 << 20
	defaultDepth = 64
)

// Decode reads one resource. It refuses bad UTF-8, duplicate names, content
// that R4 does not define and values of the wrong JSON kind; the error is a
// fhir.Issues with an expression, a line and a column for every problem found.
// Lexical checks of primitives (is it a date?) are the validator's. The tree
// does not refer to data.
func Decode(data []byte, opts Options) (*fhir.Element, error) {
	d := decoder{maxDepth: opts.MaxDepth, keepUnknown: opts.KeepUnknown, keepEmpty: opts.KeepEmpty}
	if d.maxDepth <= 0 {
		d.maxDepth = defaultDepth
	}
	limit := opts.MaxBytes
	if limit <= 0 {
		limit = defaultBytes
	}
	if len(data) > limit {
		return nil, tooLong(len(data), limit)
	}
	d.src = string(data)
	root := d.document()
	if issues := d.problems.Issues(d.src); issues != nil {
		return nil, issues
	}
	return root, nil
}

// Append writes a resource, without white space, to the end of dst. Elements
// that hold neither a value nor content are left out.
func Append(dst []byte, resource *fhir.Element) []byte {
	dst, _ = appendObject(dst, resource)
	return dst
}

// AppendIndent writes a resource for people to read, two blanks a level.
func AppendIndent(dst []byte, resource *fhir.Element) []byte {
	b := bytes.NewBuffer(dst)
	if err := json.Indent(b, Append(nil, resource), "", "  "); err != nil {
		panic("fhirjson: Append wrote bad JSON: " + err.Error()) // a bug here, not in the data
	}
	return b.Bytes()
}
