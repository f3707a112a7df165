package search

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// Registry knows the search parameters in force: those of R4 and custom ones.
// It is immutable; adding a parameter makes a new Registry.
type Registry struct{ registryState }

// Request is a parsed query string.
type Request struct {
	Query      Query
	Directives Directives
	Unknown    []string
}

// Directives are the result parameters of a search.
// https://hl7.org/fhir/R4/search.html#Summary
type Directives struct {
	Include, RevInclude []Include
	Summary             string   // "", true, text, data, count, false
	Elements            []string // _elements
	Contained           string   // _contained: false, true, both
	ContainedType       string   // container, contained
	CountGiven          bool     // _count was in the query
	SortGiven           bool
	TotalGiven          bool
	Format              string // _format
	Pretty              string // _pretty
	Cursor              string // the server's own paging parameter, opaque here
}

// Include is one _include or _revinclude: Source:Param[:Target], or "*".
type Include struct {
	Source   string
	Param    *Parameter // nil for "*"
	Target   string
	Iterate  bool
	Wildcard bool
}

// Range is a half-open range of index keys [Low, High). Keep, where not nil,
// tells whether a key inside the range is a match.
type Range struct {
	Low, High []byte
	Keep      func(key []byte) bool
}

// Reference is a local, typed reference.
type Reference struct{ Type, ID string }

// Resolver gives Match the other resources it needs for chains.
type Resolver interface {
	// Resource returns a visible resource by type and id, nil if none.
	Resource(resourceType, id string) *fhir.Element
	// All returns every visible resource of a type.
	All(resourceType string) []*fhir.Element
}
