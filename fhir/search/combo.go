package search

import (
	"bytes"
	"slices"
)

// combos are the parameters of Observation that ask for a value of the
// observation or of one of its components, by what their keys begin with, and
// the parameters that ask for that of the observation alone.
// https://hl7.org/fhir/R4/observation.html#search
var combos = []struct{ either, alone []byte }{
	{keyPrefix("combo-code"), keyPrefix("code")},
	{keyPrefix("combo-code-value-concept"), keyPrefix("code-value-concept")},
	{keyPrefix("combo-code-value-quantity"), keyPrefix("code-value-quantity")},
	{keyPrefix("combo-data-absent-reason"), keyPrefix("data-absent-reason")},
	{keyPrefix("combo-value-concept"), keyPrefix("value-concept")},
	{keyPrefix("combo-value-quantity"), keyPrefix("value-quantity")},
}

// Listed tells whether an engine enters a resource, which has these sorted keys,
// in the list of one of them. It does not where AlsoIn leads to another list that
// the resource is in: an observation without components would be in two lists for
// each of its values. It is part of the format of a store.
func Listed(resourceType string, key []byte, keys [][]byte) bool {
	also, ok := AlsoIn(resourceType, Range{Low: key, High: concat(key, []byte{0})})
	if !ok {
		return true
	}
	_, found := slices.BinarySearchFunc(keys, also.Low, bytes.Compare)
	return !found
}

// AlsoIn returns the range of lists which, besides those in r, hold resources
// with keys in r: those that are not Listed there.
func AlsoIn(resourceType string, r Range) (Range, bool) {
	if resourceType != "Observation" || !bytes.HasPrefix(r.Low, []byte("combo-")) {
		return Range{}, false
	}
	for _, c := range combos {
		atom, ok := bytes.CutPrefix(r.Low, c.either)
		if !ok {
			continue
		}
		return Range{Low: concat(c.alone, atom), High: moved(r.High, c.either, c.alone), Keep: r.keepMoved(c.alone, c.either)}, true
	}
	return Range{}, false
}

// moved is the end of a range, at most that of all keys with a prefix, below
// another prefix.
func moved(high, from, to []byte) []byte {
	if atom, ok := bytes.CutPrefix(high, from); ok {
		return concat(to, atom)
	}
	return append(bytes.Clone(to[:len(to)-1]), 1) // the prefix ends with 00
}

// keepMoved is Keep for keys that begin otherwise.
func (r Range) keepMoved(from, to []byte) func([]byte) bool {
	if r.Keep == nil {
		return nil
	}
	return func(key []byte) bool { return r.Keep(concat(to, key[len(from):])) }
}
