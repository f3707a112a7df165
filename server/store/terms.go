package store

import "github.com/kaigofhir/kaigofhir/fhir/search"

// Terms is what an engine has to know about search parameters: how a criterion
// becomes ranges of index keys, and how references and sort values are read
// from keys. Engines are given FHIRTerms; the test kit also gives them terms of
// its own, whose keys are as awkward as bytes can be.
type Terms interface {
	// Ranges compiles a clause without Chain, Has, Any and Contained; see
	// search.Clause.
	Ranges(c search.Clause) (ranges []search.Range, negate bool, err error)
	// ReferenceKey is search.ReferenceKey.
	ReferenceKey(p *search.Parameter, targetType, targetID string) []byte
	// References is search.References.
	References(p *search.Parameter, keys [][]byte) []search.Reference
	// SortValue is search.SortValue.
	SortValue(p *search.Parameter, keys [][]byte, descending bool) []byte
	// Within is search.Within.
	Within(r search.Range) search.Range
	// ContainedKeys is search.ContainedKeys.
	ContainedKeys(keys [][]byte) [][][]byte
	// Timeline is search.Timeline.
	Timeline(resourceType string, key []byte) (by *search.Parameter, list []byte)
	// TimelineKind is search.TimelineKind.
	TimelineKind(key []byte) bool
	// Listed is search.Listed.
	Listed(resourceType string, key []byte, keys [][]byte) bool
	// AlsoIn is search.AlsoIn.
	AlsoIn(resourceType string, r search.Range) (search.Range, bool)
	// Hint is search.Hint.
	Hint(key []byte) []byte
}

// FHIRTerms are the terms of package search.
type FHIRTerms struct{}

var _ Terms = FHIRTerms{}

// Ranges calls search.Clause.Ranges.
func (FHIRTerms) Ranges(c search.Clause) ([]search.Range, bool, error) { return c.Ranges() }

// ReferenceKey calls search.ReferenceKey.
func (FHIRTerms) ReferenceKey(p *search.Parameter, targetType, targetID string) []byte {
	return search.ReferenceKey(p, targetType, targetID)
}

// References calls search.References.
func (FHIRTerms) References(p *search.Parameter, keys [][]byte) []search.Reference {
	return search.References(p, keys)
}

// SortValue calls search.SortValue.
func (FHIRTerms) SortValue(p *search.Parameter, keys [][]byte, descending bool) []byte {
	return search.SortValue(p, keys, descending)
}

// Within calls search.Within.
func (FHIRTerms) Within(r search.Range) search.Range { return search.Within(r) }

// ContainedKeys calls search.ContainedKeys.
func (FHIRTerms) ContainedKeys(keys [][]byte) [][][]byte { return search.ContainedKeys(keys) }

// Timeline calls search.Timeline.
func (FHIRTerms) Timeline(resourceType string, key []byte) (by *search.Parameter, list []byte) {
	return search.Timeline(resourceType, key)
}

// TimelineKind calls search.TimelineKind.
func (FHIRTerms) TimelineKind(key []byte) bool { return search.TimelineKind(key) }

// Listed calls search.Listed.
func (FHIRTerms) Listed(resourceType string, key []byte, keys [][]byte) bool {
	return search.Listed(resourceType, key, keys)
}

// AlsoIn calls search.AlsoIn.
func (FHIRTerms) AlsoIn(resourceType string, r search.Range) (search.Range, bool) {
	return search.AlsoIn(resourceType, r)
}

// Hint calls search.Hint.
func (FHIRTerms) Hint(key []byte) []byte { return search.Hint(key) }
