package csvform

import (
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Row is one record of a file.
type Row struct {
	Line  int // physical line on which the record begins, from 1
	Cells []Cell
	// Closed reports that a line break ended the record. The last record of a
	// file may do without.
	Closed bool
	// Faults are what is wrong with the form of this record.
	Faults []Fault
}

// Cell is one value of a record.
type Cell struct {
	Text string // without quotes; line breaks inside are "\n"
	Line int    // physical line on which it begins
}

// Text returns the value of the cell with that number, from 1, "" beyond the
// last.
func (r Row) Text(column int) string {
	if column < 1 || column > len(r.Cells) {
		return ""
	}
	return r.Cells[column-1].Text
}

// Blank reports a record without any value, as an empty line gives.
func (r Row) Blank() bool {
	for _, c := range r.Cells {
		if c.Text != "" {
			return false
		}
	}
	return len(r.Faults) == 0
}

// Truncated reports whether the record shows that the file was cut off.
func (r Row) Truncated() bool {
	for _, f := range r.Faults {
		if f.ID == "file-truncated" {
			return true
		}
	}
	return false
}

// Parse splits text into records. It never fails: what is wrong stands in the
// Faults of the record it is in, and reading goes on. Blank lines are left
// out. The vertical tab, which the opinion export writes for a line break, is
// read as one.
func Parse(text string) []Row {
	p := parser{text: text, line: 1}
	var rows []Row
	for p.at < len(p.text) {
		row := p.row()
		if !row.Blank() {
			rows = append(rows, row)
		}
	}
	return rows
}

type parser struct {
	text string
	at   int
	line int
}

func (p *parser) row() Row {
	row := Row{Line: p.line}
	for {
		p.cell(&row)
		if p.at >= len(p.text) {
			return row
		}
		if p.text[p.at] == ',' {
			p.at++
			if p.at < len(p.text) {
				continue
			}
			row.Cells = append(row.Cells, Cell{Line: p.line}) // "a," ends the file: an empty last cell
			return row
		}
		p.newline()
		row.Closed = true
		return row
	}
}

// cell reads one cell up to, not including, the comma or line break after it.
func (p *parser) cell(row *Row) {
	start := p.line
	if p.at < len(p.text) && p.text[p.at] == '"' {
		p.quoted(row, start)
	} else {
		end := p.at
		for end < len(p.text) && !strings.ContainsRune(",\r\n", rune(p.text[end])) {
			end++
		}
		value := p.text[p.at:end]
		if strings.ContainsRune(value, '"') {
			row.fault(start, len(row.Cells)+1, "quote-misplaced",
				"a quotation mark stands inside a value that does not begin with one; values with quotation marks must be wholly in quotation marks",
				"引用符で始まらない値の中に引用符（\"）があります。引用符を含む値は全体を引用符で囲んでください。")
		}
		row.Cells = append(row.Cells, Cell{Text: value, Line: start})
		p.at = end
	}
	p.check(row)
}

func (p *parser) quoted(row *Row, start int) {
	var b strings.Builder
	column := len(row.Cells) + 1
	p.at++
	for p.at < len(p.text) {
		c := p.text[p.at]
		switch {
		case c == '"' && p.at+1 < len(p.text) && p.text[p.at+1] == '"':
			b.WriteByte('"')
			p.at += 2
		case c == '"':
			p.at++
			p.afterQuote(row, column, &b)
			row.Cells = append(row.Cells, Cell{Text: b.String(), Line: start})
			return
		case c == '\r' || c == '\n':
			p.newline()
			b.WriteByte('\n')
		default:
			b.WriteByte(c)
			p.at++
		}
	}
	row.Cells = append(row.Cells, Cell{Text: b.String(), Line: start})
	row.fault(start, column, "file-truncated",
		"the quotation mark opened here is never closed: the file was cut off, or a quotation mark is missing",
		"ここで始まる引用符（\"）が閉じられていません。ファイルが途中で切れているか、引用符が不足しています。")
}

// afterQuote reports and keeps what stands between a closing quotation mark
// and the next comma or line break.
func (p *parser) afterQuote(row *Row, column int, b *strings.Builder) {
	from := p.at
	for p.at < len(p.text) && !strings.ContainsRune(",\r\n", rune(p.text[p.at])) {
		p.at++
	}
	if from == p.at {
		return
	}
	b.WriteString(p.text[from:p.at])
	row.fault(p.line, column, "quote-misplaced",
		"there is text after the closing quotation mark; a quotation mark inside a value must be doubled",
		"閉じる引用符の後に文字があります。値の中の引用符は二重（\"\"）にしてください。")
}

// newline steps over one line break.
func (p *parser) newline() {
	if strings.HasPrefix(p.text[p.at:], "\r\n") {
		p.at++
	}
	p.at++
	p.line++
}

// check looks for characters that cannot be: lost in decoding, of the sender's
// own making, or controls. Each kind is reported once a cell, at its line.
func (p *parser) check(row *Row) {
	cell := &row.Cells[len(row.Cells)-1]
	column, line := len(row.Cells), cell.Line
	if clean(cell.Text) {
		return
	}
	cell.Text = strings.ReplaceAll(cell.Text, "\v", "\n")
	var lost, private, control bool
	for _, r := range cell.Text {
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && !lost:
			lost = true
			row.fault(line, column, "character-broken",
				"a character here does not exist in the file's encoding; it was damaged on the way, or the file was cut in the middle of it",
				"文字コードに存在しない文字があります。途中で壊れたか、文字の途中でファイルが切れています。")
		case r >= 0xE000 && r <= 0xF8FF && !private:
			private = true
			row.fault(line, column, "character-private",
				"a character here is the sender's own (gaiji) and means nothing elsewhere; replace it",
				"外字（利用者定義文字）が使われています。他のシステムでは表示できないため、別の文字に置き換えてください。")
		case (r < 0x20 && r != '\t' || r == 0x7F) && !control:
			control = true
			row.fault(line, column, "character-control",
				"a control character stands inside the value",
				"値の中に制御文字があります。")
		}
	}
}

// clean is the fast path of check: printable ASCII and nothing that check
// looks for.
func clean(s string) bool {
	for _, r := range s {
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7F || r == utf8.RuneError || r >= 0xE000 && r <= 0xF8FF {
			return false
		}
	}
	return true
}

func (r *Row) fault(line, column int, id, en, ja string) {
	r.Faults = append(r.Faults, Fault{Line: line, Column: column, ID: id, Message: fhir.Message{En: en, Ja: ja}})
}
