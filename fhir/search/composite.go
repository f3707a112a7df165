package search

import (
	"bytes"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// componentsAllowed bounds the combinations of one base element, so that a
// resource of very many codings cannot blow up the index.
const componentsAllowed = 512

// compositeKeys makes one key for each combination of the parts that a base
// element has. The atoms of the parts follow each other, each with 00 written
// as 00 ff and ended by 00 01, which keeps their order.
// https://hl7.org/fhir/R4/search.html#composite
func (x *extraction) compositeKeys(k *keys, b *bound, base *fhir.Element) {
	for len(x.parts) < len(b.parts) {
		x.parts = append(x.parts, keys{atoms: true})
	}
	parts := x.parts[:len(b.parts)]
	for i, part := range b.parts {
		atoms := &parts[i]
		atoms.buf, atoms.ends = atoms.buf[:0], atoms.ends[:0]
		x.partNodes = part.path.eval(x.partNodes[:0], base, x)
		for _, e := range x.partNodes {
			x.keysOf(atoms, part, e)
		}
		if len(atoms.ends) == 0 {
			return
		}
	}
	for n, combinations := 0, 1; n < combinations && n < componentsAllowed; n++ {
		combinations = 1
		k.begin(kindComposite)
		for i := range parts {
			count := len(parts[i].ends)
			k.buf = appendEscaped(k.buf, parts[i].at(n/combinations%count))
			combinations *= count
		}
		k.end()
	}
}

func appendEscaped(dst, atom []byte) []byte {
	for _, c := range atom {
		dst = append(dst, c)
		if c == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 1)
}

// cutEscaped reads the first atom and returns the rest.
func cutEscaped(b []byte) (atom, rest []byte) {
	for i := 0; i+1 < len(b); i++ {
		if b[i] != 0 {
			continue
		}
		if b[i+1] == 1 {
			return bytes.ReplaceAll(b[:i], []byte{0, 0xff}, []byte{0}), b[i+2:]
		}
		i++
	}
	return nil, nil
}

// compositeRanges compiles one value. The range is narrowed by the first part,
// and by the second where the first is a single key; Keep looks at every part.
func (p *Parameter) compositeRanges(v *Value) []Range {
	parts := make([][]Range, len(v.Parts))
	for i := range v.Parts {
		parts[i] = p.Components[i].valueRanges(&v.Parts[i], ModifierNone, true)
	}
	keep := func(key []byte) bool {
		rest := key[1:]
		for _, ranges := range parts {
			var atom []byte
			if atom, rest = cutEscaped(rest); atom == nil || !inside(ranges, atom) {
				return false
			}
		}
		return true
	}
	var out []Range
	for _, first := range parts[0] {
		for _, r := range narrow([]byte{kindComposite}, first, parts[1:]) {
			r.Keep = keep
			out = append(out, r)
		}
	}
	return out
}

// narrow gives the ranges of composite keys whose next part is in first.
func narrow(prefix []byte, first Range, rest [][]Range) []Range {
	single := len(first.High) == len(first.Low)+1 && bytes.HasPrefix(first.High, first.Low) && first.High[len(first.Low)] == 0
	if !single || len(rest) == 0 {
		return []Range{between(prefix, escapedBound(first.Low), escapedBound(first.High))}
	}
	prefix = appendEscaped(bytes.Clone(prefix), first.Low)
	var out []Range
	for _, second := range rest[0] {
		out = append(out, narrow(prefix, second, rest[1:])...)
	}
	return out
}

// escapedBound is the bound among escaped atoms that sorts as b does among
// plain ones: an atom, escaped and ended, is not before it if and only if the
// plain atom is not before b.
func escapedBound(b []byte) []byte {
	var dst []byte
	for _, c := range b {
		dst = append(dst, c)
		if c == 0 {
			dst = append(dst, 0xff)
		}
	}
	return dst
}

func inside(ranges []Range, atom []byte) bool {
	for _, r := range ranges {
		if r.Contains(atom) {
			return true
		}
	}
	return false
}

// compositeMatches looks for one base element that has every part.
func (x *extraction) compositeMatches(b *bound, base *fhir.Element, v *Value) bool {
	for i, part := range b.parts {
		found := false
		for _, e := range part.path.eval(nil, base, x) {
			if x.elementMatches(part, e, &v.Parts[i], ModifierNone) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}
