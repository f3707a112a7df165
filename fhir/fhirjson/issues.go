package fhirjson

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

// syntax notes that the text is not JSON; it returns false.
func (d *decoder) syntax(at int, en, ja string) bool {
	d.problems.Add(at, fhir.Issue{
		Severity: fhir.Fatal, Code: fhir.Structure, ID: "json-syntax", Expression: d.path.Expression(),
		Message: fhir.Message{En: "not JSON: " + en, Ja: "JSONではありません: " + ja},
	})
	return false
}

// tooDeep notes that objects are nested beyond the limit; it returns false.
func (d *decoder) tooDeep() bool {
	d.problems.Add(d.pos, fhir.Issue{
		Severity: fhir.Fatal, Code: fhir.TooCostly, ID: "limit-depth", Expression: d.path.Expression(),
		Message: fhir.Messagef("nested more than %d levels deep", "入れ子が%d段を超えています", d.maxDepth),
	})
	return false
}

func tooLong(size, limit int) fhir.Issues {
	return fhir.Issues{{
		Severity: fhir.Fatal, Code: fhir.TooLong, ID: "limit-bytes",
		Message: fhir.Messagef("%d bytes are more than the limit of %d", "%dバイトは上限の%dバイトを超えています", size, limit),
	}}
}

// badUTF8 notes the first byte that is not UTF-8.
func (d *decoder) badUTF8() {
	at := 0
	for at < len(d.src) {
		r, n := utf8.DecodeRuneInString(d.src[at:])
		if r == utf8.RuneError && n <= 1 {
			break
		}
		at += n
	}
	d.problems.Add(at, fhir.Issue{
		Severity: fhir.Fatal, Code: fhir.Structure, ID: "json-utf8",
		Message: fhir.Messagef("the text is not UTF-8", "文字コードがUTF-8ではありません"),
	})
}
