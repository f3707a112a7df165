package opinion

import (
	"regexp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
)

// consentAbolished is the first day of forms without the consent box.
const consentAbolished = "2026-04-01"

var officialName = regexp.MustCompile(`^(\d{10})_\d{8}\d{2}\.(?i:csv)$`)

// Recognise reports whether a file is of this form, by its name or by its
// first row.
func Recognise(name string, first csvform.Row) bool {
	if officialName.MatchString(name) {
		return true
	}
	switch first.Text(1) {
	case "1.0", "1.1", "I1.0":
		return len(first.Cells) > 20
	}
	return false
}

// Map maps the opinions of a file: one row, one opinion.
func Map(ctx *form.Context, file form.File) {
	ctx.Form(care.PhysicianOpinion)
	rows, ok := ctx.Report.Rows(file, csvform.ShiftJIS, csvform.UTF8)
	if !ok {
		return
	}
	if len(rows) == 0 {
		ctx.Report.Refuse(form.Problem{File: file.Name, ID: "file-empty", Message: fhir.Messagef("the file is empty", "ファイルが空です。")})
		return
	}
	if v := rows[0].Text(1); v != Version && len(rows[0].Cells) != len(Sheet().Columns) {
		ctx.Report.Refuse(form.Problem{File: file.Name, Line: rows[0].Line, Column: 1, Field: "FormatVersion", ID: "version-unknown", Message: fhir.Messagef(
			"only format version %s, with %d columns, can be read; choose it in the opinion software",
			"読み込めるのはバージョン %s（%d項目）の出力だけです。意見書ソフトで出力形式を選び直してください。", Version, len(Sheet().Columns))})
		return
	}
	records, _, _ := Sheet().Read(file.Name, rows, ctx.Report)
	for _, r := range records {
		o := opinion{ctx: ctx, Record: r}
		if checkName(ctx, r) && ctx.Once(r, "written", "DocumentReference", care.OpinionNumber, o.number()) {
			o.write()
		}
	}
}

// checkName compares the office in the file's name with the row's.
func checkName(ctx *form.Context, r form.Record) bool {
	m := officialName.FindStringSubmatch(r.File)
	if m == nil || m[1] == r.Text("institution") {
		return true
	}
	ctx.Report.Refuse(r.Problem("institution", "office-mismatch", fhir.Error, fhir.Messagef(
		"the office number in the row is not the one in the file's name", "行の事業所番号がファイル名の事業所番号と一致しません。")))
	return false
}

// opinion is one opinion on its way to FHIR.
type opinion struct {
	form.Record
	ctx *form.Context
	doc *document
}

// number is the business identifier of the opinion.
func (o opinion) number() string {
	return o.Text("insurer") + ":" + o.Text("insured") + ":" + o.Text("institution") + ":" + o.Text("written")
}

func (o opinion) person() form.Person {
	return form.Person{
		Insurer: o.Text("insurer"), Insured: o.Text("insured"), Name: o.Text("name"), Kana: o.Text("kana"),
		BirthDate: o.Date("birth"), Gender: form.Gender(o.Text("gender")),
		Postal: o.Text("postal"), Address: o.Text("address"), Phone: o.Text("phone"),
	}
}

func (o opinion) institution() form.Office {
	return form.Office{
		Number: o.Text("institution"), Name: o.Text("institution-name"), Kind: care.KindMedicalInstitution,
		Postal: o.Text("institution-postal"), Address: o.Text("institution-address"),
		Phone: o.Text("institution-phone"), Fax: o.Text("institution-fax"),
	}
}

// write adds the opinion to the transaction: its document, the reference to it
// and those it is about and from.
func (o opinion) write() {
	b := o.ctx.Bundle
	system, _ := codes.OrganizationSystem(o.Text("institution"))
	o.ctx.Author(system, o.Text("institution"))
	b.Insurer(o.Text("insurer"), o.Text("insurer-name"))
	institution := b.Office(o.institution())
	patient := b.Patient(o.person())
	author := institution
	if o.Text("physician-number") != "" {
		author = b.Create(physician(o.Record), care.OpinionPhysicianNumber, physicianNumber(o.Record), "")
	}
	document := b.Put(o.document(patient), care.OpinionNumber, o.number(), "")

	d := form.New("DocumentReference", care.OpinionProfile, care.PhysicianOpinion)
	o.consent(d)
	master := d.Add("masterIdentifier")
	master.Set("system", care.OpinionNumber).Set("value", o.number())
	form.Identify(d, care.OpinionNumber, o.number())
	d.Set("status", "current").Set("docStatus", "final")
	kind, _ := codes.Forms().Lookup(care.PhysicianOpinion)
	form.Coded(d, "type", codes.Forms(), kind)
	form.Coded(d, "category", codes.Forms(), kind)
	form.Link(d, "subject", patient)
	d.Set("date", midnight(o.Date("written")))
	form.Link(d, "author", author)
	form.Link(d, "custodian", institution)
	d.Add("content").Add("attachment").Set("contentType", "application/fhir+json").Set("language", "ja").
		Set("url", document.URN).Set("title", "主治医意見書").Set("creation", midnight(o.Date("written")))
	o.context(d)
	b.Put(d, care.OpinionNumber, o.number(), "")
}

// consent takes over the physician's consent box, from forms that have it.
// R15: where the physician refuses, the opinion and its document are withheld
// from those who would read it on the person's consent.
func (o opinion) consent(d *fhir.Element) {
	if o.Text("consent") == "" {
		return
	}
	if o.Date("written") >= consentAbolished {
		o.ctx.Report.Add(o.Problem("consent", "consent-abolished", fhir.Information, fhir.Messagef(
			"the consent box was abolished on forms written from 2026-04-01 and has no effect", "医師の同意欄は2026年4月1日以降の様式では廃止されており、効力はありません。")))
		return
	}
	form.Extend(d, care.PhysicianConsentExt).Set("valueBoolean", map[bool]string{true: "true", false: "false"}[!o.refused()])
	o.withhold(d)
}

// refused reports whether the physician's box says no and still counts.
func (o opinion) refused() bool {
	return o.Text("consent") == "2" && o.Date("written") < consentAbolished
}

// withhold marks what the physician refuses to share.
func (o opinion) withhold(e *fhir.Element) {
	if o.refused() {
		e.Get("meta").Add("security").Set("system", sharing.RestrictionSystem).Set("code", sharing.PhysicianWithheld)
	}
}

// context says when the person was last examined and which request of the
// insurer the opinion answers.
func (o opinion) context(d *fhir.Element) {
	request := o.Text("request")
	if request == "" && o.Date("examined") == "" {
		return
	}
	c := d.Add("context")
	if day := o.Date("examined"); day != "" {
		form.Period(c, "period", day, o.Date("written"))
	}
	if request != "" {
		c.Add("related").Set("type", "ServiceRequest").Add("identifier").
			Set("system", care.OpinionRequestNumber).Set("value", o.Text("insurer")+":"+request)
	}
}

// midnight is the beginning of a day in Japan as an instant: the forms give
// days, some elements of FHIR want instants.
func midnight(day string) string { return day + "T00:00:00+09:00" }

func physicianNumber(r form.Record) string {
	return r.Text("institution") + ":" + r.Text("physician-number")
}

func physician(r form.Record) *fhir.Element {
	p := fhir.NewResource("Practitioner")
	p.Add("meta").Add("profile").SetValue(care.PractitionerProfile)
	if r.Text("physician-number") != "" {
		form.Identify(p, care.OpinionPhysicianNumber, physicianNumber(r))
	}
	form.AddNames(p, r.Text("physician"), "")
	return p
}
