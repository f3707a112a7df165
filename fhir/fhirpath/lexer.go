package fhirpath

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// tokenKind is the sort of a token. https://hl7.org/fhirpath/N1/grammar.html
type tokenKind uint8

const (
	endToken        tokenKind = iota
	identifierToken           // text is the name; quoted tells `name`
	stringToken               // text is the value, escapes resolved
	numberToken               // text is the number as written
	dateToken                 // text is what follows @
	dateTimeToken             // likewise
	timeToken                 // text is what follows @T
	variableToken             // $this, $index, $total
	symbolToken               // operators and brackets
)

// token is one word of an expression.
type token struct {
	kind   tokenKind
	text   string
	quoted bool
	at     int // byte offset
}

// lexer cuts an expression into tokens.
type lexer struct {
	source string
	at     int
}

// next returns the next token or a syntax error.
func (l *lexer) next() (token, error) {
	if err := l.blank(); err != nil {
		return token{}, err
	}
	start := l.at
	if start == len(l.source) {
		return token{kind: endToken, at: start}, nil
	}
	switch c := l.source[start]; {
	case isLetter(c):
		l.take(isLetterOrDigit)
		return token{kind: identifierToken, text: l.source[start:l.at], at: start}, nil
	case c >= '0' && c <= '9':
		return token{kind: numberToken, text: l.number(), at: start}, nil
	case c == '\'' || c == '`':
		return l.quoted(c)
	case c == '@':
		return l.temporal()
	case c == '$':
		l.at++
		l.take(isLetter)
		return token{kind: variableToken, text: l.source[start:l.at], at: start}, nil
	}
	return l.symbol()
}

// blank skips white space and comments.
func (l *lexer) blank() error {
	for l.at < len(l.source) {
		rest := l.source[l.at:]
		switch {
		case strings.IndexByte(" \t\r\n", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "//"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.at += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return l.fail(l.at, "the comment does not end", "コメントが閉じていません")
			}
			l.at += n + 4
		default:
			return nil
		}
	}
	return nil
}

func (l *lexer) take(accept func(byte) bool) {
	for l.at < len(l.source) && accept(l.source[l.at]) {
		l.at++
	}
}

func (l *lexer) number() string {
	start := l.at
	l.take(isDigit)
	if rest := l.source[l.at:]; len(rest) > 1 && rest[0] == '.' && isDigit(rest[1]) {
		l.at++
		l.take(isDigit)
	}
	return l.source[start:l.at]
}

// temporal reads what follows @: a date, a date with time, a time.
func (l *lexer) temporal() (token, error) {
	start := l.at
	l.at++
	if strings.HasPrefix(l.source[l.at:], "T") {
		l.at++
		l.clock()
		return token{kind: timeToken, text: l.source[start+2 : l.at], at: start}, nil
	}
	l.take(isDigit)
	for range 2 {
		if rest := l.source[l.at:]; len(rest) > 1 && rest[0] == '-' && isDigit(rest[1]) {
			l.at++
			l.take(isDigit)
		}
	}
	kind := dateToken
	if strings.HasPrefix(l.source[l.at:], "T") {
		kind = dateTimeToken
		l.at++
		l.clock()
		l.zone()
	}
	return token{kind: kind, text: l.source[start+1 : l.at], at: start}, nil
}

func (l *lexer) clock() {
	l.take(isDigit)
	for range 2 {
		if rest := l.source[l.at:]; len(rest) > 1 && rest[0] == ':' && isDigit(rest[1]) {
			l.at++
			l.take(isDigit)
		}
	}
	if rest := l.source[l.at:]; len(rest) > 1 && rest[0] == '.' && isDigit(rest[1]) {
		l.at++
		l.take(isDigit)
	}
}

// zone reads Z or an offset with hours and minutes.
func (l *lexer) zone() {
	rest := l.source[l.at:]
	switch {
	case strings.HasPrefix(rest, "Z"):
		l.at++
	case len(rest) >= 6 && (rest[0] == '+' || rest[0] == '-') && isDigit(rest[1]) && isDigit(rest[2]) && rest[3] == ':':
		l.at += 6
	}
}

// quoted reads a 'string' or a `name`.
func (l *lexer) quoted(quote byte) (token, error) {
	start := l.at
	l.at++
	var b strings.Builder
	for l.at < len(l.source) {
		c := l.source[l.at]
		switch c {
		case quote:
			l.at++
			if quote == '\'' {
				return token{kind: stringToken, text: b.String(), at: start}, nil
			}
			return token{kind: identifierToken, text: b.String(), quoted: true, at: start}, nil
		case '\\':
			if err := l.escape(&b); err != nil {
				return token{}, err
			}
		default:
			b.WriteByte(c)
			l.at++
		}
	}
	return token{}, l.fail(start, "the quote does not end", "引用符が閉じていません")
}

// escape reads one escape sequence at l.at.
func (l *lexer) escape(b *strings.Builder) error {
	rest := l.source[l.at+1:]
	if rest == "" {
		return l.fail(l.at, "the quote does not end", "引用符が閉じていません")
	}
	l.at += 2
	switch rest[0] {
	case 'f':
		b.WriteByte('\f')
	case 'n':
		b.WriteByte('\n')
	case 'r':
		b.WriteByte('\r')
	case 't':
		b.WriteByte('\t')
	case 'u':
		return l.unicode(b)
	case '\\', '/', '"', '`', '\'':
		b.WriteByte(rest[0])
	default:
		return l.fail(l.at-2, "unknown escape sequence", "不明なエスケープです")
	}
	return nil
}

// unicode reads the four digits after \u, and a second such unit where the
// first is half of a surrogate pair.
func (l *lexer) unicode(b *strings.Builder) error {
	r, ok := l.hex()
	if !ok {
		return l.fail(l.at, `\u needs four hexadecimal digits`, `\u には 4 桁の 16 進数が要ります`)
	}
	if utf16.IsSurrogate(r) {
		second := rune(utf8.RuneError)
		if strings.HasPrefix(l.source[l.at:], `\u`) {
			l.at += 2
			second, _ = l.hex()
		}
		r = utf16.DecodeRune(r, second)
	}
	b.WriteRune(r)
	return nil
}

func (l *lexer) hex() (rune, bool) {
	if len(l.source) < l.at+4 {
		return utf8.RuneError, false
	}
	n, err := strconv.ParseUint(l.source[l.at:l.at+4], 16, 16)
	if err != nil {
		return utf8.RuneError, false
	}
	l.at += 4
	return rune(n), true
}

// symbol reads an operator or bracket, the longest that fits.
func (l *lexer) symbol() (token, error) {
	start := l.at
	rest := l.source[start:]
	for _, s := range [...]string{"<=", ">=", "!=", "!~"} {
		if strings.HasPrefix(rest, s) {
			l.at += 2
			return token{kind: symbolToken, text: s, at: start}, nil
		}
	}
	if strings.IndexByte(".,()[]{}+-*/&|<>=~%", rest[0]) < 0 {
		return token{}, l.fail(start, "unexpected character", "予期しない文字です")
	}
	l.at++
	return token{kind: symbolToken, text: rest[:1], at: start}, nil
}

func (l *lexer) fail(at int, en, ja string, args ...any) error {
	return syntaxError(l.source, at, en, ja, args...)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func isLetterOrDigit(c byte) bool { return isLetter(c) || isDigit(c) }
