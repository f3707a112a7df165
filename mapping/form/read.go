package form

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
)

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
	if len(rows) == 0 {
		report.Add(Problem{File: file, Line: header.Line, Severity: fhir.Warning, ID: "file-empty", Message: fhir.Messagef(
			"there are no records below the header row", "見出し行の下に記録がありません。")})
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
		v := c.check(value)
		if v.id == "" {
			continue
		}
		line := row.Line
		if place > 0 && place <= len(row.Cells) {
			line = row.Cells[place-1].Line
		}
		report.Add(Problem{File: file, Line: line, Column: place, Field: c.Name, Severity: v.severity, ID: v.id, Message: v.message})
		good = good && v.severity != fhir.Error
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
