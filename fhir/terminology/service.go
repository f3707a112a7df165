// Package terminology answers questions about codes: is a code in a value
// set, what does it mean, what is it in another system. Memory answers from
// resources held in memory; Service is the contract that an outside
// terminology server can fill as well.
//
// An answer has three values. What cannot be known here (SNOMED CT and LOINC
// are not part of the FHIR specification) is Unknown, never No: a validator
// must not flag what nobody checked.
// https://hl7.org/fhir/R4/terminology-service.html
package terminology

import (
	"context"
	"errors"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Verdict is the answer to "is it so?".
type Verdict uint8

// The verdicts. Unknown is the zero value.
const (
	Unknown Verdict = iota
	Yes
	No
)

// String returns "unknown", "yes" or "no".
func (v Verdict) String() string {
	return [...]string{"unknown", "yes", "no"}[min(v, No)]
}

// or is the verdict of "a or b".
func (v Verdict) or(w Verdict) Verdict {
	switch {
	case v == Yes || w == Yes:
		return Yes
	case v == No && w == No:
		return No
	}
	return Unknown
}

// and is the verdict of "a and b".
func (v Verdict) and(w Verdict) Verdict {
	switch {
	case v == No || w == No:
		return No
	case v == Yes && w == Yes:
		return Yes
	}
	return Unknown
}

// not is the verdict of "not a".
func (v Verdict) not() Verdict {
	switch v {
	case Yes:
		return No
	case No:
		return Yes
	}
	return Unknown
}

// The errors of a Service, wrapped with the canonical or code in question.
var (
	// ErrUnknownSystem: the code system, or enough of it, is not held here.
	ErrUnknownSystem = errors.New("code system is not known")
	// ErrUnknownCode: the code system is held and has no such code.
	ErrUnknownCode = errors.New("code is not in the code system")
	// ErrUnknownValueSet: the value set, or one it imports, is not held here.
	ErrUnknownValueSet = errors.New("value set is not known")
	// ErrUnknownMap: no concept map fits the question.
	ErrUnknownMap = errors.New("concept map is not known")
	// ErrTooCostly: the expansion is larger than the limit allows.
	ErrTooCostly = errors.New("expansion is too large")
	// ErrCircular: a value set imports itself.
	ErrCircular = errors.New("value set imports itself")
)

// Service answers questions about codes. Implementations are safe for
// concurrent use. A canonical may carry a version ("url|1.0"); a version that
// is not held falls back to the one that is.
type Service interface {
	// Lookup tells what a code means. Errors: ErrUnknownSystem, ErrUnknownCode.
	// https://hl7.org/fhir/R4/codesystem-operation-lookup.html
	Lookup(ctx context.Context, req LookupRequest) (Concept, error)
	// Validate tells whether codes are in a value set or code system. What it
	// cannot know is a verdict of Unknown, not an error.
	// https://hl7.org/fhir/R4/valueset-operation-validate-code.html
	Validate(ctx context.Context, req ValidateRequest) (Validation, error)
	// Expand lists the codes of a value set. Errors: ErrUnknownValueSet,
	// ErrUnknownSystem, ErrTooCostly, ErrCircular.
	// https://hl7.org/fhir/R4/valueset-operation-expand.html
	Expand(ctx context.Context, req ExpandRequest) (Expansion, error)
	// Subsumes tells how two codes of one system stand to each other. Errors:
	// ErrUnknownSystem, ErrUnknownCode.
	// https://hl7.org/fhir/R4/codesystem-operation-subsumes.html
	Subsumes(ctx context.Context, req SubsumesRequest) (Subsumption, error)
	// Translate finds what a code is in another system. Errors: ErrUnknownMap.
	// https://hl7.org/fhir/R4/conceptmap-operation-translate.html
	Translate(ctx context.Context, req TranslateRequest) (Translation, error)
}

// Coding is a code in a system. An empty Display is not checked.
type Coding struct{ System, Version, Code, Display string }

// LookupRequest asks for the meaning of a code. Language ("ja") chooses the
// display among the designations; "" takes the code system's own.
type LookupRequest struct {
	System, Version, Code string
	Language              string
}

// Concept is what a code system says of a code.
type Concept struct {
	System, SystemName, Version string
	Code, Display, Definition   string
	Abstract, Inactive          bool
	Designations                []Designation
	Properties                  []Property
}

// Designation is a further text for a concept.
type Designation struct {
	Language, Value string
	Use             Coding
}

// Property is a value a code system gives a concept. Type is the FHIR type of
// the value (code, Coding, string, integer, boolean, dateTime, decimal).
type Property struct{ Code, Type, Value string }

// ValidateRequest asks whether at least one coding is in a value set. Exactly
// one of ValueSet (canonical) and Resource (a ValueSet at hand) says which;
// with neither, the codings are checked against their code systems.
type ValidateRequest struct {
	ValueSet string
	Resource *fhir.Element
	// Codings of one element: one for a code or Coding, all of them for a
	// CodeableConcept.
	Codings []Coding
	// InferSystem takes the system of a bare code from the value set, for
	// elements of type code.
	InferSystem bool
	// Language is that of the displays, "" where it is not known.
	Language string
}

// Validation is the answer to a ValidateRequest. Issues name every reason
// with one of the ids of this package (IssueUnknownCode …).
type Validation struct {
	Verdict Verdict
	// Match is the coding that is in the value set, with the display the code
	// system prefers.
	Match  Coding
	Issues fhir.Issues
	// Coding holds for each issue the index of the coding it is about, -1 for
	// an issue about the whole.
	Coding []int
}

// The ids of the issues of a Validation.
const (
	IssueUnknownSystem   = "tx-system-unknown"
	IssueUnknownValueSet = "tx-value-set-unknown"
	IssueUnknownCode     = "tx-code-unknown"
	IssueNotInValueSet   = "tx-not-in-value-set"
	IssueDisplay         = "tx-display-wrong"
	IssueInactive        = "tx-code-inactive"
)

// ExpandRequest asks for the codes of a value set: ValueSet (canonical) or
// Resource (a ValueSet at hand).
type ExpandRequest struct {
	ValueSet string
	Resource *fhir.Element
	// Filter keeps the codes whose code, display or designation contains all
	// its words, regardless of case.
	Filter        string
	Offset, Count int // a Count of 0 means all, up to the limit of the service
	Language      string
	ActiveOnly    bool
	// Nested keeps the hierarchy of a value set that is one whole code
	// system, where neither Filter nor a page is asked for.
	Nested bool
	// Designations asks for the designations of every code.
	Designations bool
}

// Expansion is the content of a value set. Total counts the codes before
// paging.
type Expansion struct {
	URL, Version string
	Total        int
	Offset       int
	Contains     []Contained
	// Systems are the code systems ("url|version") the codes were taken from.
	Systems []string
}

// Contained is one code of an expansion. An abstract one groups others and
// must not be used as a value.
type Contained struct {
	Coding
	Abstract, Inactive bool
	Designations       []Designation
	Contains           []Contained
}

// SubsumesRequest asks how code A stands to code B.
type SubsumesRequest struct{ System, Version, A, B string }

// Subsumption says how two codes stand to each other.
// https://hl7.org/fhir/R4/valueset-concept-subsumption-outcome.html
type Subsumption string

// The outcomes of Subsumes.
const (
	Equivalent  Subsumption = "equivalent"
	SubsumesB   Subsumption = "subsumes"
	SubsumedByB Subsumption = "subsumed-by"
	NotSubsumed Subsumption = "not-subsumed"
)

// TranslateRequest asks what a coding is elsewhere: by one concept map (URL
// or Resource), or by all maps whose source and target fit. Reverse reads the
// maps from target to source.
type TranslateRequest struct {
	URL          string
	Resource     *fhir.Element
	Coding       Coding
	Source       string // value set canonical, "" for any
	Target       string // value set canonical, "" for any
	TargetSystem string // code system, "" for any
	Reverse      bool
}

// Translation is what was found. Found is false where the maps only say that
// there is no match.
type Translation struct {
	Found   bool
	Matches []Match
}

// Match is one translation of a code.
// https://hl7.org/fhir/R4/valueset-concept-map-equivalence.html
type Match struct {
	Equivalence string
	Coding      Coding
	Source      string // the concept map
	Comment     string
}
