package fhirpath

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// narrative reads the plain sort of narrative, which nearly all of it is,
// without an XML decoder: tags, quoted attributes, text and a few entities. It
// gives up on anything else, and what it does not call valid the decoder looks
// at again; so it must never call valid what the decoder would not.
type narrative struct {
	rest    string
	open    []string
	visible bool
}

// plainXHTML reports whether the text is valid for sure.
func plainXHTML(s string) bool {
	if !utf8.ValidString(s) || strings.Contains(s, "]]>") || strings.Contains(s, "\uFFFE") || strings.Contains(s, "\uFFFF") {
		return false
	}
	n := narrative{rest: strings.Trim(s, " \t\r\n"), open: make([]string, 0, 16)}
	if !strings.HasPrefix(n.rest, "<div") {
		return false
	}
	for n.rest != "" {
		if !n.text() || !n.tag() {
			return false
		}
		if len(n.open) == 0 {
			return n.rest == "" && n.visible
		}
	}
	return false
}

// text reads up to the next tag.
func (n *narrative) text() bool {
	end := strings.IndexByte(n.rest, '<')
	if end < 0 {
		return false
	}
	text := n.rest[:end]
	n.rest = n.rest[end:]
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		case c < ' ':
			return false
		case c == '&':
			size, blank := entity(text[i:])
			if size == 0 {
				return false
			}
			n.visible = n.visible || !blank
			i += size - 1
		case !n.visible:
			r, _ := utf8.DecodeRuneInString(text[i:])
			n.visible = utf8.RuneStart(c) && !unicode.IsSpace(r)
		}
	}
	return true
}

// entity returns the length of a known entity, 0 for any other.
func entity(s string) (size int, blank bool) {
	for _, e := range [...]string{"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&nbsp;", "&#39;", "&#34;"} {
		if strings.HasPrefix(s, e) {
			return len(e), e == "&nbsp;"
		}
	}
	return 0, false
}

// tag reads a start, end or empty tag.
func (n *narrative) tag() bool {
	n.rest = n.rest[1:]
	if n.skip("/") {
		name := n.name()
		n.blanks()
		last := len(n.open) - 1
		if last < 0 || n.open[last] != name || !n.skip(">") {
			return false
		}
		n.open = n.open[:last]
		return true
	}
	name := n.name()
	if !listed(htmlElements, name) || len(n.open) > 100 {
		return false
	}
	n.visible = n.visible || name == "img"
	namespace := false
	for n.blanks() && n.rest != "" && n.rest[0] != '>' && n.rest[0] != '/' {
		xmlns, ok := n.attribute()
		if !ok {
			return false
		}
		namespace = namespace || xmlns
	}
	n.blanks()
	if len(n.open) == 0 && !namespace {
		return false
	}
	if n.skip("/>") {
		return len(n.open) > 0
	}
	n.open = append(n.open, name)
	return n.skip(">")
}

// attribute reads one attribute; xmlns tells that it is the right namespace.
func (n *narrative) attribute() (xmlns, ok bool) {
	name := n.name()
	if !n.skip(`="`) {
		return false, false
	}
	value, rest, closed := strings.Cut(n.rest, `"`)
	n.rest = rest
	if !closed || strings.ContainsFunc(value, func(r rune) bool { return r == '<' || r == '&' || r < ' ' }) {
		return false, false
	}
	switch name {
	case "xmlns":
		return true, value == xhtmlNamespace
	case "href", "src":
		return false, !active(value)
	}
	return false, listed(htmlAttributes, name)
}

func (n *narrative) name() string {
	i := 0
	for i < len(n.rest) && (n.rest[i] >= 'a' && n.rest[i] <= 'z' || isDigit(n.rest[i])) {
		i++
	}
	name := n.rest[:i]
	n.rest = n.rest[i:]
	return name
}

// blanks skips white space and reports whether there was any.
func (n *narrative) blanks() bool {
	before := len(n.rest)
	n.rest = strings.TrimLeft(n.rest, " \t\r\n")
	return len(n.rest) < before
}

func (n *narrative) skip(s string) bool {
	rest, ok := strings.CutPrefix(n.rest, s)
	if ok {
		n.rest = rest
	}
	return ok
}
