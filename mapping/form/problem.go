// Package form is the engine under the care forms: rule sheets that say what
// the columns of a file are, the reading of rows by such a sheet, the report
// of what is wrong, and the building of the FHIR transaction.
package form

import (
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
)

// File is a file as it was handed in.
type File struct {
	Name string // base name, as the program that wrote it chose it
	Data []byte
}

// Problem is something wrong with a file, said to the person who has to
// correct it: place, item in the form's own words, and what to do. It never
// contains a value of the file that could be personal.
type Problem struct {
	File     string
	Line     int // physical line, from 1; 0 where the whole file is meant
	Column   int // number of the value in its row, from 1; 0 where the row is meant
	Field    string
	Severity fhir.Severity
	ID       string // for programs: "check-digit", "code-unknown", …
	Message  fhir.Message
}

// Issue says the problem as a FHIR issue.
func (p Problem) Issue() fhir.Issue {
	code := fhir.Value
	switch p.ID {
	case "file-unknown", "file-encoding", "file-truncated", "row-columns", "quote-misplaced":
		code = fhir.Structure
	case "value-missing":
		code = fhir.Required
	case "code-unknown":
		code = fhir.CodeInvalid
	case "office-mismatch", "plan-incomplete", "plan-conflict", "record-twice":
		code = fhir.BusinessRule
	}
	en, ja := p.Message.En, p.Message.Ja
	if p.Field != "" {
		en, ja = p.Field+": "+en, p.Field+"："+ja
	}
	if p.File != "" {
		en, ja = p.File+": "+en, p.File+"："+ja
	}
	return fhir.Issue{Severity: p.Severity, Code: code, ID: p.ID, Message: fhir.Message{En: en, Ja: ja}, Line: p.Line, Column: p.Column}
}

// String is the problem on one line of a terminal, in Japanese.
func (p Problem) String() string { return p.Text(fhir.Japanese) }

// Text is the problem on one line of a terminal.
func (p Problem) Text(lang fhir.Language) string {
	out := p.File
	if p.Line > 0 {
		out += ":" + strconv.Itoa(p.Line)
		if p.Column > 0 {
			out += ":" + strconv.Itoa(p.Column)
		}
	}
	if p.Field != "" {
		out += ": " + p.Field
	}
	if lang == fhir.Japanese {
		return out + ": " + p.Message.Ja
	}
	return out + ": " + p.Message.En
}

// MaxProblems is how many problems a report lists; of more it tells the number.
const MaxProblems = 1000

// Report collects the problems of a mapping.
type Report struct {
	Problems []Problem
	Omitted  int // problems beyond MaxProblems
	Refused  int // rows that were not mapped
}

// Add appends a problem. A file of nothing but mistakes must not fill the
// memory with their description.
func (r *Report) Add(p Problem) {
	if len(r.Problems) >= MaxProblems {
		r.Omitted++
		return
	}
	r.Problems = append(r.Problems, p)
}

// Refuse appends an error that costs a row.
func (r *Report) Refuse(p Problem) {
	p.Severity = fhir.Error
	r.Add(p)
	r.Refused++
}

// text decodes a file. A file in a wrong encoding is refused whole.
func (r *Report) text(file File, allowed ...csvform.Encoding) (string, bool) {
	text, _, faults := csvform.Decode(file.Data, allowed...)
	for _, f := range faults {
		r.Refuse(Problem{File: file.Name, Line: f.Line, Column: f.Column, ID: f.ID, Message: f.Message})
	}
	return text, len(faults) == 0
}

// Rows decodes and splits a file. ok is false for a file that was refused
// whole.
func (r *Report) Rows(file File, allowed ...csvform.Encoding) (rows []csvform.Row, ok bool) {
	text, ok := r.text(file, allowed...)
	if !ok {
		return nil, false
	}
	return csvform.Parse(text), true
}
