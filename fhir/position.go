package fhir

import (
	"strings"
	"unicode/utf8"
)

// LineColumn returns the line and the column, both from 1, of a byte offset in
// a text. Columns count characters, lines end with a line feed.
func LineColumn(text string, offset int) (line, column int) {
	offset = min(max(offset, 0), len(text))
	before := text[:offset]
	start := strings.LastIndexByte(before, '\n') + 1
	return 1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(before[start:])
}

// locate fills in Line and Column of issues found at the offsets, which must be
// sorted, in one pass over the text.
func locate(text string, issues []Issue, offsets []int) {
	line, start, at := 1, 0, 0
	for i, offset := range offsets {
		offset = min(max(offset, at), len(text))
		between := text[at:offset]
		if n := strings.Count(between, "\n"); n > 0 {
			line += n
			start = at + strings.LastIndexByte(between, '\n') + 1
		}
		at = offset
		issues[i].Line, issues[i].Column = line, 1+utf8.RuneCountInString(text[start:offset])
	}
}
