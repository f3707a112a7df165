package search

import (
	"bytes"
	"errors"
	"slices"
)

// errNotIndexed is what Ranges returns, wrapped, for a clause that must be
// taken apart first.
var errNotIndexed = errors.New("search: the clause cannot be answered from the index alone")

// Ranges compiles a clause without Chain, Has, Any and Contained into key ranges: a
// resource meets the clause when one of its keys lies in one of the ranges, or,
// with negate, when none does. It fails on a clause that cannot be answered
// from the index.
func (c Clause) Ranges() (ranges []Range, negate bool, err error) {
	if c.Param == nil || c.Chain != nil || c.Has != nil || len(c.Any) > 0 || c.Contained != nil {
		return nil, false, errNotIndexed
	}
	prefix := keyPrefix(c.Param.Code)
	negate = c.Not
	switch c.Modifier {
	case ModifierMissing:
		return []Range{startingWith(prefix)}, negate != c.Missing, nil
	case ModifierNot, ModifierNotIn:
		negate = !negate
	}
	for i := range c.Values {
		for _, r := range c.Param.valueRanges(&c.Values[i], c.Modifier, false) {
			ranges = append(ranges, r.under(prefix))
		}
	}
	return ranges, negate, nil
}

// valueRanges compiles one value into ranges of atoms; part tells that the
// parameter is a component of a composite.
func (p *Parameter) valueRanges(v *Value, m Modifier, part bool) []Range {
	if fullText(p.Code) {
		return gramRanges(v)
	}
	switch p.Type {
	case "token":
		return tokenRanges(kindToken, v, m)
	case "string":
		return stringRanges(v, m)
	case "reference":
		return referenceRanges(v, m)
	case "date":
		return dateRanges(v, part)
	case "number":
		return numberRanges(v)
	case "quantity":
		return quantityRanges(v)
	case "uri":
		return uriRanges(v, m)
	case "composite":
		return p.compositeRanges(v)
	case "special":
		return nearRanges(v)
	}
	return nil
}

// SortValue returns the bytes by which a resource with these keys sorts under
// a parameter (its lowest value, the highest for descending order); nil where
// it has none, which sorts last. The keys must be sorted, as Keys returns
// them. Dates sort by their start, strings as folded, tokens by code,
// quantities of one dimension by their canonical value.
func SortValue(p *Parameter, keys [][]byte, descending bool) []byte {
	prefix := keyPrefix(p.Code)
	from, _ := slices.BinarySearchFunc(keys, prefix, bytes.Compare)
	var best []byte
	for _, key := range keys[from:] {
		atom, ok := bytes.CutPrefix(key, prefix)
		if !ok {
			break
		}
		value := sortBytes(atom)
		if value != nil && (best == nil || p.before(value, best, descending)) {
			best = value
		}
	}
	return best
}

// before tells which of two values of one resource it sorts by. What has a
// canonical unit is compared in it in both directions.
func (p *Parameter) before(a, b []byte, descending bool) bool {
	if p.Type == "quantity" {
		if ca, cb := a[0] == kindCanonical, b[0] == kindCanonical; ca != cb {
			return ca
		}
	}
	return (bytes.Compare(a, b) > 0) == descending && !bytes.Equal(a, b)
}

// sortBytes returns the part of an atom that sorts, nil for kinds that only
// serve other searches.
func sortBytes(atom []byte) []byte {
	if len(atom) < 2 {
		return nil
	}
	switch atom[0] {
	case kindDate, kindSpan:
		return atom[1:9]
	case kindString:
		folded, _ := field(atom[1:])
		return folded
	case kindToken, kindReference, kindURL, kindNumber, kindInterval:
		return atom[1:]
	case kindQuantity, kindBetween: // after those with a canonical unit
		return append([]byte{kindQuantity}, atom[1:]...)
	case kindCanonical, kindCanonicals:
		return append([]byte{kindCanonical}, atom[1:]...)
	}
	return nil
}
