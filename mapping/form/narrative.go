package form

import (
	"html"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

const xhtml = "http://www.w3.org/1999/xhtml"

// Narrative builds the human-readable text of a resource.
// https://hl7.org/fhir/R4/narrative.html
type Narrative struct{ b strings.Builder }

// Heading appends a heading.
func (n *Narrative) Heading(text string) { n.b.WriteString("<h3>" + inline(text) + "</h3>") }

// Paragraph appends a paragraph.
func (n *Narrative) Paragraph(text string) { n.b.WriteString("<p>" + inline(text) + "</p>") }

// Table appends a table of items and values; rows without a value are left
// out, and so is a table without rows.
func (n *Narrative) Table(rows ...[2]string) {
	var t strings.Builder
	for _, r := range rows {
		if r[1] != "" {
			t.WriteString("<tr><td>" + inline(r[0]) + "</td><td>" + inline(r[1]) + "</td></tr>")
		}
	}
	if t.Len() > 0 {
		n.b.WriteString("<table>" + t.String() + "</table>")
	}
}

// Empty reports that nothing was appended.
func (n *Narrative) Empty() bool { return n.b.Len() == 0 }

// Div returns the XHTML fragment FHIR wants.
func (n *Narrative) Div() string {
	return `<div xmlns="` + xhtml + `" lang="ja" xml:lang="ja">` + n.b.String() + "</div>"
}

// Page returns a whole HTML page.
func (n *Narrative) Page(title string) string {
	return `<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"/><title>` + inline(title) + `</title></head><body>` + n.b.String() + "</body></html>"
}

// Put sets the narrative of a resource or section, if there is any.
func (n *Narrative) Put(e *fhir.Element) {
	if !n.Empty() {
		e.Add("text").Set("status", "generated").Set("div", n.Div())
	}
}

// inline escapes text for XHTML, which has no characters below space but tab
// and line breaks.
func inline(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	return strings.ReplaceAll(html.EscapeString(s), "\n", "<br/>")
}
