package fhirjson

import (
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// appendObject writes an element as an object. Where it has no content it
// writes nothing and reports false.
func appendObject(dst []byte, e *fhir.Element) ([]byte, bool) {
	start := len(dst)
	dst = append(dst, '{')
	if name := e.ResourceType(); name != "" {
		dst = append(append(append(dst, `"resourceType":"`...), name...), '"')
	}
	for i := 0; i < len(e.Children); {
		j := i + 1
		for j < len(e.Children) && e.Children[j].Name == e.Children[i].Name {
			j++
		}
		dst = appendRepetitions(dst, e.Children[i:j])
		i = j
	}
	if len(dst) == start+1 {
		return dst[:start], false
	}
	return append(dst, '}'), true
}

// appendRepetitions writes the repetitions of one element.
func appendRepetitions(dst []byte, reps []*fhir.Element) []byte {
	t := reps[0].Type
	if t != nil && t.Kind == r4.Primitive {
		dst = appendProperty(dst, "", reps, appendPrimitive)
		return appendProperty(dst, "_", reps, appendMeta)
	}
	return appendProperty(dst, "", reps, appendComplex)
}

// appendProperty writes a property, prefix and name, with what one makes of
// each repetition. Repetitions for which one writes nothing become null where
// they are primitives and are left out otherwise; where none writes anything
// there is no property.
func appendProperty(dst []byte, prefix string, reps []*fhir.Element, one func([]byte, *fhir.Element) ([]byte, bool)) []byte {
	start := len(dst)
	if dst[start-1] != '{' {
		dst = append(dst, ',')
	}
	if reps[0].Type == nil { // kept on request, its name may be anything
		dst = append(appendString(dst, reps[0].Name), ':')
	} else {
		dst = append(append(append(append(dst, '"'), prefix...), reps[0].Name...), '"', ':')
	}
	list := reps[0].List || len(reps) > 1
	if !list {
		dst, ok := one(dst, reps[0])
		if !ok {
			return dst[:start]
		}
		return dst
	}
	dst = append(dst, '[')
	wrote := false
	for _, e := range reps {
		before := len(dst)
		if dst[before-1] != '[' {
			dst = append(dst, ',')
		}
		var ok bool
		dst, ok = one(dst, e)
		switch {
		case ok:
			wrote = true
		case !hasContent(e):
			dst = dst[:before]
		default:
			dst = append(dst, "null"...)
		}
	}
	if !wrote {
		return dst[:start]
	}
	return append(dst, ']')
}

// hasContent reports whether a primitive has a value or children; complex
// elements that wrote nothing have none.
func hasContent(e *fhir.Element) bool {
	return e.Type != nil && e.Type.Kind == r4.Primitive && (e.Kind != fhir.None || len(e.Children) > 0)
}

func appendComplex(dst []byte, e *fhir.Element) ([]byte, bool) {
	if e.Type == nil && e.Kind != fhir.None {
		return appendPrimitive(dst, e)
	}
	return appendObject(dst, e)
}

func appendMeta(dst []byte, e *fhir.Element) ([]byte, bool) {
	if len(e.Children) == 0 {
		return dst, false
	}
	return appendObject(dst, e)
}

// appendPrimitive writes a primitive's value. A number or boolean that JSON
// could not hold is written as a string, so that the output stays JSON and the
// reader refuses it.
func appendPrimitive(dst []byte, e *fhir.Element) ([]byte, bool) {
	switch {
	case e.Kind == fhir.None:
		return dst, false
	case e.Kind == fhir.Number && e.Value != "" && fhir.NumberLen(e.Value) == len(e.Value),
		e.Kind == fhir.Boolean && (e.Value == "true" || e.Value == "false"):
		return append(dst, e.Value...), true
	}
	return appendString(dst, e.Value), true
}

const hex = "0123456789abcdef"

// appendString writes a JSON string with as few escapes as JSON allows. Bytes
// that are not UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if plain[c] {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c)
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[start:i]...)
			dst = utf8.AppendRune(dst, r)
			start = i + 1
		}
		i += n
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
