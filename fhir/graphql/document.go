// Package graphql answers GraphQL queries on FHIR R4 resources: a parser for
// the query language and an executor with FHIR's additions (filters by child
// values and FHIRPath, resolution of references, reverse searches, flattening).
// It reads; there are no mutations.
// https://hl7.org/fhir/R4/graphql.html https://spec.graphql.org/June2018/
package graphql

// Document is a parsed GraphQL document. It is immutable.
type Document struct {
	operations []*operation
	fragments  map[string]*fragment
}

type operation struct {
	kind      string // query, mutation or subscription
	name      string
	variables []variable
	selection []selection
}

// variable is a declared variable of an operation.
type variable struct {
	name     string
	required bool
	fallback *argValue // default value, nil if there is none
}

type fragment struct {
	name, on  string
	selection []selection
}

// selection is a field, a fragment spread or an inline fragment.
type selection struct {
	line, column int
	field        *field
	spread       string      // name of a fragment, for a spread
	inline       *fragment   // with on "" where there is no type condition
	directives   []directive // of the spread or inline fragment
}

type field struct {
	alias, name string // alias is name where none is given
	arguments   []argument
	directives  []directive
	selection   []selection
}

type directive struct {
	name      string
	arguments []argument
}

type argument struct {
	name  string
	value argValue
}

// argValue is a value as written: a variable, a list, an object or a scalar.
type argValue struct {
	variable string
	list     []argValue // for kind list
	object   []argument // for kind object
	text     string     // scalar: unescaped
	kind     valueKind
}

type valueKind uint8

const (
	scalar valueKind = iota
	variableValue
	list
	object
	null
)
