package graphql

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

type tokenKind uint8

const (
	endToken    tokenKind = iota
	punctuation           // ! $ ( ) ... : = @ [ ] { | }
	nameToken
	numberToken
	stringToken
)

type token struct {
	kind         tokenKind
	text         string // unescaped for strings
	line, column int
}

// lexer cuts a document into tokens; commas, blanks and comments fall away.
type lexer struct {
	source       string
	at           int
	line, column int
}

// problem is an error of the document at a place in it.
func problem(line, column int, en, ja string, args ...any) error {
	return fhir.Issues{{Severity: fhir.Error, Code: fhir.Invalid, ID: "graphql-syntax",
		Message: fhir.Messagef(en, ja, args...), Line: line, Column: column}}
}

func (l *lexer) advance(n int) {
	for _, r := range l.source[l.at : l.at+n] {
		l.column++
		if r == '\n' {
			l.line, l.column = l.line+1, 1
		}
	}
	l.at += n
}

func (l *lexer) skipIgnored() {
	for l.at < len(l.source) {
		switch c := l.source[l.at]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',':
			l.advance(1)
		case strings.HasPrefix(l.source[l.at:], "\ufeff"):
			l.advance(len("\ufeff"))
		case c == '#':
			end := strings.IndexAny(l.source[l.at:], "\r\n")
			if end < 0 {
				end = len(l.source) - l.at
			}
			l.advance(end)
		default:
			return
		}
	}
}

func (l *lexer) next() (token, error) {
	l.skipIgnored()
	t := token{line: l.line, column: l.column}
	if l.at == len(l.source) {
		return t, nil
	}
	rest := l.source[l.at:]
	switch c := rest[0]; {
	case strings.HasPrefix(rest, "..."):
		t.kind, t.text = punctuation, "..."
	case strings.IndexByte("!$():=@[]{|}", c) >= 0:
		t.kind, t.text = punctuation, rest[:1]
	case isNameStart(c):
		t.kind, t.text = nameToken, rest[:span(rest, isNamePart)]
	case c == '-' || isDigit(c):
		t.kind, t.text = numberToken, rest[:1+span(rest[1:], isNumberPart)]
		if _, err := strconv.ParseFloat(t.text, 64); err != nil {
			return t, problem(t.line, t.column, "this is not a number", "数値として読めません")
		}
	case c == '"':
		return l.str(t)
	default:
		return t, problem(t.line, t.column, "a character that has no place in GraphQL", "GraphQL で使えない文字です")
	}
	l.advance(len(t.text))
	return t, nil
}

// str reads a string or a block string.
func (l *lexer) str(t token) (token, error) {
	t.kind = stringToken
	rest := l.source[l.at:]
	if block, ok := strings.CutPrefix(rest, `"""`); ok {
		end := strings.Index(block, `"""`)
		if end < 0 {
			return t, problem(t.line, t.column, "a string is not closed", "文字列が閉じていません")
		}
		t.text = strings.TrimSpace(block[:end])
		l.advance(end + 6)
		return t, nil
	}
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '\\':
			i++
		case '\n', '\r':
			return t, problem(t.line, t.column, "a string is not closed on its line", "文字列が行内で閉じていません")
		case '"':
			text, err := unescape(rest[1:i])
			if err != nil {
				return t, problem(t.line, t.column, "a wrong escape in a string", "文字列のエスケープが正しくありません")
			}
			t.text = text
			l.advance(i + 1)
			return t, nil
		}
	}
	return t, problem(t.line, t.column, "a string is not closed", "文字列が閉じていません")
}

// unescape resolves the escapes of GraphQL, which are those of JSON.
func unescape(s string) (string, error) {
	if !strings.Contains(s, `\`) {
		return s, nil
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		if i == len(s) {
			return "", strconv.ErrSyntax
		}
		if s[i] == 'u' {
			if i+5 > len(s) {
				return "", strconv.ErrSyntax
			}
			n, err := strconv.ParseUint(s[i+1:i+5], 16, 32)
			if err != nil {
				return "", err
			}
			b.Write(utf8.AppendRune(nil, rune(n)))
			i += 4
			continue
		}
		plain := strings.IndexByte(`"\/bfnrt`, s[i])
		if plain < 0 {
			return "", strconv.ErrSyntax
		}
		b.WriteByte("\"\\/\b\f\n\r\t"[plain])
	}
	return b.String(), nil
}

func isDigit(c byte) bool     { return c >= '0' && c <= '9' }
func isNameStart(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isNamePart(c byte) bool  { return isNameStart(c) || isDigit(c) }
func isNumberPart(c byte) bool {
	return isDigit(c) || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}
