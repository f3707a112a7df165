package fhirxml

import (
	"html"
	"slices"
	"strings"
)

// narrative reads the XHTML element whose start tag the scanner is at, up to
// its end tag, and returns it as a text that stands for itself: as it was
// written, but for namespace prefixes, which become a default namespace.
// https://hl7.org/fhir/R4/narrative.html
func (s *scanner) narrative() (string, bool) {
	var b strings.Builder
	level, copied := len(s.open), s.token.start
	for first := true; ; first = false {
		t := s.token
		if t.kind == startTag && !s.checkXHTML(level) {
			return "", false
		}
		if tag := t.kind == startTag || t.kind == endTag && t.end > t.start; tag && t.name.prefix != "" {
			b.WriteString(s.src[copied:t.nameAt])
			copied = t.nameAt + len(t.name.prefix) + 1
		}
		if first && !slices.ContainsFunc(t.attributes, func(a attribute) bool { return a.String() == "xmlns" }) {
			end := t.nameAt + len(t.name.String())
			b.WriteString(s.src[copied:end] + ` xmlns="` + xhtmlNamespace + `"`)
			copied = end
		}
		if len(s.open) < level {
			b.WriteString(s.src[copied:t.end])
			return b.String(), true
		}
		if len(s.open) > level+narrativeDepth {
			return "", s.fail(t.start, "nested too deep", "入れ子が深すぎます")
		}
		if !s.next() {
			return "", false
		}
	}
}

// checkXHTML checks that the start tag is XHTML and leans on no prefix that is
// declared outside of the narrative, whose tags begin at level.
func (s *scanner) checkXHTML(level int) bool {
	if s.namespace(s.token.name.prefix) != xhtmlNamespace {
		return s.fail(s.token.start, "an element that is not XHTML", "XHTMLではない要素があります")
	}
	for _, a := range s.token.attributes {
		if a.prefix == "" || a.prefix == "xml" || a.prefix == "xmlns" {
			continue
		}
		inside := func(b binding) bool { return b.prefix == a.prefix && b.depth >= level }
		if !slices.ContainsFunc(s.scope, inside) {
			return s.fail(a.at, "a prefix declared outside", "外側で宣言された接頭辞があります")
		}
	}
	return true
}

// wellFormed returns a narrative from elsewhere as XML that can stand inside a
// resource. Named entities of HTML, which XML does not know, become
// characters; what still is not XML becomes text.
func wellFormed(div string) string {
	if out, ok := reread(div); ok {
		return out
	}
	if out, ok := reread(withoutEntities(div)); ok {
		return out
	}
	return `<div xmlns="` + xhtmlNamespace + `">` + string(appendEscaped(nil, div)) + `</div>`
}

func reread(div string) (string, bool) {
	s := scanner{src: div, scope: []binding{{"", xhtmlNamespace, 0}}}
	if badCharacter(div) >= 0 || !s.next() || s.token.kind != startTag || s.token.start != 0 || s.token.name.local != "div" {
		return "", false
	}
	out, ok := s.narrative()
	return out, ok && s.pos == len(div)
}

// withoutEntities replaces HTML's named entities, those of XML excepted.
func withoutEntities(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexByte(s, ';') + 1
		if _, n := reference(s); n == 0 && end > 0 && end < 32 {
			b.WriteString(html.UnescapeString(s[:end]))
			s = s[end:]
			continue
		}
		b.WriteByte('&')
		s = s[1:]
	}
}
