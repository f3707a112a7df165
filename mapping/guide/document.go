package guide

import (
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/mapping/forms/careplan"
	"github.com/kaigofhir/kaigofhir/mapping/forms/insuredcard"
	"github.com/kaigofhir/kaigofhir/mapping/forms/life"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
)

// Pages are the reference pages of the file layouts, Markdown by file name,
// made from the rule sheets.
func Pages() map[string]string {
	return map[string]string{
		"insured-card.md": page("Insured card (介護保険被保険者証)",
			"No official file exists. This layout is kaigofhir's own: one row a card under a header row with the names below, in any order; UTF-8 or Shift_JIS; file name `介護保険被保険者証_{保険者番号}_{YYYYMMDDHHMMSS}.csv`.",
			insuredcard.Sheet()),
		"opinion.md": page("Physician's opinion (主治医意見書)",
			"The export of opinion software, format version 1.1: 121 columns, no header row, Shift_JIS (UTF-8 is read too), file name `{事業所番号}_{yyyyMMdd}{nn}.csv`. A vendor format that became common; no official one is public.",
			opinion.Sheet()),
		"care-plan.md": page("Home care plan (居宅サービス計画書)",
			"The care-plan data exchange standard V4.1 (ケアプランデータ連携標準仕様): Shift_JIS (MS932) only, CRLF, no header row, file names `KIND_[YYYYMM_]office_service_office_service_YYYYMMDDHHMMSS.CSV`. Files of one plan are joined by insurer, insured and the day the plan was made or changed. Other kinds of the standard are recognised and refused.",
			careplan.Supplement(), careplan.First(), careplan.Second(), careplan.Third()),
		"life.md": page("LIFE (科学的介護情報システム)",
			"The external interface: line 1 the kind of data, line 2 the item ids, then one record a line; or the item ids at once. Any order of columns; UTF-8 or Shift_JIS. Items this guide does not know are kept as text. Of the 2024 form of 科学的介護推進 no public layout was found.",
			life.User(), life.Promotion(), life.ADL()),
	}
}

func page(title, about string, sheets ...*form.Sheet) string {
	var b strings.Builder
	b.WriteString("# " + title + "\n\n<!-- Written by go generate ./mapping/guide. Do not edit. -->\n\n" + about + "\n")
	for _, s := range sheets {
		b.WriteString("\n## " + s.Name + "\n\n| No | Item | Id | Value | Required | Section |\n|---|---|---|---|---|---|\n")
		for i, c := range s.Columns {
			required := ""
			if c.Required {
				required = "yes"
			}
			fmt.Fprintf(&b, "| %d | %s | `%s` | %s | %s | %s |\n", i+1, c.Name, c.ID, said(c), required, c.Section)
		}
	}
	return b.String()
}

var kinds = map[form.Kind]string{
	form.Free: "text", form.Day: "YYYYMMDD", form.DayOrZero: "YYYYMMDD or 00000000", form.OldDay: "Japanese date, may be partial (昭和18年3月, 不詳)",
	form.Month: "YYYYMM", form.Clock: "HHMM", form.Integer: "whole number", form.Decimal: "number",
	form.InsurerNo: "6 digits, check digit", form.InsuredNo: "10 digits or H and 9", form.OfficeNo: "10 digits, check digit (warning only)",
}

// said is what a column may hold, in words.
func said(c form.Column) string {
	switch c.Kind {
	case form.Code:
		return c.Codes().Allowed()
	case form.Bits:
		names := make([]string, len(c.Items))
		for i, item := range c.Items {
			names[i] = item.Name
		}
		each := "0 or 1"
		if c.Degrees != nil {
			each = fmt.Sprintf("0 to %d", len(c.Degrees().Concepts)-1)
		}
		return each + " for each of: " + strings.Join(names, "、")
	}
	text := kinds[c.Kind]
	if c.Max > 0 {
		text += fmt.Sprintf(", at most %d", c.Max)
	}
	return text
}
