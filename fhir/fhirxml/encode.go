package fhirxml

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// writer appends tags to dst.
type writer struct {
	dst    []byte
	indent bool
	depth  int
}

// resource writes an element named after its resource type.
func (w *writer) resource(e *fhir.Element, root bool) {
	name := e.ResourceType()
	w.line()
	w.write("<", name)
	if root {
		w.write(` xmlns="`, fhirNamespace, `"`)
	}
	w.body(name, e)
}

// body writes what follows the attributes of an element. It reports whether
// there were child elements.
func (w *writer) body(name string, e *fhir.Element) bool {
	start := len(w.dst)
	w.write(">")
	w.depth++
	for _, c := range ordered(e) {
		w.element(c)
	}
	w.depth--
	if len(w.dst) == start+1 {
		w.dst = append(w.dst[:start], "/>"...)
		return false
	}
	w.line()
	w.write("</", name, ">")
	return true
}

// element writes a child element, nothing where it has no content.
func (w *writer) element(e *fhir.Element) {
	if e.Type == nil || e.Def != nil && e.Def.XMLAttribute {
		return
	}
	start := len(w.dst)
	w.line()
	if e.Type.Name == "xhtml" {
		if e.Value == "" {
			w.dst = w.dst[:start]
			return
		}
		w.write(wellFormed(e.Value))
		return
	}
	w.write("<", e.Name)
	if e.Type.Kind == r4.Resource {
		w.write(">")
		w.depth++
		w.resource(e, false)
		w.depth--
		w.line()
		w.write("</", e.Name, ">")
		return
	}
	attributes := w.attributes(e)
	if !w.body(e.Name, e) && !attributes {
		w.dst = w.dst[:start]
	}
}

// attributes writes the attributes of an element and reports whether there
// were any.
func (w *writer) attributes(e *fhir.Element) bool {
	start := len(w.dst)
	for _, c := range e.Children {
		if c.Def != nil && c.Def.XMLAttribute && c.Value != "" {
			w.attribute(c.Name, c.Value)
		}
	}
	if e.Kind != fhir.None && e.Value != "" {
		w.attribute("value", e.Value)
	}
	return len(w.dst) > start
}

func (w *writer) attribute(name, value string) {
	w.write(" ", name, `="`)
	w.dst = append(appendEscaped(w.dst, value), '"')
}

func (w *writer) write(parts ...string) {
	for _, p := range parts {
		w.dst = append(w.dst, p...)
	}
}

// line begins a new line where the output is for people.
func (w *writer) line() {
	if !w.indent || len(w.dst) == 0 {
		return
	}
	w.dst = append(w.dst, '\n')
	for range w.depth {
		w.dst = append(w.dst, "  "...)
	}
}

// ordered returns the children in the order of the type's elements, which is
// nearly always the order they have.
func ordered(e *fhir.Element) []*fhir.Element {
	at := 0
	for _, c := range e.Children {
		for at < len(e.Type.Elements) && e.Type.Elements[at] != c.Def {
			at++
		}
		if at == len(e.Type.Elements) {
			return reordered(e)
		}
	}
	return e.Children
}

func reordered(e *fhir.Element) []*fhir.Element {
	place := func(c *fhir.Element) int { return slices.Index(e.Type.Elements, c.Def) }
	out := slices.DeleteFunc(slices.Clone(e.Children), func(c *fhir.Element) bool { return place(c) < 0 })
	slices.SortStableFunc(out, func(a, b *fhir.Element) int { return cmp.Compare(place(a), place(b)) })
	return out
}

// appendEscaped writes a text so that it may stand in an attribute or between
// tags. White space other than the blank is written as a reference, for XML
// readers do not keep it otherwise.
func appendEscaped(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf && escaped[c] == "" {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		replacement := ""
		switch {
		case r < utf8.RuneSelf:
			replacement = escaped[r]
		case r == utf8.RuneError && n == 1, !allowed(r):
			replacement = "\ufffd"
		}
		if replacement != "" {
			dst = append(append(dst, s[start:i]...), replacement...)
			start = i + n
		}
		i += n
	}
	return append(dst, s[start:]...)
}

// escaped holds what ASCII characters are written as, "" for themselves.
var escaped = func() (t [utf8.RuneSelf]string) {
	for c := range rune(0x20) {
		t[c] = "\ufffd"
	}
	t['\t'], t['\n'], t['\r'] = "&#x9;", "&#xA;", "&#xD;"
	t['&'], t['<'], t['>'], t['"'] = "&amp;", "&lt;", "&gt;", "&quot;"
	return t
}()
