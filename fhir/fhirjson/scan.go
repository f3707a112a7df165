package fhirjson

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// The scanner: JSON tokens at d.pos. Functions that return ok == false have
// noted a fatal problem and end the reading.
// https://www.rfc-editor.org/rfc/rfc8259

// space skips white space and returns the byte that follows, 0 at the end.
func (d *decoder) space() byte {
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; c {
		case ' ', '\n', '\r', '\t':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

// plain tells the bytes a string may hold as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// str reads a string; d.pos is at its opening quote.
func (d *decoder) str() (s string, ok bool) {
	src, i := d.src, d.pos+1
	for i < len(src) && plain[src[i]] {
		i++
	}
	if i < len(src) && src[i] == '"' {
		s = src[d.pos+1 : i]
		d.pos = i + 1
		return s, true
	}
	return d.escaped(i)
}

// escaped reads the rest of a string, from i, where the first byte is that is
// not plain.
func (d *decoder) escaped(i int) (string, bool) {
	var b strings.Builder
	start := d.pos + 1
	for i < len(d.src) {
		switch c := d.src[i]; {
		case c == '"':
			b.WriteString(d.src[start:i])
			d.pos = i + 1
			return b.String(), true
		case c == '\\':
			b.WriteString(d.src[start:i])
			n := d.escape(&b, i)
			if n == 0 {
				return "", d.syntax(i, "bad escape in a string", "文字列のエスケープが正しくありません")
			}
			i += n
			start = i
		case c < 0x20:
			return "", d.syntax(i, "control character in a string", "文字列に制御文字があります")
		default:
			i++
		}
	}
	return "", d.syntax(d.pos, "string without end", "文字列が閉じていません")
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape writes the character of the escape sequence at i and returns the
// length of the sequence, 0 for a bad one.
func (d *decoder) escape(b *strings.Builder, i int) int {
	if i+1 >= len(d.src) {
		return 0
	}
	if c, ok := escapes[d.src[i+1]]; ok {
		b.WriteByte(c)
		return 2
	}
	r, ok := d.unicode(i)
	if !ok {
		return 0
	}
	if !utf16.IsSurrogate(r) {
		b.WriteRune(r)
		return 6
	}
	low, ok := d.unicode(i + 6)
	if r = utf16.DecodeRune(r, low); !ok || r == utf8.RuneError {
		return 0
	}
	b.WriteRune(r)
	return 12
}

// unicode returns the code unit of a \uXXXX sequence at i.
func (d *decoder) unicode(i int) (rune, bool) {
	if i+6 > len(d.src) || d.src[i] != '\\' || d.src[i+1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range []byte(d.src[i+2 : i+6]) {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// number reads a number.
func (d *decoder) number() (string, bool) {
	n := fhir.NumberLen(d.src[d.pos:])
	if n == 0 {
		return "", d.syntax(d.pos, "bad number", "数値の書き方が正しくありません")
	}
	s := d.src[d.pos : d.pos+n]
	d.pos += n
	return s, true
}

// word reads true, false or null.
func (d *decoder) word(w string) bool {
	if !strings.HasPrefix(d.src[d.pos:], w) {
		return d.syntax(d.pos, "not a JSON value", "JSONの値ではありません")
	}
	d.pos += len(w)
	return true
}

// name reads a property name and the colon after it.
func (d *decoder) name() (name string, at int, ok bool) {
	if d.space() != '"' {
		return "", d.pos, d.syntax(d.pos, "property name expected", "プロパティ名が必要です")
	}
	at = d.pos
	if name, ok = d.str(); !ok {
		return "", at, false
	}
	if d.space() != ':' {
		return "", at, d.syntax(d.pos, `":" expected`, "「:」が必要です")
	}
	d.pos++
	return name, at, true
}

// next reads what follows a member or an item: true, true for a comma.
func (d *decoder) next(end byte) (more, ok bool) {
	switch d.space() {
	case ',':
		d.pos++
		return true, true
	case end:
		d.pos++
		return false, true
	}
	return false, d.syntax(d.pos, `"," or the end of the object or array expected`, "「,」またはオブジェクト・配列の終わりが必要です")
}

// skip reads over a value of any kind, its syntax checked.
func (d *decoder) skip(depth int) bool {
	var ok bool
	switch c := d.space(); {
	case c == '{' || c == '[':
		if depth >= d.maxDepth {
			return d.tooDeep()
		}
		return d.skipInside(c, depth+1)
	case c == '"':
		_, ok = d.str()
	case c == '-' || '0' <= c && c <= '9':
		_, ok = d.number()
	case c == 't':
		ok = d.word("true")
	case c == 'f':
		ok = d.word("false")
	default:
		ok = d.word("null")
	}
	return ok
}

func (d *decoder) skipInside(open byte, depth int) bool {
	end := open + 2 // '}' is '{' + 2, ']' is '[' + 2
	d.pos++
	if d.space() == end {
		d.pos++
		return true
	}
	for more := true; more; {
		ok := true
		if open == '{' {
			_, _, ok = d.name()
		}
		if !ok || !d.skip(depth) {
			return false
		}
		if more, ok = d.next(end); !ok {
			return false
		}
	}
	return true
}
