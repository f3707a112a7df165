package search

import "github.com/kaigofhir/kaigofhir/fhir/r4"

// Query is one search as the storage engines see it.
type Query struct {
	// Types are the resource types searched; empty means every type.
	Types []string
	// Where are the criteria; all must hold.
	Where []Clause
	// Must is the caller's visibility. Its zero value sees nothing.
	Must Must
	// Sort is the order; ties, and an empty Sort, fall back to the newest
	// lastUpdated first, then type and id.
	Sort []SortKey
	// Count is the page size; 0 asks for no resources, only the total.
	Count int
	// After is the opaque position of the last resource of the page before,
	// "" for the first page.
	After string
	// AsOf is the sequence number of the snapshot to search; 0 is now.
	AsOf uint64
	// Total asks for the number of matches.
	Total TotalMode
	// Parts, where set, makes contained resources results. Expectations have
	// none.
	Parts *Parts
	// Keys asks for the index keys of the resources, where the engine has
	// them at hand.
	Keys bool
}

// TotalMode is the _total parameter.
type TotalMode string

// The ways to count.
const (
	TotalNone     TotalMode = "none"
	TotalEstimate TotalMode = "estimate"
	TotalAccurate TotalMode = "accurate"
)

// SortKey is one key of _sort.
type SortKey struct {
	Param      *Parameter
	Descending bool
}

// Clause is one criterion: name[:modifier]=value,value….
type Clause struct {
	Param    *Parameter
	Modifier Modifier
	// Values are alternatives; one that matches is enough. A Clause with a
	// Chain, Has or Contained has none of its own.
	Values []Value
	// Missing is the answer asked of the modifier :missing.
	Missing bool
	// Chain follows Param, a reference, to resources of these types that
	// meet a further criterion (subject:Patient.name=…).
	Chain *Chain
	// Has is a reverse chain; Param is nil then.
	Has *Has
	// Any, where not empty, makes the clause a disjunction of conjunctions
	// (_filter); the other fields are unset then. Not negates the clause.
	Any [][]Clause
	Not bool
	// Contained looks at the resources contained in the resource; Param is nil
	// then.
	Contained *Contained
}

// Chain is a forward chain. The target must be visible to the caller too.
type Chain struct {
	Types []string
	Where Clause
}

// Has is a reverse chain: there is a visible resource of Type that refers by
// Reference to the resource and meets Where.
type Has struct {
	Type      string
	Reference *Parameter
	Where     Clause
}

// Modifier of a parameter, without the colon.
// https://hl7.org/fhir/R4/search.html#modifiers
type Modifier string

// The modifiers. A type modifier (:Patient) is kept in the values instead.
const (
	ModifierNone       Modifier = ""
	ModifierMissing    Modifier = "missing"
	ModifierExact      Modifier = "exact"
	ModifierContains   Modifier = "contains"
	ModifierText       Modifier = "text"
	ModifierNot        Modifier = "not"
	ModifierIn         Modifier = "in"
	ModifierNotIn      Modifier = "not-in"
	ModifierAbove      Modifier = "above"
	ModifierBelow      Modifier = "below"
	ModifierOfType     Modifier = "of-type"
	ModifierIdentifier Modifier = "identifier"
)

// What only _filter asks for; no query string can name these.
// https://hl7.org/fhir/R4/search_filter.html
const (
	ModifierWhole   Modifier = "=whole"   // the whole string, folded
	ModifierEnds    Modifier = "=ends"    // the end of a string, folded
	ModifierUnequal Modifier = "=unequal" // there is a value, and it is another
)

// Parameter is a search parameter ready for use: of the base specification or
// custom, with its compiled expression. Two parameters are the same when
// Code and URL are.
type Parameter struct {
	*r4.SearchParameter
	// Components are the parts of a composite parameter.
	Components []*Parameter
}

// Prefix of an ordered value. https://hl7.org/fhir/R4/search.html#prefix
type Prefix string

// The prefixes. Equal is also what no prefix means.
const (
	Equal        Prefix = "eq"
	NotEqual     Prefix = "ne"
	Greater      Prefix = "gt"
	Less         Prefix = "lt"
	GreaterEqual Prefix = "ge"
	LessEqual    Prefix = "le"
	StartsAfter  Prefix = "sa"
	EndsBefore   Prefix = "eb"
	Approximate  Prefix = "ap"
)

// Value is one parsed value of a criterion. Which fields are set follows from
// the parameter's type; Raw is always the unescaped text.
type Value struct {
	Raw    string
	Prefix Prefix
	// token: System is nil where the query has no "|", and points to ""
	// for "|code". quantity: System and Code are those of the unit.
	System *string
	Code   string
	// reference: Type and ID of a local reference (Type may be "" when only
	// an id was given), or URL of an absolute one.
	Type, ID, URL string
	// number and quantity: the number as written, and the range of the
	// written precision (of a tenth to either side for ap), as decimals.
	Number, Low, High string
	// quantity in a UCUM unit: Code, Number, Low and High in the canonical
	// unit of its dimension.
	Canonical *Value
	// date: the range in UTC microseconds since 1970, High exclusive.
	From, To int64
	// composite: one value for each component.
	Parts []Value
	// near
	Near *Near
}
