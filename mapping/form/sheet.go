package form

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
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

// Read reads rows whose cells stand in the order of the sheet. Every row with
// an error is refused and reported; all its errors are. The refused rows, as
// far as they go, are returned as lost, for forms whose rows belong together.
// cut reports that the file was cut off.
func (s *Sheet) Read(file string, rows []csvform.Row, report *Report) (records, lost []Record, cut bool) {
	places := make([]int, len(s.Columns))
	for i := range places {
		places[i] = i + 1
	}
	for i, row := range rows {
		last := i == len(rows)-1
		if row.Truncated() {
			cut = true
		}
		if p, bad := s.width(file, row, last); bad {
			cut = cut || p.ID == "file-truncated"
			report.faults(file, s, row)
			report.Refuse(p)
			lost = append(lost, s.raw(file, row, places))
			continue
		}
		if rec, ok := s.record(file, row, places, report); ok {
			records = append(records, rec)
		} else {
			lost = append(lost, rec)
		}
	}
	return records, lost, cut
}

// raw takes the values of a row as they are.
func (s *Sheet) raw(file string, row csvform.Row, places []int) Record {
	rec := Record{Sheet: s, File: file, Line: row.Line, values: make([]string, len(s.Columns)), places: places}
	for i, place := range places {
		rec.values[i] = strings.TrimSpace(row.Text(place))
	}
	return rec
}

// width checks the number of cells of a row.
func (s *Sheet) width(file string, row csvform.Row, last bool) (Problem, bool) {
	have, want := len(row.Cells), len(s.Columns)
	if have == want || row.Truncated() && have < want {
		return Problem{File: file, Line: row.Line, ID: "file-truncated", Message: fhir.Messagef(
			"the file was cut off inside this row", "この行の途中でファイルが切れています。")}, have != want
	}
	p := Problem{File: file, Line: row.Line, ID: "row-columns", Message: fhir.Messagef(
		"the row has %d values but %s has %d", "この行の項目数は %[1]d ですが、%[2]sの項目数は %[3]d です。", have, s.Name, want)}
	if last && !row.Closed && have < want {
		p.ID = "file-truncated"
		p.Column = have
		p.Message = fhir.Messagef("the file was cut off here: the last row has %d of %d values and no line break",
			"ファイルがここで途切れています。最後の行の項目数が %d（本来は %d）で、改行もありません。", have, want)
	}
	return p, true
}

// ReadNamed reads rows under a header row that names the columns. Columns are
// found by name (the form's own words) or ID. Columns the sheet does not know go
// to Extra; their numbers are returned.
func (s *Sheet) ReadNamed(file string, header csvform.Row, rows []csvform.Row, report *Report) (records []Record, unknown []int, cut bool) {
	places, extra := s.places(header)
	missing := false
	for i, c := range s.Columns {
		if c.Required && places[i] == 0 {
			missing = true
			report.Add(Problem{File: file, Line: header.Line, Field: c.Name, Severity: fhir.Error, ID: "column-missing", Message: fhir.Messagef(
				"the column is missing from the header row", "見出し行にこの項目がありません。")})
		}
	}
	if missing {
		report.Refused += max(1, len(rows))
		return nil, extra, false
	}
	for i, row := range rows {
		cut = cut || row.Truncated()
		if len(row.Cells) != len(header.Cells) {
			wide := Sheet{Name: "見出し行", Columns: make([]Column, len(header.Cells))}
			p, _ := wide.width(file, row, i == len(rows)-1)
			cut = cut || p.ID == "file-truncated"
			report.faults(file, s, row)
			report.Refuse(p)
			continue
		}
		rec, ok := s.record(file, row, places, report)
		if !ok {
			continue
		}
		for _, column := range extra {
			rec.Extra = append(rec.Extra, ExtraCell{Name: header.Text(column), Text: row.Text(column)})
		}
		records = append(records, rec)
	}
	return records, extra, cut
}

func (s *Sheet) places(header csvform.Row) (places, extra []int) {
	places = make([]int, len(s.Columns))
	byName := make(map[string]int, 2*len(s.Columns))
	for i, c := range s.Columns {
		byName[c.Name] = i
	}
	for id, i := range s.index {
		byName[id] = i
	}
	for n, cell := range header.Cells {
		name := strings.TrimSpace(cell.Text)
		if i, ok := byName[name]; ok && places[i] == 0 {
			places[i] = n + 1
			continue
		}
		extra = append(extra, n+1)
	}
	return places, extra
}

// record checks one row by the rules of its columns.
func (s *Sheet) record(file string, row csvform.Row, places []int, report *Report) (Record, bool) {
	rec := Record{Sheet: s, File: file, Line: row.Line, values: make([]string, len(s.Columns)), places: places}
	good := !report.faults(file, s, row)
	for i := range s.Columns {
		c, place := &s.Columns[i], places[i]
		value := row.Text(place)
		if c.Kind != Free || strings.TrimSpace(value) == "" {
			value = strings.TrimSpace(value)
		}
		if c.Blank && value == "0" {
			value = ""
		}
		rec.values[i] = value
		id, severity, message := c.check(value)
		if id == "" {
			continue
		}
		line := row.Line
		if place > 0 && place <= len(row.Cells) {
			line = row.Cells[place-1].Line
		}
		report.Add(Problem{File: file, Line: line, Column: place, Field: c.Name, Severity: severity, ID: id, Message: message})
		good = good && severity != fhir.Error
	}
	if !good {
		report.Refused++
	}
	return rec, good
}

// faults reports what is wrong with the form of a row.
func (r *Report) faults(file string, s *Sheet, row csvform.Row) bool {
	for _, f := range row.Faults {
		p := Problem{File: file, Line: f.Line, Column: f.Column, Severity: fhir.Error, ID: f.ID, Message: f.Message}
		if f.Column > 0 && f.Column <= len(s.Columns) {
			p.Field = s.Columns[f.Column-1].Name
		}
		r.Add(p)
	}
	return len(row.Faults) > 0
}

// check applies the rule of a column to a value. No id: the value is good.
func (c *Column) check(value string) (id string, severity fhir.Severity, m fhir.Message) {
	if value == "" {
		if c.Required {
			return "value-missing", fhir.Error, fhir.Messagef("the value is required but empty", "必須の項目ですが、空欄です。")
		}
		return "", "", fhir.Message{}
	}
	if bad, ok := checks[c.Kind]; ok {
		if id, severity, m := bad(c, value); id != "" {
			return id, severity, m
		}
	}
	if c.Max > 0 && utf8.RuneCountInString(value) > c.Max {
		return "value-long", fhir.Warning, fhir.Messagef("the value is longer than the %d characters of the form", "様式の桁数（%d文字）を超えています。", c.Max)
	}
	return "", "", fhir.Message{}
}

type check func(c *Column, value string) (id string, severity fhir.Severity, m fhir.Message)

// checks are the rules of each kind but Free.
var checks = map[Kind]check{
	Day: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, ok := codes.Date(v); !ok {
			return "date-invalid", fhir.Error, dateMessage
		}
		return "", "", fhir.Message{}
	},
	DayOrZero: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, ok := codes.Date(v); !ok && v != "00000000" {
			return "date-invalid", fhir.Error, dateMessage
		}
		return "", "", fhir.Message{}
	},
	OldDay: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, ok := codes.Wareki(v); !ok {
			return "date-unreadable", fhir.Warning, fhir.Messagef("the date cannot be read and is kept as text only", "日付として読み取れないため、文字としてのみ保存します。")
		}
		return "", "", fhir.Message{}
	},
	Month: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, ok := codes.Date(v + "01"); !ok && v != "000000" {
			return "date-invalid", fhir.Error, fhir.Messagef("this is not a month; write six digits YYYYMM", "年月ではありません。YYYYMM の数字6桁で入力してください。")
		}
		return "", "", fhir.Message{}
	},
	Clock: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, ok := codes.Clock(v); !ok && v != "2400" {
			return "time-invalid", fhir.Error, fhir.Messagef("this is not a time of day; write four digits HHMM", "時刻ではありません。HHMM の数字4桁で入力してください。")
		}
		return "", "", fhir.Message{}
	},
	Integer: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, err := strconv.ParseUint(v, 10, 31); err != nil {
			return "number-invalid", fhir.Error, fhir.Messagef("this is not a whole number; write digits only", "整数ではありません。半角数字で入力してください。")
		}
		return "", "", fhir.Message{}
	},
	Decimal: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		if !decimal(v) {
			return "number-invalid", fhir.Error, fhir.Messagef("this is not a number; write digits and at most one point", "数値ではありません。半角の数字と小数点で入力してください。")
		}
		return "", "", fhir.Message{}
	},
	Code: func(c *Column, v string) (string, fhir.Severity, fhir.Message) {
		if _, ok := c.Codes().Lookup(v); !ok {
			return "code-unknown", fhir.Error, fhir.Messagef("this code is not one of the form's: %s", "様式にないコードです。使えるコード：%s", c.Codes().Allowed())
		}
		return "", "", fhir.Message{}
	},
	Bits: func(c *Column, v string) (string, fhir.Severity, fhir.Message) {
		top := byte('1')
		if c.Degrees != nil {
			top = '0' + byte(len(c.Degrees().Concepts)-1)
		}
		for i := range len(v) {
			if v[i] < '0' || v[i] > top {
				return "code-unknown", fhir.Error, fhir.Messagef("each of the digits must be between 0 and %c", "各桁は 0 から %c の数字でなければなりません。", top)
			}
		}
		if len(v) != len(c.Items) {
			return "code-unknown", fhir.Error, fhir.Messagef("the value has %d digits but the form has %d boxes", "値は %d 桁ですが、様式のチェック欄は %d 個です。", len(v), len(c.Items))
		}
		return "", "", fhir.Message{}
	},
	InsurerNo: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		return number(codes.CheckInsurer(v), fhir.Error, 6, "数字6桁", "6 digits")
	},
	InsuredNo: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		return number(codes.CheckInsured(v), fhir.Error, 10, "数字10桁、または H と数字9桁", "10 digits, or H and 9 digits")
	},
	OfficeNo: func(_ *Column, v string) (string, fhir.Severity, fhir.Message) {
		return number(codes.CheckOffice(v), fhir.Warning, 10, "数字10桁", "10 digits")
	},
}

var dateMessage = fhir.Message{
	En: "this is not a day of the calendar; write eight digits YYYYMMDD",
	Ja: "暦にない日付です。YYYYMMDD の数字8桁で入力してください。",
}

func number(fault codes.NumberFault, checkDigit fhir.Severity, length int, ja, en string) (string, fhir.Severity, fhir.Message) {
	switch fault {
	case codes.BadLength:
		return "number-length", fhir.Error, fhir.Messagef("the number must have %[1]s; leading zeros may have been lost", "番号は%[2]sです。先頭の 0 が失われていないか確認してください。", en, ja)
	case codes.BadCharacter:
		return "number-invalid", fhir.Error, fhir.Messagef("the number must have %[1]s, in half-width characters", "番号は%[2]s（半角）です。", en, ja)
	case codes.BadCheckDigit:
		return "check-digit", checkDigit, fhir.Messagef("the check digit (the last of %d digits) is wrong: a digit was mistyped", "検証番号（%d桁目）が合いません。番号の入力誤りがないか確認してください。", length)
	}
	return "", "", fhir.Message{}
}

// decimal reports whether v is a decimal of FHIR's without sign and exponent.
// https://hl7.org/fhir/R4/datatypes.html#decimal
func decimal(v string) bool {
	whole, fraction, point := strings.Cut(v, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return digits(whole) && (!point || digits(fraction)) && len(v) <= 18
}

// DecimalValue returns a number as FHIR writes it: without zeros in front.
func DecimalValue(v string) string {
	v = strings.TrimLeft(v, "0")
	if v == "" || v[0] == '.' {
		v = "0" + v
	}
	return v
}

// Same reports whether two rows of a sheet say the same.
func (r Record) Same(other Record) bool { return slices.Equal(r.values, other.values) }
