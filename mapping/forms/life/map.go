package life

import (
	"regexp"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

var kindForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]+$`)

// Recognise reports whether a file is of LIFE, by its first row: a kind of data
// alone, or item ids.
func Recognise(name string, first csvform.Row) bool {
	if len(first.Cells) == 1 {
		kind := strings.TrimSpace(first.Text(1))
		return kind == kindUser || strings.HasPrefix(kind, "FORM_") || kindForm.MatchString(kind) && strings.HasSuffix(kind, "_2024")
	}
	return slices.ContainsFunc(first.Cells, func(c csvform.Cell) bool { return strings.TrimSpace(c.Text) == "care_facility_id" }) ||
		strings.HasPrefix(name, kindUser) || strings.HasPrefix(name, "FORM_0")
}

// Map maps the files of LIFE that were handed in together.
func Map(ctx *form.Context, files []form.File) {
	ctx.Form(care.LifeFeedback)
	m := mapper{ctx: ctx, people: map[string]form.Record{}, seen: map[string]bool{}}
	for _, f := range files {
		m.read(f)
	}
	m.write()
}

type mapper struct {
	ctx     *form.Context
	people  map[string]form.Record // SERVICE_USER_INFO by insurer and insured
	users   []form.Record          // the same in the order of the files
	records []record
	seen    map[string]bool // records by business identifier
}

// record is one row of a form.
type record struct {
	form.Record
	kind     string
	previous *record // the same person's record before this one, in these files
}

func person(r form.Record) string { return codes.Insured(r.Text("insurer_no"), r.Text("insured_no")) }

func (m *mapper) read(file form.File) {
	rows, ok := m.ctx.Report.Rows(file, csvform.UTF8, csvform.ShiftJIS)
	if !ok {
		return
	}
	kind, header, rows := split(rows)
	if header == nil {
		m.ctx.Report.Refuse(form.Problem{File: file.Name, Line: 1, ID: "file-truncated", Message: fhir.Messagef(
			"the row of item ids (line 2) is missing: the file was cut off", "2行目の項目IDの行がありません。ファイルが途中で切れています。")})
		return
	}
	kind, sheet := recognise(kind, *header)
	if sheet == nil {
		m.ctx.Report.Refuse(form.Problem{File: file.Name, Line: 1, ID: "form-unsupported", Message: fhir.Messagef(
			"this kind of LIFE data is not read; %s, %s, %s and %s are", "この種類の LIFE データは取り込みに対応していません。対応しているのは %s、%s、%s、%s です。",
			kindUser, kindPromotion, kindADL, kindADL2024)})
		return
	}
	records, unknown, _ := sheet.ReadNamed(file.Name, *header, rows, m.ctx.Report)
	if len(unknown) > 0 && sheet != User() {
		m.ctx.Report.Add(form.Problem{File: file.Name, Line: header.Line, Severity: fhir.Information, ID: "column-unknown", Message: fhir.Messagef(
			"items of this file that are not known here and are kept as text: %d", "このファイルの %d 項目は項目定義が不明なため、文字としてのみ保存します。", len(unknown))})
	}
	for _, r := range records {
		if sheet == User() {
			m.people[person(r)] = r
			m.users = append(m.users, r)
			m.ctx.Author(author(r))
			continue
		}
		m.add(record{Record: r, kind: kind})
	}
}

// split takes the line that names the kind of data and the line of item ids
// off the rows.
func split(rows []csvform.Row) (kind string, header *csvform.Row, rest []csvform.Row) {
	if len(rows) > 0 && len(rows[0].Cells) == 1 {
		kind, rows = strings.TrimSpace(rows[0].Text(1)), rows[1:]
	}
	if len(rows) == 0 {
		return kind, nil, nil
	}
	return kind, &rows[0], rows[1:]
}

// recognise finds the sheet of a kind of data, or of a file that names none by
// the items it has.
func recognise(kind string, header csvform.Row) (string, *form.Sheet) {
	has := func(id string) bool {
		return slices.ContainsFunc(header.Cells, func(c csvform.Cell) bool { return strings.TrimSpace(c.Text) == id })
	}
	switch kind {
	case kindUser:
		return kind, User()
	case kindPromotion:
		return kind, Promotion()
	case kindADL, kindADL2024:
		return kind, ADL()
	}
	switch {
	case kind == "" && has("last_name"):
		return kindUser, User()
	case !has("barthel_index_meal"):
		return kind, nil
	case has("first_month"):
		return kindADL2024, ADL()
	case kind == "":
		return kindPromotion, Promotion()
	case strings.HasSuffix(kind, "_2024"):
		return kind, Promotion()
	}
	return kind, nil
}

func (m *mapper) add(r record) {
	if m.seen[r.number()] {
		m.ctx.Report.Refuse(r.Problem("external_system_management_number", "record-twice", fhir.Error, fhir.Messagef(
			"an earlier row has the same number; it must be different for every record of a form", "同じ外部システム管理番号の行が前にあります。様式の記録ごとに異なる番号が必要です。")))
		return
	}
	if r.evaluated() == "" {
		column := "adl_evaluate"
		if r.kind == kindADL2024 {
			column = "evaluate_date"
		}
		m.ctx.Report.Refuse(r.Problem(column, "value-missing", fhir.Error, fhir.Messagef("the value is required but empty", "必須の項目ですが、空欄です。")))
		return
	}
	m.seen[r.number()] = true
	m.records = append(m.records, r)
}

// evaluated is the day of the evaluation.
func (r record) evaluated() string {
	if day := r.Date("evaluate_date"); day != "" {
		return day
	}
	return r.Date("adl_evaluate")
}

// number is the business identifier of the record.
func (r record) number() string {
	return strings.Join([]string{r.Text("care_facility_id"), r.Text("service_code"), r.kind, r.Text("external_system_management_number")}, ":")
}

func author(r form.Record) (system, number string) {
	system, _ = codes.OrganizationSystem(r.Text("care_facility_id"))
	return system, r.Text("care_facility_id")
}

// write maps everything that was read: the people first, then each record,
// oldest first, so that a feedback sheet can look back.
func (m *mapper) write() {
	for _, u := range m.users {
		m.patient(u)
	}
	order := make([]*record, len(m.records))
	for i := range m.records {
		order[i] = &m.records[i]
	}
	slices.SortStableFunc(order, func(a, b *record) int { return strings.Compare(a.evaluated(), b.evaluated()) })
	last := map[string]*record{}
	for _, r := range order {
		who := person(r.Record) + r.Text("care_facility_id") + r.kind
		r.previous = last[who]
		last[who] = r
		m.record(*r)
	}
}

// patient adds a person as SERVICE_USER_INFO tells.
func (m *mapper) patient(u form.Record) form.Ref {
	return m.ctx.Bundle.Patient(form.Person{
		Insurer: u.Text("insurer_no"), Insured: u.Text("insured_no"),
		Name:      strings.TrimSpace(u.Text("last_name") + "　" + u.Text("first_name")),
		Kana:      strings.Trim(u.Text("last_name_kana")+"　"+u.Text("first_name_kana"), "　"),
		BirthDate: u.Date("birthday"), Gender: form.Gender(u.Text("gender")), Deceased: u.Date("death_date"),
	})
}

// record maps one row.
func (m *mapper) record(r record) {
	b := m.ctx.Bundle
	m.ctx.Author(author(r.Record))
	o := &out{record: r, bundle: b,
		office:  b.Office(form.Office{Number: r.Text("care_facility_id"), Kind: care.KindCareOffice}),
		patient: b.Patient(form.Person{Insurer: r.Text("insurer_no"), Insured: r.Text("insured_no")}),
	}
	o.answers()
	o.observations()
	o.feedback()
}
