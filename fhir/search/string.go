package search

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Lengths, in bytes of folded text. A string longer than a window has further
// keys that overlap by queryLimit, so that every part of it that a query may
// ask for lies whole in one key.
const (
	queryLimit   = 120
	windowLength = 2 * queryLimit
	longestText  = 32 << 10 // of a string; what is beyond is not found
)

// stringItem is one string found in a resource.
// https://hl7.org/fhir/R4/search.html#string
type stringItem struct {
	raw string
	// joined marks a string put together from parts (family and given), which
	// :exact does not see.
	joined bool
}

// strings appends the strings of an element: itself, or the parts of a name
// or address and the whole as people would write it without blanks.
func (x *extraction) strings(dst []stringItem, e *fhir.Element) []stringItem {
	switch e.Type.Name {
	case "HumanName":
		dst = appendParts(dst, e, "text", "family", "given", "prefix", "suffix")
		family, given := joinParts(e, "family"), joinParts(e, "given")
		if family == "" || given == "" {
			return dst
		}
		if eastern(family) {
			return append(dst, stringItem{family + given, true})
		}
		return append(dst, stringItem{given + family, true})
	case "Address":
		dst = appendParts(dst, e, "text", "line", "city", "district", "state", "postalCode", "country")
		if whole := joinParts(e, "state", "city", "district", "line"); eastern(whole) {
			return append(dst, stringItem{whole, true})
		}
		return dst
	}
	if e.Kind != fhir.None && e.Value != "" {
		dst = append(dst, stringItem{raw: cut(clean(e.Value))})
	}
	return dst
}

// cut keeps the part of a very long text that is searched.
func cut(s string) string {
	if len(s) <= longestText {
		return s
	}
	return strings.ToValidUTF8(s[:longestText], "")
}

func appendParts(dst []stringItem, e *fhir.Element, names ...string) []stringItem {
	for _, c := range e.Children {
		for _, name := range names {
			if c.Name == name && c.Value != "" {
				dst = append(dst, stringItem{raw: cut(clean(c.Value))})
			}
		}
	}
	return dst
}

func joinParts(e *fhir.Element, names ...string) string {
	whole := ""
	for _, name := range names {
		for c := range e.All(name) {
			whole += clean(c.Value)
		}
	}
	return cut(whole)
}

// eastern reports whether a name is written in kana, kanji or hangul, and so
// family name first.
func eastern(s string) bool {
	return strings.IndexFunc(s, easternRune) >= 0
}

func easternRune(r rune) bool {
	return r >= 0x2e80 && r < 0xfb00 || r >= 0xff66 && r <= 0xff9d || r >= 0x20000
}

// How the exact form follows the folded one in a key.
const (
	exactSame   = 0 // it is the same
	exactFull   = 1 // it follows
	exactNone   = 2 // there is none: the string was joined
	exactHashed = 3 // too long: cut, and a hash
)

func (it *stringItem) keys(k *keys) {
	k.begin(kindString)
	start := len(k.buf)
	k.buf = appendFold(k.buf, it.raw)
	full := len(k.buf) - start
	var long []byte
	if full >= windowLength {
		long = bytes.Clone(k.buf[start:])
		k.buf = k.buf[:start+windowLength]
	}
	same := full <= windowLength && string(k.buf[start:]) == it.raw
	k.buf = append(k.buf, 0)
	k.buf = it.appendExact(k.buf, same)
	k.end()
	if k.atoms {
		return
	}
	for i := queryLimit; i+queryLimit <= len(long); i += queryLimit {
		end := min(i+windowLength, len(long))
		k.begin(kindWindow)
		k.buf = append(append(k.buf, long[i:end]...), 0)
		if end == len(long) {
			k.buf = append(k.buf, lastWindow)
		}
		k.end()
		if end == len(long) {
			break
		}
	}
}

// lastWindow ends the key of the piece that holds the end of a string.
const lastWindow = 1

func (it *stringItem) appendExact(dst []byte, same bool) []byte {
	switch {
	case it.joined:
		return append(dst, exactNone)
	case same:
		return append(dst, exactSame)
	case len(it.raw) > longest:
		return appendText(append(dst, exactHashed), it.raw)
	}
	return append(append(dst, exactFull), it.raw...)
}

func (it *stringItem) matches(v *Value, m Modifier) bool {
	switch m {
	case ModifierExact:
		return !it.joined && it.raw == v.Raw
	case ModifierContains:
		return strings.Contains(Fold(it.raw), Fold(v.Raw))
	case ModifierWhole:
		return Fold(it.raw) == Fold(v.Raw)
	case ModifierEnds:
		return strings.HasSuffix(Fold(it.raw), Fold(v.Raw))
	case ModifierUnequal:
		return !it.joined && Fold(it.raw) != Fold(v.Raw)
	}
	return strings.HasPrefix(Fold(it.raw), Fold(v.Raw))
}

func stringRanges(v *Value, m Modifier) []Range {
	switch m {
	case ModifierExact:
		key := appendFold([]byte{kindString}, v.Raw)
		full := len(key) - 1
		if full > windowLength {
			key = key[:windowLength+1]
		}
		same := full <= windowLength && string(key[1:]) == v.Raw
		it := stringItem{raw: v.Raw}
		return []Range{exactly(it.appendExact(append(key, 0), same))}
	case ModifierContains:
		want := appendFold(nil, v.Raw)
		inFolded := startingWith([]byte{kindString})
		inFolded.Keep = func(atom []byte) bool {
			have, _ := field(atom[1:])
			return bytes.Contains(have, want)
		}
		inWindow := startingWith([]byte{kindWindow})
		inWindow.Keep = func(atom []byte) bool { return bytes.Contains(atom[1:], want) }
		return []Range{inFolded, inWindow}
	case ModifierWhole:
		return []Range{startingWith(append(appendFold([]byte{kindString}, v.Raw), 0))}
	case ModifierEnds:
		return endRanges(appendFold(nil, v.Raw))
	case ModifierUnequal:
		others := startingWith([]byte{kindString})
		whole := stringRanges(v, ModifierWhole)
		others.Keep = func(atom []byte) bool {
			_, exact := field(atom[1:])
			return exact[0] != exactNone && !inside(whole, atom)
		}
		return []Range{others}
	}
	return []Range{startingWith(appendFold([]byte{kindString}, v.Raw))}
}

// endRanges looks at strings that are whole in their key and at the last
// pieces of the others.
func endRanges(want []byte) []Range {
	short := startingWith([]byte{kindString})
	short.Keep = func(atom []byte) bool {
		have, _ := field(atom[1:])
		return len(have) < windowLength && bytes.HasSuffix(have, want)
	}
	last := startingWith([]byte{kindWindow})
	last.Keep = func(atom []byte) bool {
		have, mark := field(atom[1:])
		return len(mark) > 0 && bytes.HasSuffix(have, want)
	}
	return []Range{short, last}
}

// parseString reads a string value.
func parseString(raw string, m Modifier) (Value, string) {
	v := Value{Raw: unescape(raw)}
	if m == ModifierExact {
		return v, ""
	}
	return v, tooLong(v.Raw)
}

func tooLong(s string) string {
	if len(s) > queryLimit/2 && len(Fold(s)) > queryLimit || len(s) > 64*utf8.UTFMax*queryLimit {
		return "the value is longer than a search may be"
	}
	return ""
}
