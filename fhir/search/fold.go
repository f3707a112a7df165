package search

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns the form in which two strings are the same to a Japanese user
// who searches: NFKC (so full and half width agree), lower case, Latin letters
// without accents, hiragana for katakana, one kanji for the old and new forms
// of the published table (see Variants), no blanks, no variation selectors,
// one hyphen for the many. Long vowel marks, dakuten and small kana stay,
// since names differ by them. Folding twice changes nothing.
// https://hl7.org/fhir/R4/search.html#string
func Fold(s string) string {
	if folded(s) {
		return s
	}
	return string(appendFold(make([]byte, 0, len(s)), s))
}

// folded reports whether s is plain ASCII that folding leaves as it is.
func folded(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= utf8.RuneSelf || c == 0x7f || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

// appendFold appends the folded form of s to dst.
func appendFold(dst []byte, s string) []byte {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		for i := 0; i < len(s); i++ {
			dst = appendFoldASCII(dst, s[i])
		}
		return dst
	}
	if !stable(s) {
		s = norm.NFKC.String(s)
	}
	for _, r := range s {
		if r < utf8.RuneSelf {
			dst = appendFoldASCII(dst, byte(r))
		} else {
			dst = appendFoldRune(dst, r)
		}
	}
	return dst
}

// stable reports whether every character is one of the kana, kanji and ASCII
// that NFKC leaves alone or that folding drops: most Japanese text, and much
// quicker to see than to normalize.
func stable(s string) bool {
	for _, r := range s {
		switch {
		case r < utf8.RuneSelf, r >= 0x3041 && r <= 0x3096, r >= 0x30a1 && r <= 0x30fe, r >= 0x4e00 && r <= 0x9fff, r == 0x3000, r == 0x3005:
		default:
			return false
		}
	}
	return true
}

func appendFoldASCII(dst []byte, c byte) []byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	if c <= ' ' || c == 0x7f {
		return dst
	}
	return append(dst, c)
}

func appendFoldRune(dst []byte, r rune) []byte {
	switch {
	case r >= 0x30a1 && r <= 0x30f6, r == 0x30fd, r == 0x30fe: // katakana
		return utf8.AppendRune(dst, r-0x60)
	case r >= 0x3041 && r <= 0x30ff:
		return utf8.AppendRune(dst, r)
	case r >= 0x3400 && r <= 0x9fff, r >= 0xf900 && r <= 0xfaff, r >= 0x20000:
		if r >= 0xe0100 && r <= 0xe01ef { // ideographic variation selectors
			return dst
		}
		if v, ok := variants()[r]; ok {
			r = v
		}
		return utf8.AppendRune(dst, r)
	case r >= 0x2010 && r <= 0x2015, r == 0x2212, r == 0x2043:
		return append(dst, '-')
	case r == utf8.RuneError, r >= 0xfe00 && r <= 0xfe0f, unicode.IsSpace(r), unicode.IsControl(r),
		unicode.Is(unicode.Cf, r), r >= 0x300 && r <= 0x36f:
		return dst
	case r < 0x0530, r >= 0x1e00 && r <= 0x1fff:
		return appendFoldLetter(dst, r)
	}
	return utf8.AppendRune(dst, unicode.ToLower(r))
}

// appendFoldLetter lowers a Latin, Greek or Cyrillic letter and drops its
// accents.
func appendFoldLetter(dst []byte, r rune) []byte {
	var buf [2 * utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	for _, d := range string(norm.NFD.Bytes(buf[:n])) {
		if d >= 0x300 && d <= 0x36f {
			continue
		}
		switch d = unicode.ToLower(d); d {
		case 'ß':
			dst = append(dst, "ss"...)
		case 'ς':
			dst = append(dst, "σ"...)
		default:
			dst = utf8.AppendRune(dst, d)
		}
	}
	return dst
}

// foldCode returns the form in which token codes are compared: R4 asks for
// comparison without regard to case when in doubt.
// https://hl7.org/fhir/R4/search.html#token
func foldCode(s string) string { return strings.ToLower(clean(s)) }

// clean drops NUL, which FHIR forbids in strings and keys use as a mark.
func clean(s string) string {
	if strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(s, "\x00", "")
}
