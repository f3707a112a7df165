package fhirxml

import (
	"strings"
	"unicode/utf8"
)

// scanner cuts a document into tags and text. It knows XML 1.0 without
// document types: https://www.w3.org/TR/xml/
type scanner struct {
	src   string
	pos   int
	token token
	open  []name // the tags open now
	scope []binding
	fault *fault
}

// kind is the kind of a token.
type kind uint8

const (
	endOfText kind = iota
	startTag       // <a …> and <a …/>
	endTag         // </a> and, once more, <a …/>
	text           // characters that are not all white space, or a CDATA section
)

// name is a name as written.
type name struct{ prefix, local string }

func (n name) String() string {
	if n.prefix == "" {
		return n.local
	}
	return n.prefix + ":" + n.local
}

// attribute is an attribute of a start tag, its value unescaped.
type attribute struct {
	name
	value string
	at    int
}

// token is what the scanner read last.
type token struct {
	kind       kind
	name       name
	attributes []attribute
	start, end int  // in the source
	nameAt     int  // of a tag's name
	empty      bool // <a/>: its end tag follows as a token of no length
}

// fault is what makes a text no XML, or XML of a kind that is refused.
type fault struct {
	at     int
	id     string
	en, ja string
}

// binding is a namespace declaration in force for the tags open at depth and
// deeper.
type binding struct {
	prefix, uri string
	depth       int
}

// fail notes why reading ends; it returns false.
func (s *scanner) fail(at int, en, ja string) bool {
	s.fault = &fault{at, "xml-syntax", en, ja}
	return false
}

// next reads one token. Comments and processing instructions are passed over.
func (s *scanner) next() bool {
	if s.token.empty {
		s.token = token{kind: endTag, name: s.token.name, start: s.pos, end: s.pos, nameAt: s.pos}
		return s.closeTag(s.token.name)
	}
	for {
		s.token = token{start: s.pos, attributes: s.token.attributes[:0]}
		rest := s.src[s.pos:]
		switch {
		case rest == "":
			s.token.kind, s.token.end = endOfText, s.pos
			if len(s.open) > 0 {
				return s.fail(s.pos, "the text ends inside <"+s.open[len(s.open)-1].String()+">", "要素が閉じる前に文書が終わっています")
			}
			return true
		case rest[0] != '<':
			if blank, ok := s.characters(); !ok || !blank {
				return ok
			}
		case strings.HasPrefix(rest, "<!--"):
			if !s.past("-->", 4) {
				return false
			}
		case strings.HasPrefix(rest, "<?"):
			if !s.instruction() {
				return false
			}
		case strings.HasPrefix(rest, "<![CDATA["):
			s.token.kind = text
			ok := s.past("]]>", 9)
			s.token.end = s.pos
			return ok
		case strings.HasPrefix(rest, "<!"):
			s.fault = &fault{s.pos, "xml-doctype", "document types and entity declarations are refused", "文書型宣言・実体宣言は受け付けません"}
			return false
		case strings.HasPrefix(rest, "</"):
			return s.end()
		default:
			return s.start()
		}
	}
}

// past moves behind the next occurrence of end.
func (s *scanner) past(end string, from int) bool {
	i := strings.Index(s.src[s.pos+from:], end)
	if i < 0 {
		return s.fail(s.pos, end+" is missing", "閉じる記号がありません")
	}
	if end == "-->" && strings.Contains(s.src[s.pos+from:s.pos+from+i], "--") {
		return s.fail(s.pos, `"--" in a comment`, "コメントの中に「--」があります")
	}
	s.pos += from + i + len(end)
	return true
}

// instruction reads a processing instruction or the XML declaration, whose
// encoding must be UTF-8.
func (s *scanner) instruction() bool {
	at := s.pos
	if !s.past("?>", 2) {
		return false
	}
	body := s.src[at+2 : s.pos-2]
	target, declaration := body, ""
	if i := strings.IndexAny(body, " \t\r\n"); i >= 0 {
		target, declaration = body[:i], body[i:]
	}
	if !strings.EqualFold(target, "xml") {
		return true
	}
	if strings.TrimPrefix(s.src[:at], "\ufeff") != "" {
		return s.fail(at, "the XML declaration is not at the beginning", "XML宣言が文書の先頭にありません")
	}
	_, encoding, found := strings.Cut(declaration, "encoding")
	encoding = strings.Trim(encoding, " =\t\r\n\"'")
	if found && !strings.HasPrefix(strings.ToUpper(encoding), "UTF-8") && !strings.HasPrefix(strings.ToUpper(encoding), "UTF8") {
		return s.fail(at, "the encoding is not UTF-8", "文字コードがUTF-8ではありません")
	}
	return true
}

// characters reads text up to the next tag; blank reports that it is white
// space only.
func (s *scanner) characters() (blank, ok bool) {
	at := s.pos
	n := strings.IndexByte(s.src[at:], '<')
	if n < 0 {
		n = len(s.src) - at
	}
	s.pos += n
	s.token.kind, s.token.end = text, s.pos
	content := s.src[at:s.pos]
	if at == 0 {
		content = strings.TrimPrefix(content, "\ufeff")
	}
	if strings.Trim(content, " \t\r\n") == "" {
		return true, true
	}
	if strings.Contains(content, "]]>") {
		return false, s.fail(at, `"]]>" in text`, "文字列の中に「]]>」があります")
	}
	_, ok = s.unescape(content, at, false)
	return false, ok
}

// unescape resolves the references in a text that begins at at; in attributes
// white space becomes blanks, as XML asks for.
// https://www.w3.org/TR/xml/#AVNormalize
func (s *scanner) unescape(raw string, at int, attribute bool) (string, bool) {
	if strings.IndexByte(raw, '&') < 0 && (!attribute || !strings.ContainsAny(raw, "\t\r\n")) {
		return raw, true
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '&':
			r, n := reference(raw[i:])
			if n == 0 {
				return "", s.fail(at+i, "unknown entity or bad character reference", "未知の実体参照または不正な文字参照です")
			}
			b.WriteRune(r)
			i += n - 1
		case attribute && c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			// one line end, one blank
		case attribute && (c == '\t' || c == '\r' || c == '\n'):
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

var entities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// reference returns the character a reference stands for and the length of the
// reference, 0 for one that XML without a document type does not know.
func reference(s string) (rune, int) {
	end := strings.IndexByte(s, ';')
	if end < 2 || end > 12 {
		return 0, 0
	}
	body := s[1:end]
	if r, ok := entities[body]; ok {
		return r, end + 1
	}
	digits, base := strings.TrimPrefix(body, "#"), rune(10)
	if digits == body {
		return 0, 0
	}
	if rest, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = rest, 16
	}
	var r rune
	for _, c := range []byte(digits) {
		d := digitValue(c)
		if d >= base {
			return 0, 0
		}
		if r = r*base + d; r > utf8.MaxRune {
			return 0, 0
		}
	}
	if digits == "" || !allowed(r) {
		return 0, 0
	}
	return r, end + 1
}

func digitValue(c byte) rune {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0')
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10
	}
	return 99
}

// allowed reports whether XML can hold a character.
// https://www.w3.org/TR/xml/#charsets
func allowed(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' || r >= 0x20 && r < 0xD800 || r >= 0xE000 && r < 0xFFFE || r >= 0x10000 && r <= utf8.MaxRune
}
