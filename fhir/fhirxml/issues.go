package fhirxml

import (
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// report notes an issue of the resource. It returns false, which ends the
// reading, once there are too many.
func (d *decoder) report(at int, id, expression string, message fhir.Message) bool {
	return d.problems.Add(at, fhir.Issue{
		Severity: fhir.Error, Code: fhir.Structure, ID: id, Expression: expression, Message: message,
	})
}

// fatal notes what ends the reading; it returns false.
func (d *decoder) fatal(at int, code fhir.Code, id string, message fhir.Message) bool {
	d.problems.Add(at, fhir.Issue{
		Severity: fhir.Fatal, Code: code, ID: id, Expression: d.path.Expression(), Message: message,
	})
	return false
}

// read reads the next token and notes a fault as an issue.
func (d *decoder) read() bool {
	if d.next() {
		return true
	}
	code := fhir.Structure
	if d.fault.id == "xml-doctype" {
		code = fhir.Security
	}
	return d.fatal(d.fault.at, code, d.fault.id, fhir.Message{En: "not acceptable XML: " + d.fault.en, Ja: "受け付けられないXMLです: " + d.fault.ja})
}

func tooLong(size, limit int) fhir.Issues {
	return fhir.Issues{{
		Severity: fhir.Fatal, Code: fhir.TooLong, ID: "limit-bytes",
		Message: fhir.Messagef("%d bytes are more than the limit of %d", "%dバイトは上限の%dバイトを超えています", size, limit),
	}}
}

// badCharacter returns the offset of the first byte that is not UTF-8 or
// begins a character XML cannot hold, -1 where there is none.
func badCharacter(s string) int {
	for i := 0; i < len(s); {
		if c := s[i]; c >= 0x20 && c < utf8.RuneSelf || c == '\n' || c == '\r' || c == '\t' {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n <= 1 || !allowed(r) {
			return i
		}
		i += n
	}
	return -1
}

func (d *decoder) checkCharacters() bool {
	at := badCharacter(d.src)
	if at < 0 {
		return true
	}
	if r, n := utf8.DecodeRuneInString(d.src[at:]); r != utf8.RuneError || n > 1 {
		return d.fatal(at, fhir.Structure, "xml-character", fhir.Messagef("a character that XML cannot hold", "XMLで使えない文字があります"))
	}
	return d.fatal(at, fhir.Structure, "xml-utf8", fhir.Messagef("the text is not UTF-8", "文字コードがUTF-8ではありません"))
}
