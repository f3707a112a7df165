package search

import (
	"bytes"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// tokenItem is one code found in a resource. An empty system is none.
// https://hl7.org/fhir/R4/search.html#token
type tokenItem struct {
	system, code string
	text         string // what :text searches
	// The type of an identifier, for :of-type.
	ofType               bool
	typeSystem, typeCode string
}

// tokens appends the codes of an element.
func (x *extraction) tokens(dst []tokenItem, e *fhir.Element) []tokenItem {
	switch e.Type.Name {
	case "Coding":
		return appendToken(dst, tokenItem{system: e.Text("system"), code: e.Text("code"), text: e.Text("display")})
	case "CodeableConcept":
		for c := range e.All("coding") {
			dst = x.tokens(dst, c)
		}
		return appendToken(dst, tokenItem{text: e.Text("text")})
	case "Identifier":
		return identifierTokens(dst, e)
	case "ContactPoint":
		return appendToken(dst, tokenItem{code: e.Text("value")})
	case "code":
		return appendToken(dst, tokenItem{system: x.systemOf(e), code: e.Value})
	}
	if e.Kind != fhir.None {
		return appendToken(dst, tokenItem{code: e.Value})
	}
	return dst
}

// identifierTokens gives the identifier itself, with the text of its type,
// and once more for each further coding of the type.
func identifierTokens(dst []tokenItem, e *fhir.Element) []tokenItem {
	it := tokenItem{system: e.Text("system"), code: e.Text("value")}
	typ := e.Get("type")
	it.text = typ.Text("text")
	first := true
	for c := range typ.All("coding") {
		of := it
		of.ofType, of.typeSystem, of.typeCode = true, clean(c.Text("system")), clean(c.Text("code"))
		if !first {
			of.text = ""
		}
		first = false
		dst = appendToken(dst, of)
	}
	if first {
		dst = appendToken(dst, it)
	}
	return dst
}

func appendToken(dst []tokenItem, it tokenItem) []tokenItem {
	it.system, it.code, it.text = clean(it.system), clean(it.code), clean(it.text)
	if it.system == "" && it.code == "" && it.text == "" {
		return dst
	}
	return append(dst, it)
}

// hasCode tells a code from an item that only carries text.
func (it *tokenItem) hasCode() bool { return it.code != "" || it.system != "" }

func (it *tokenItem) keys(k *keys) {
	if it.hasCode() {
		k.begin(kindToken)
		k.text(strings.ToLower(it.code)).sep().text(it.system).end()
	}
	if k.atoms {
		return
	}
	if it.text != "" {
		k.begin(kindTokenText)
		k.buf = appendFold(k.buf, it.text)
		if start := len(k.prefix) + 1; len(k.buf)-k.start() > start+queryLimit {
			k.buf = k.buf[:k.start()+start+queryLimit]
		}
		k.end()
	}
	if it.ofType {
		k.begin(kindOfType)
		k.text(foldCode(it.code)).sep().text(foldCode(it.typeCode)).sep().text(it.typeSystem).end()
	}
}

// matches compares without keys.
func (it *tokenItem) matches(v *Value, m Modifier) bool {
	switch m {
	case ModifierText:
		return it.text != "" && strings.HasPrefix(Fold(it.text), Fold(v.Raw))
	case ModifierOfType:
		typ, value := &v.Parts[0], &v.Parts[1]
		return it.ofType && foldCode(it.code) == foldCode(value.Code) &&
			foldCode(it.typeCode) == foldCode(typ.Code) && it.typeSystem == *typ.System
	case ModifierUnequal:
		return it.hasCode() && !tokenMatches(it.system, it.code, v)
	}
	return tokenMatches(it.system, it.code, v) && it.hasCode()
}

func tokenMatches(system, code string, v *Value) bool {
	if v.System != nil {
		if system != *v.System {
			return false
		}
		if v.Code == "" {
			return system != ""
		}
	}
	return foldCode(code) == foldCode(v.Code)
}

// tokenRanges compiles one value; kind is that of the keys, so that the
// identifiers of references can share it.
func tokenRanges(kind byte, v *Value, m Modifier) []Range {
	switch m {
	case ModifierText:
		return []Range{startingWith(appendFold([]byte{kindTokenText}, v.Raw))}
	case ModifierOfType:
		key := append(appendText([]byte{kindOfType}, foldCode(v.Parts[1].Code)), 0)
		key = append(appendText(key, foldCode(v.Parts[0].Code)), 0)
		return []Range{exactly(appendText(key, *v.Parts[0].System))}
	case ModifierUnequal:
		return othersThan(tokenRanges(kind, v, ModifierNone), kind)
	}
	if v.System != nil && v.Code == "" {
		return []Range{systemRange(kind, *v.System)}
	}
	key := append(appendText([]byte{kind}, foldCode(v.Code)), 0)
	if v.System == nil {
		return []Range{startingWith(key)}
	}
	return []Range{exactly(appendText(key, *v.System))}
}

// othersThan reads the keys of some kinds that are in none of the ranges.
func othersThan(ranges []Range, kinds ...byte) []Range {
	out := make([]Range, len(kinds))
	for i, kind := range kinds {
		out[i] = startingWith([]byte{kind})
		out[i].Keep = func(atom []byte) bool { return !inside(ranges, atom) }
	}
	return out
}

// systemRange finds every code of a system. The keys start with the code, so
// that most queries, which name one, stay narrow; this one reads them all.
func systemRange(kind byte, system string) Range {
	want := appendText(nil, system)
	r := startingWith([]byte{kind})
	r.Keep = func(atom []byte) bool {
		_, have := field(atom[1:])
		return bytes.Equal(have, want)
	}
	return r
}

// parseToken reads [system|]code, or system|code|value under :of-type.
func parseToken(raw string, m Modifier) (Value, string) {
	v := Value{Raw: unescape(raw)}
	parts := splitEscaped(raw, '|')
	switch {
	case m == ModifierText:
		return v, tooLong(v.Raw)
	case m == ModifierOfType:
		if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
			return v, "system|code|value is expected"
		}
		system := unescape(parts[0])
		v.Parts = []Value{{Raw: system, System: &system, Code: unescape(parts[1])}, {Raw: unescape(parts[2]), Code: unescape(parts[2])}}
		return v, ""
	case len(parts) > 2:
		return v, "more than one | in a token"
	case len(parts) == 2:
		system := unescape(parts[0])
		v.System, v.Code = &system, unescape(parts[1])
		if system == "" && v.Code == "" {
			return v, "a token of neither system nor code"
		}
	default:
		v.Code = v.Raw
	}
	return v, ""
}
