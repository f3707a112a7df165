package careplan

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// plan is one plan as its files tell it.
type plan struct {
	key        string
	first      *form.Record
	second     []form.Record
	third      []form.Record
	supplement *form.Record
	spoiled    bool // rows of it were refused or cut off
}

// plans gathers the rows of all files of the standard by plan, in the order
// they were met.
type plans struct {
	ctx    *form.Context
	byKey  map[string]*plan
	order  []*plan
	people map[string]form.Record // UPHOSOKU rows that are tied to no plan
	cut    bool                   // a sheet was cut off: nobody knows which plans it went on about
}

// Map maps files of the care-plan standard. A plan of which any row is refused,
// or of which rows may have been cut off, is not mapped at all: half a plan
// could be acted upon.
func Map(ctx *form.Context, files []form.File) {
	ctx.Form(care.HomeCarePlan)
	all := &plans{ctx: ctx, byKey: map[string]*plan{}, people: map[string]form.Record{}}
	for _, f := range files {
		all.read(f)
	}
	for _, p := range all.order {
		all.finish(p)
	}
}

func (a *plans) read(file form.File) {
	name, official := parseName(file.Name)
	if official {
		name.check(file.Name, a.ctx.Report)
	} else {
		a.ctx.Report.Add(form.Problem{File: file.Name, Severity: fhir.Information, ID: "file-name", Message: fhir.Messagef(
			"the file's name is not that of the standard, so it cannot be checked who sends it to whom; it was recognised by its content",
			"ファイル名が標準仕様の形式でないため、送信元・送信先を確認できません。内容から様式を判別しました。")})
	}
	rows, ok := a.ctx.Report.Rows(file, csvform.ShiftJIS)
	if !ok {
		return
	}
	if len(rows) == 0 {
		a.ctx.Report.Refuse(form.Problem{File: file.Name, ID: "file-empty", Message: fhir.Messagef("the file is empty", "ファイルが空です。")})
		return
	}
	kind := name.kind
	if !official {
		kind = unofficialKind(file.Name, rows[0])
	}
	sheet := Sheets()[kind]
	if sheet == nil {
		a.ctx.Report.Refuse(form.Problem{File: file.Name, ID: "form-unsupported", Message: fhir.Messagef(
			"this kind of file of the care-plan standard is not read; UPHOSOKU, UP1KYO, UP2KYO and UP3KYO are",
			"標準仕様のうち、この種類のファイルは取り込みに対応していません。対応しているのは UPHOSOKU、UP1KYO、UP2KYO、UP3KYO です。")})
		return
	}
	records, lost, cut := sheet.Read(file.Name, rows, a.ctx.Report)
	for _, r := range lost {
		a.plan(r).spoiled = true
	}
	for _, r := range records {
		if !a.sameVersion(rows[0], r) || kind == "UP1KYO" && official && !a.sameOffice(name, r) {
			a.plan(r).spoiled = true
			continue
		}
		a.add(kind, r)
	}
	a.cut = a.cut || cut && kind != "UPHOSOKU"
	if kind == "UP2KYO" && official && len(records) > 0 {
		a.receives(name, file.Name, records)
	}
}

// sameVersion refuses a row of another version than the file's first: the
// standard allows one version a file.
func (a *plans) sameVersion(first csvform.Row, r form.Record) bool {
	if r.Text("version") == first.Text(1) {
		return true
	}
	a.ctx.Report.Refuse(r.Problem("version", "version-mixed", fhir.Error, fhir.Messagef(
		"the version is not that of the file's first row", "CSVバージョンが先頭行と異なります。")))
	return false
}

// sameOffice refuses a first sheet whose office is not the sender in the
// file's name.
func (a *plans) sameOffice(name fileName, r form.Record) bool {
	if r.Text("office") == name.from {
		return true
	}
	a.ctx.Report.Refuse(r.Problem("office", "office-mismatch", fhir.Error, fhir.Messagef(
		"the care-manager office in the row is not the sender in the file's name", "行の居宅介護支援事業者コードがファイル名の送信元事業所番号と一致しません。")))
	return false
}

// receives warns where the office a file is sent to gives none of the services
// in it: the file may have been meant for another.
func (a *plans) receives(name fileName, file string, records []form.Record) {
	if !slices.ContainsFunc(records, func(r form.Record) bool { return r.Text("provider") == name.to }) {
		a.ctx.Report.Add(form.Problem{File: file, Field: "送信先事業所番号", Severity: fhir.Warning, ID: "office-mismatch", Message: fhir.Messagef(
			"the office in the file's name to which it is sent gives no service in any row", "ファイル名の送信先事業所が、どの行のサービス提供事業所にもありません。")})
	}
}

// plan finds or begins the plan of a row.
func (a *plans) plan(r form.Record) *plan {
	key := r.Text("insurer") + ":" + r.Text("insured") + ":" + r.Text("planned")
	p, ok := a.byKey[key]
	if !ok {
		p = &plan{key: key}
		a.byKey[key] = p
		a.order = append(a.order, p)
	}
	return p
}

// add puts a row in its place. The same plan is often sent to several offices:
// rows that say the same are taken once.
func (a *plans) add(kind string, r form.Record) {
	if kind == "UPHOSOKU" && r.Date("planned") == "" {
		a.people[codes.Insured(r.Text("insurer"), r.Text("insured"))] = r
		return
	}
	p := a.plan(r)
	switch kind {
	case "UPHOSOKU":
		a.once(p, &p.supplement, r)
	case "UP1KYO":
		a.once(p, &p.first, r)
	case "UP2KYO":
		if !slices.ContainsFunc(p.second, r.Same) {
			p.second = append(p.second, r)
		}
	case "UP3KYO":
		if !slices.ContainsFunc(p.third, r.Same) {
			p.third = append(p.third, r)
		}
	}
}

// once keeps the one row a plan has of a sheet, and reports a second one that
// says something else.
func (a *plans) once(p *plan, slot **form.Record, r form.Record) {
	if *slot == nil {
		*slot = &r
		return
	}
	if !(*slot).Same(r) {
		p.spoiled = true
		a.ctx.Report.Refuse(r.Problem("planned", "plan-conflict", fhir.Error, fhir.Messagef(
			"there is another row about the same plan that says something else", "同じ計画について内容の異なる行が別にあります。")))
	}
}

// finish maps a gathered plan, or says why not.
func (a *plans) finish(p *plan) {
	if !p.spoiled && p.first != nil && !a.ctx.PeriodInOrder(*p.first, "start", "end") {
		p.spoiled, p.first = true, nil
	}
	rows := p.rows()
	if len(rows) == 0 {
		return
	}
	at := rows[0].Problem("planned", "plan-incomplete", fhir.Error, fhir.Message{})
	switch {
	case p.spoiled:
		at.Message = fhir.Messagef("the plan is not taken over, because rows of it were refused (see there)",
			"この計画には取り込めない行があるため、計画全体を取り込みません。")
	case a.cut:
		at.Message = fhir.Messagef("the plan is not taken over, because a file that was cut off (see there) may have gone on about it",
			"途中で切れたファイルにこの計画の続きがあった可能性があるため、計画全体を取り込みません。")
	case p.first == nil:
		at.Message = fhir.Messagef("sheet 1 (UP1KYO) of this plan is not among the files", "この計画の第1表（UP1KYO）がありません。")
	default:
		a.write(p)
		return
	}
	a.ctx.Report.Add(at)
	a.ctx.Report.Refused += len(rows)
}

func (p *plan) rows() []form.Record {
	var rows []form.Record
	if p.first != nil {
		rows = append(rows, *p.first)
	}
	rows = append(append(rows, p.second...), p.third...)
	if len(rows) == 0 && p.supplement != nil {
		rows = append(rows, *p.supplement)
	}
	return rows
}
