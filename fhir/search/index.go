package search

import "github.com/kaigofhir/kaigofhir/fhir"

// Registry knows the search parameters in force: those of R4 and custom ones.
// It is immutable; adding a parameter makes a new Registry.
type Registry struct{ registryState }

type registryState struct{} // owned by registry.go

// NewRegistry returns a registry of the base parameters and the custom ones,
// given as SearchParameter resources.
func NewRegistry(custom ...*fhir.Element) (*Registry, error) { panic("contract") }

// Lookup finds a parameter by resource type and name.
func (r *Registry) Lookup(resourceType, code string) (*Parameter, bool) { panic("contract") }

// Parse reads the raw query string of a search on a type ("" for all types).
// What is not a criterion (_sort, _count, _include, _summary, …) comes back in
// Directives. Unknown parameters are returned in Unknown rather than refused.
// Errors are fhir.Issues.
func (r *Registry) Parse(resourceType, rawQuery string) (Request, error) { panic("contract") }

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

// Keys returns the index keys of a resource, sorted, without duplicates. A
// key is the parameter's code, 0x00, a kind byte and bytes that sort as the
// value does. Engines store keys as they are and never look inside.
func (r *Registry) Keys(resource *fhir.Element) ([][]byte, error) { panic("contract") }

// Range is a half-open range of index keys [Low, High). Keep, where not nil,
// tells whether a key inside the range is a match.
type Range struct {
	Low, High []byte
	Keep      func(key []byte) bool
}

// Ranges compiles a clause without Chain, Has and Any into key ranges: a
// resource meets the clause when one of its keys lies in one of the ranges, or,
// with negate, when none does. It fails on a clause that cannot be answered
// from the index.
func (c Clause) Ranges() (ranges []Range, negate bool, err error) { panic("contract") }

// ReferenceKey returns the key under which a resource that refers by the
// parameter to a local resource is found; chains and includes are made of it.
func ReferenceKey(p *Parameter, targetType, targetID string) []byte { panic("contract") }

// References returns the local references ("Patient", "1") among the keys of
// a resource under a parameter; it is the reverse of ReferenceKey.
func References(p *Parameter, keys [][]byte) []Reference { panic("contract") }

// Reference is a local, typed reference.
type Reference struct{ Type, ID string }

// SortValue returns the bytes by which a resource with these keys sorts under
// a parameter (its lowest value, the highest for descending order); nil where
// it has none, which sorts last.
func SortValue(p *Parameter, keys [][]byte, descending bool) []byte { panic("contract") }

// Resolver gives Match the other resources it needs for chains.
type Resolver interface {
	// Resource returns a visible resource by type and id, nil if none.
	Resource(resourceType, id string) *fhir.Element
	// All returns every visible resource of a type.
	All(resourceType string) []*fhir.Element
}

// Match evaluates the criteria on a resource from its content alone, without
// keys. It is slow and plain on purpose: the oracle the engines are compared
// with.
func (r *Registry) Match(where []Clause, resource *fhir.Element, res Resolver) (bool, error) {
	panic("contract")
}
