package fhirxml

import (
	"slices"
	"strings"
)

// The bounds of what is searched one by one, far above what FHIR and XHTML
// need, so that hostile input cannot make the reading slow.
const (
	maxAttributes = 64 // of one tag
	maxBindings   = 64 // namespace declarations in force
)

// start reads a start tag.
func (s *scanner) start() bool {
	at := s.pos
	s.pos++
	s.token.kind, s.token.nameAt = startTag, s.pos
	var ok bool
	if s.token.name, ok = s.name(); !ok {
		return false
	}
	for {
		spaced := s.space()
		switch {
		case strings.HasPrefix(s.src[s.pos:], "/>"):
			s.token.empty = true
			s.pos += 2
			return s.opened()
		case strings.HasPrefix(s.src[s.pos:], ">"):
			s.pos++
			return s.opened()
		case s.pos == len(s.src):
			return s.fail(at, "tag without end", "タグが閉じていません")
		case !spaced:
			return s.fail(s.pos, "white space expected between attributes", "属性の間に空白が必要です")
		case !s.attribute():
			return false
		}
	}
}

// opened does what is to be done when a start tag is complete.
func (s *scanner) opened() bool {
	s.token.end = s.pos
	s.open = append(s.open, s.token.name)
	for _, a := range s.token.attributes {
		switch {
		case a.prefix == "" && a.local == "xmlns":
			s.scope = append(s.scope, binding{"", a.value, len(s.open)})
		case a.prefix == "xmlns":
			s.scope = append(s.scope, binding{a.local, a.value, len(s.open)})
		}
	}
	if len(s.scope) > maxBindings {
		return s.fail(s.token.start, "too many namespace declarations", "名前空間宣言が多すぎます")
	}
	for _, a := range s.token.attributes {
		if a.prefix != "" && a.prefix != "xmlns" && s.namespace(a.prefix) == "" {
			return s.fail(a.at, "undeclared namespace prefix", "宣言のない名前空間接頭辞です")
		}
	}
	if s.token.name.prefix != "" && s.namespace(s.token.name.prefix) == "" {
		return s.fail(s.token.nameAt, "undeclared namespace prefix", "宣言のない名前空間接頭辞です")
	}
	return true
}

// namespace returns the namespace a prefix is bound to, "" where it is not.
func (s *scanner) namespace(prefix string) string {
	if prefix == "xml" {
		return xmlNamespace
	}
	for _, b := range slices.Backward(s.scope) {
		if b.prefix == prefix {
			return b.uri
		}
	}
	return ""
}

// end reads an end tag.
func (s *scanner) end() bool {
	at := s.pos
	s.pos += 2
	s.token.kind, s.token.nameAt = endTag, s.pos
	var ok bool
	if s.token.name, ok = s.name(); !ok {
		return false
	}
	s.space()
	if !strings.HasPrefix(s.src[s.pos:], ">") {
		return s.fail(at, "tag without end", "タグが閉じていません")
	}
	s.pos++
	s.token.end = s.pos
	if len(s.open) == 0 || s.open[len(s.open)-1] != s.token.name {
		return s.fail(at, "the end tag does not match the start tag", "開始タグと終了タグが対応していません")
	}
	return s.closeTag(s.token.name)
}

// closeTag takes the innermost tag and its declarations out of force.
func (s *scanner) closeTag(name) bool {
	for len(s.scope) > 0 && s.scope[len(s.scope)-1].depth == len(s.open) {
		s.scope = s.scope[:len(s.scope)-1]
	}
	s.open = s.open[:len(s.open)-1]
	return true
}

// attribute reads one attribute into the token.
func (s *scanner) attribute() bool {
	a := attribute{at: s.pos}
	var ok bool
	if a.name, ok = s.name(); !ok {
		return false
	}
	s.space()
	if !strings.HasPrefix(s.src[s.pos:], "=") {
		return s.fail(s.pos, `"=" expected`, "「=」が必要です")
	}
	s.pos++
	s.space()
	if s.pos == len(s.src) || s.src[s.pos] != '"' && s.src[s.pos] != '\'' {
		return s.fail(s.pos, "attribute value without quotes", "属性値が引用符で囲まれていません")
	}
	at := s.pos + 1
	n := strings.IndexByte(s.src[at:], s.src[s.pos])
	if n < 0 {
		return s.fail(s.pos, "attribute value without end", "属性値が閉じていません")
	}
	raw := s.src[at : at+n]
	if i := strings.IndexByte(raw, '<'); i >= 0 {
		return s.fail(at+i, `"<" in an attribute value`, "属性値の中に「<」があります")
	}
	s.pos = at + n + 1
	if a.value, ok = s.unescape(raw, at, true); !ok {
		return false
	}
	if len(s.token.attributes) == maxAttributes {
		return s.fail(a.at, "too many attributes", "属性が多すぎます")
	}
	for _, other := range s.token.attributes {
		if other.name == a.name {
			return s.fail(a.at, "the attribute stands twice", "属性が重複しています")
		}
	}
	s.token.attributes = append(s.token.attributes, a)
	return true
}

// space skips white space and reports whether there was any.
func (s *scanner) space() bool {
	at := s.pos
	for s.pos < len(s.src) && strings.IndexByte(" \t\r\n", s.src[s.pos]) >= 0 {
		s.pos++
	}
	return s.pos > at
}

// name reads a qualified name.
func (s *scanner) name() (name, bool) {
	at := s.pos
	for s.pos < len(s.src) && nameByte(s.src[s.pos]) {
		s.pos++
	}
	raw := s.src[at:s.pos]
	if raw == "" || strings.IndexByte("-.0123456789:", raw[0]) >= 0 {
		return name{}, s.fail(at, "name expected", "名前が必要です")
	}
	prefix, local, found := strings.Cut(raw, ":")
	if !found {
		return name{local: raw}, true
	}
	if local == "" || strings.Contains(local, ":") {
		return name{}, s.fail(at, "bad name", "名前が正しくありません")
	}
	return name{prefix, local}, true
}

// nameByte reports whether a byte may be part of a name. All characters beyond
// ASCII are let through; FHIR and XHTML know no name that has one.
func nameByte(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c >= 0x80 || strings.IndexByte("_-.:", c) >= 0
}
