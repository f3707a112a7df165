package insuredcard

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

// Recognise reports whether a file is of this form, by its name or by its
// header row.
func Recognise(name string, first csvform.Row) bool {
	if strings.HasPrefix(name, "介護保険被保険者証_") {
		return true
	}
	found := 0
	for _, c := range first.Cells {
		switch strings.TrimSpace(c.Text) {
		case "保険者番号", "被保険者番号", "要介護状態区分", "交付年月日":
			found++
		}
	}
	return found == 4
}

// Map maps the cards of a file: one row, one card.
func Map(ctx *form.Context, file form.File) {
	ctx.Form(care.InsuredCard)
	rows, ok := ctx.Report.Rows(file, csvform.UTF8, csvform.ShiftJIS)
	if !ok {
		return
	}
	if len(rows) == 0 {
		ctx.Report.Refuse(form.Problem{File: file.Name, ID: "file-empty", Message: fhir.Messagef("the file is empty", "ファイルが空です。")})
		return
	}
	records, unknown, _ := Sheet().ReadNamed(file.Name, rows[0], rows[1:], ctx.Report)
	for _, column := range unknown { // its name is not repeated: without a header row it would be a value
		ctx.Report.Add(form.Problem{File: file.Name, Line: rows[0].Line, Column: column, Severity: fhir.Warning, ID: "column-unknown", Message: fhir.Messagef(
			"the heading of this column is not an item of the card; the column is not taken over", "この見出しは被保険者証の項目にないため、この列は取り込みません。")})
	}
	for _, r := range records {
		number := codes.Insured(r.Text("insurer"), r.Text("insured"))
		if ctx.PeriodInOrder(r, "start", "end") && ctx.Once(r, "insured", "Coverage", care.CardNumber, number) {
			card(ctx, r, number)
		}
	}
}

func card(ctx *form.Context, r form.Record, number string) {
	ctx.Author(care.InsurerNumber, r.Text("insurer"))
	insurer := ctx.Bundle.Insurer(r.Text("insurer"), r.Text("insurer-name"))
	patient := ctx.Bundle.PutPatient(form.Person{
		Insurer: r.Text("insurer"), Insured: r.Text("insured"),
		Name: r.Text("name"), Kana: r.Text("kana"),
		BirthDate: r.Date("birth"), Gender: form.Gender(r.Text("gender")),
		Postal: r.Text("postal"), Address: r.Text("address"), Phone: r.Text("phone"),
	})

	c := form.New("Coverage", care.InsuredCardProfile, care.InsuredCard)
	certification(c, r)
	remarks(ctx, c, r)
	form.Identify(c, care.CardNumber, number)
	c.Set("status", "active")
	form.Coded(c, "type", codes.CoverageTypes(), codes.CoverageTypes().Concepts[0])
	c.Set("subscriberId", r.Text("insured"))
	form.Link(c, "beneficiary", patient)
	if r.Date("start") != "" {
		form.Period(c, "period", r.Date("start"), r.Date("end"))
	} else {
		form.Period(c, "period", r.Date("issued"), "")
	}
	form.Link(c, "payor", insurer)
	ctx.Bundle.Put(c, care.CardNumber, number, "")
}

// certification is part (二) of the card.
func certification(c *fhir.Element, r form.Record) {
	form.ExtendValue(c, care.IssuedDateExtension, "valueDate", r.Date("issued"))
	if level, ok := r.Concept("level"); ok {
		form.Coded(form.Extend(c, care.CareLevelExtension), "valueCodeableConcept", codes.CareLevels(), level)
	}
	form.ExtendValue(c, care.CertifiedDateExtension, "valueDate", r.Date("certified"))
	if limit := r.Text("limit"); limit != "" {
		form.Units(form.Extend(c, care.BenefitLimitExtension), "valueQuantity", form.DecimalValue(limit))
	}
	for n := range serviceLimits {
		service, ok := r.Concept(at("service", n))
		if limit := r.Text(at("service-limit", n)); ok && limit != "" {
			ext := form.Extend(c, care.ServiceLimitExtension)
			form.Coded(form.Extend(ext, "service"), "valueCodeableConcept", codes.ServiceKinds(), service)
			form.Units(form.Extend(ext, "limit"), "valueQuantity", form.DecimalValue(limit))
		}
	}
	form.ExtendValue(c, care.CommitteeOpinionExt, "valueString", r.Text("opinion"))
}

// remarks is part (三) of the card.
func remarks(ctx *form.Context, c *fhir.Element, r form.Record) {
	for n := range restrictions {
		if content := r.Text(at("restriction", n)); content != "" {
			ext := form.Extend(c, care.BenefitRestrictionExt)
			form.Extend(ext, "content").Set("valueString", content)
			if start, end := r.Date(at("restriction-start", n)), r.Date(at("restriction-end", n)); start+end != "" {
				form.Period(form.Extend(ext, "period"), "valuePeriod", start, end)
			}
		}
	}
	if number := r.Text("manager"); number != "" {
		office := ctx.Bundle.Office(form.Office{Number: number, Kind: care.KindCareManagerOffice, Name: r.Text("manager-name")})
		ext := form.Extend(c, care.CareManagerOfficeExt)
		form.Link(form.Extend(ext, "office"), "valueReference", office)
		form.ExtendValue(ext, "notified", "valueDate", r.Date("notified"))
	}
	for n := range stays {
		if name := r.Text(at("facility", n)); name != "" {
			ext := form.Extend(c, care.FacilityStayExtension)
			form.ExtendValue(ext, "kind", "valueString", r.Text(at("facility-kind", n)))
			form.Extend(ext, "name").Set("valueString", name)
			if start, end := r.Date(at("entered", n)), r.Date(at("left", n)); start+end != "" {
				form.Period(form.Extend(ext, "period"), "valuePeriod", start, end)
			}
		}
	}
}
