package search

import (
	"bytes"
	"slices"
)

// combo is a parameter of Observation that asks for a value of the observation or
// of one of its components, and the parameter that asks for that of the
// observation alone, by what their keys begin with.
// https://hl7.org/fhir/R4/observation.html#search
type combo struct{ either, alone []byte }

var combos = []combo{
	{keyPrefix("combo-code"), keyPrefix("code")},
	{keyPrefix("combo-code-value-concept"), keyPrefix("code-value-concept")},
	{keyPrefix("combo-code-value-quantity"), keyPrefix("code-value-quantity")},
	{keyPrefix("combo-data-absent-reason"), keyPrefix("data-absent-reason")},
	{keyPrefix("combo-value-concept"), keyPrefix("value-concept")},
	{keyPrefix("combo-value-quantity"), keyPrefix("value-quantity")},
}

// comboOf returns the combo whose key this is, and the rest of the key.
func comboOf(resourceType string, key []byte) (c combo, atom []byte, ok bool) {
	if resourceType != "Observation" || !bytes.HasPrefix(key, []byte("combo-")) {
		return combo{}, nil, false
	}
	for _, c := range combos {
		if atom, ok := bytes.CutPrefix(key, c.either); ok {
			return c, atom, true
		}
	}
	return combo{}, nil, false
}

// Listed tells whether an engine enters a resource, which has these sorted keys,
// in the list of one of them. It does not where AlsoIn leads to another list that
// the resource is in: an observation without components would be in two lists for
// each of its values. It is part of the format of a store.
func Listed(resourceType string, key []byte, keys [][]byte) bool {
	c, atom, ok := comboOf(resourceType, key)
	if !ok {
		return true
	}
	_, found := slices.BinarySearchFunc(keys, concat(c.alone, atom), bytes.Compare)
	return !found
}

// AlsoIn returns the range of lists which, besides those in r, hold resources
// with keys in r: those that are not Listed there.
func AlsoIn(resourceType string, r Range) (Range, bool) {
	c, atom, ok := comboOf(resourceType, r.Low)
	if !ok {
		return Range{}, false
	}
	return Range{Low: concat(c.alone, atom), High: moved(r.High, c.either, c.alone), Keep: r.keepMoved(c.alone, c.either)}, true
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
