package form

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
)

// Kind is what a column holds.
type Kind uint8

// The kinds of columns.
const (
	Free      Kind = iota // text
	Day                   // YYYYMMDD
	DayOrZero             // YYYYMMDD, or 00000000 for none
	OldDay                // a date of the Japanese calendar, perhaps only a year or 不詳
	Month                 // YYYYMM, or 000000 for none
	Clock                 // HHMM
	Integer
	Decimal
	Code
	Bits // one digit for each of Items
	InsurerNo
	InsuredNo
	OfficeNo
)

// Column is the rule of one column of a file.
type Column struct {
	ID   string // for programs and Questionnaire.item.linkId
	Name string // in the form's own words
	Kind Kind
	// Max is the most characters a text may have and digits a number may
	// have, 0 for no limit.
	Max      int
	Required bool
	Codes    func() *codes.Encoding // of Kind Code
	// Blank reports that a code of 0 stands for no answer.
	Blank bool
	Items []Item // of Kind Bits, in the order of the digits
	// Degrees are the meanings of the digits of Kind Bits, from 0 on; nil for no
	// and yes.
	Degrees Degrees
	Section string // heading of the form above the item
}

// Item is one box of a column of Kind Bits.
type Item struct{ ID, Name string }

// Sheet is the rule sheet of a file: its columns in order.
type Sheet struct {
	Form    string // form code
	Name    string // what people call the file
	Columns []Column
	// Open reports that files may have columns the sheet does not know, whose
	// values are kept.
	Open  bool
	index map[string]int
}

// NewSheet indexes the columns. It panics where an ID occurs twice: sheets are
// constants of the program.
func NewSheet(formCode, name string, columns ...Column) *Sheet {
	s := &Sheet{Form: formCode, Name: name, Columns: columns, index: make(map[string]int, len(columns))}
	for i, c := range columns {
		if _, twice := s.index[c.ID]; twice {
			panic("form: column " + c.ID + " occurs twice")
		}
		s.index[c.ID] = i
	}
	return s
}

// Column finds a rule by its ID. It panics on an ID the sheet does not have,
// for the same reason.
func (s *Sheet) Column(id string) *Column { return &s.Columns[s.at(id)] }

func (s *Sheet) at(id string) int {
	i, ok := s.index[id]
	if !ok {
		panic("form: " + s.Name + " has no column " + id)
	}
	return i
}

// Record is a row that obeys its sheet.
type Record struct {
	Sheet  *Sheet
	File   string
	Line   int
	values []string // by the sheet's columns; clean
	places []int    // number of the cell in the file, 0 where absent
	// Extra are the cells of columns the sheet does not know, of files with
	// named columns.
	Extra []ExtraCell
}

// ExtraCell is a value under a column name the sheet does not know.
type ExtraCell struct{ Name, Text string }

// Text returns the value of a column as the file has it.
func (r Record) Text(id string) string { return r.values[r.Sheet.at(id)] }

// Texts joins the values of several columns, empty ones left out.
func (r Record) Texts(ids ...string) string {
	var parts []string
	for _, id := range ids {
		if t := r.Text(id); t != "" {
			parts = append(parts, t)
		}
	}
	return strings.Join(parts, " ")
}

// Date returns a column of Kind Day, DayOrZero or OldDay as a FHIR date, ""
// where it is empty, zero or unknown.
func (r Record) Date(id string) string {
	c, v := r.Sheet.Column(id), r.Text(id)
	if c.Kind == OldDay {
		iso, _ := codes.Wareki(v)
		return iso
	}
	iso, _ := codes.Date(v)
	return iso
}

// Concept returns the concept behind a column of Kind Code.
func (r Record) Concept(id string) (codes.Concept, bool) {
	return r.Sheet.Column(id).Codes().Lookup(r.Text(id))
}

// Bit returns the digit of one item of a column of Kind Bits, '0' where the
// column is empty.
func (r Record) Bit(id string, item int) byte {
	if v := r.Text(id); item < len(v) {
		return v[item]
	}
	return '0'
}

// Problem begins a problem at a column of the record.
func (r Record) Problem(id, problemID string, severity fhir.Severity, m fhir.Message) Problem {
	i := r.Sheet.at(id)
	return Problem{File: r.File, Line: r.Line, Column: r.places[i], Field: r.Sheet.Columns[i].Name, Severity: severity, ID: problemID, Message: m}
}

// Same reports whether two rows of a sheet say the same.
func (r Record) Same(other Record) bool { return slices.Equal(r.values, other.values) }
