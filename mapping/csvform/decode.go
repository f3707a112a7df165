// Package csvform reads the CSV files of Japanese care software: Shift_JIS
// (MS932) or UTF-8, quoted cells with line breaks, and exact positions for
// people who must find the place in the program that wrote the file.
// Form: RFC 4180 with CRLF, as the care-plan standard (ケアプランデータ連携標準仕様)
// and the LIFE external interface prescribe.
package csvform

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Encoding is a character encoding of a file.
type Encoding string

// The encodings a file may be found to have. The forms allow the first two.
const (
	ShiftJIS Encoding = "Shift_JIS"
	UTF8     Encoding = "UTF-8"
	UTF16    Encoding = "UTF-16"
	EUCJP    Encoding = "EUC-JP"
	JIS      Encoding = "ISO-2022-JP"
)

// Fault is something wrong with a file's form, not with what it says. Line
// and Column count from 1; Column is the number of the cell in its row, 0
// where the fault is not in one cell.
type Fault struct {
	Line, Column int
	ID           string
	Message      fhir.Message
}

// Decode turns the bytes of a file into text. Only the allowed encodings are
// taken; a file in another one gives a fault that names it, and no text.
// Characters that do not exist in the encoding become U+FFFD, which Parse
// reports with its place. A byte order mark is dropped.
func Decode(data []byte, allowed ...Encoding) (text string, found Encoding, faults []Fault) {
	found = Detect(data)
	if !contains(allowed, found) && !ascii(data) {
		return "", found, []Fault{{Line: 1, ID: "file-encoding", Message: fhir.Messagef(
			"the file is in %[1]s, but this form must be in %[2]s; choose %[2]s in the program that wrote it",
			"ファイルの文字コードが %[1]s です。この様式は %[2]s で出力してください。", found, names(allowed))}}
	}
	if found == UTF8 {
		data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
		return string(bytes.ToValidUTF8(data, []byte("\uFFFD"))), found, nil
	}
	return decodeShiftJIS(data), found, nil
}

// Detect tells which encoding a file has. Pure ASCII counts as Shift_JIS,
// which contains it.
func Detect(data []byte) Encoding {
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return UTF16
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return UTF8
	case bytes.Contains(data, []byte("\x1b$B")), bytes.Contains(data, []byte("\x1b$@")):
		return JIS
	case looksUTF8(data):
		return UTF8
	case looksEUC(data):
		return EUCJP
	}
	return ShiftJIS
}

// looksUTF8 reports whether the bytes are UTF-8 that says something in
// Japanese. Two half-width katakana of Shift_JIS can be valid UTF-8 too, but
// never give a character from U+3000 on. A file cut in the middle of a
// character still counts, as does one with a few broken bytes.
func looksUTF8(data []byte) bool {
	wide, broken := 0, 0
	for len(data) > 0 && utf8.FullRune(data) {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n <= 1:
			broken++
		case r >= 0x3000:
			wide++
		}
		data = data[n:]
	}
	return wide > 0 && broken*8 <= wide
}

// looksEUC reports whether the bytes are EUC-JP: read as Shift_JIS such a text
// is nearly all half-width katakana.
func looksEUC(data []byte) bool {
	katakana, pairs, other := 0, 0, 0
	for i := 0; i < len(data); i++ {
		switch b := data[i]; {
		case b < 0x80:
		case b >= 0xA1 && b <= 0xDF:
			katakana++
			if (b == 0xA4 || b == 0xA5) && i+1 < len(data) && data[i+1] >= 0xA1 {
				pairs++ // a hiragana or katakana of EUC-JP
			}
		default:
			other++
		}
	}
	if pairs < 4 || pairs*4 < katakana {
		return false
	}
	text, err := japanese.EUCJP.NewDecoder().Bytes(data)
	return err == nil && !bytes.ContainsRune(text, utf8.RuneError)
}

// decodeShiftJIS decodes MS932 and puts U+FFFD in the place of what it has no
// character for.
func decodeShiftJIS(data []byte) string {
	text, err := japanese.ShiftJIS.NewDecoder().Bytes(data)
	if err != nil { // the decoder replaces what is wrong; it has no other errors
		return string(bytes.ToValidUTF8(data, []byte("\uFFFD")))
	}
	return string(text)
}

func ascii(data []byte) bool {
	for _, b := range data {
		if b >= 0x80 {
			return false
		}
	}
	return true
}

func contains(list []Encoding, e Encoding) bool {
	for _, a := range list {
		if a == e {
			return true
		}
	}
	return false
}

func names(list []Encoding) string {
	out := ""
	for i, e := range list {
		if i > 0 {
			out += " / "
		}
		out += string(e)
	}
	return out
}
