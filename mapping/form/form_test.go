package form_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/profiles/care"
)

func newBundle() *form.Bundle {
	n := 0
	return form.NewBundle(func() string { n++; return strconv.Itoa(n) }, time.Time{})
}

// requests lists "method url ifNoneExist" of every entry.
func requests(b *form.Bundle) []string {
	var list []string
	for e := range b.Resource().All("entry") {
		list = append(list, strings.TrimSpace(e.Text("request", "method")+" "+e.Text("request", "url")+" "+e.Text("request", "ifNoneExist")))
	}
	return list
}

func TestBundleKnowsWhatItHas(t *testing.T) {
	b := newBundle()
	if b.Resource() != nil {
		t.Error("an empty transaction is a resource")
	}
	person := form.Person{Insurer: "131011", Insured: "0000000001", Name: "見本 花子"}
	first := b.Patient(person)
	if again := b.Patient(form.Person{Insurer: "131011", Insured: "0000000001"}); again != first {
		t.Errorf("the same person got %s and %s", first.URN, again.URN)
	}
	person.Address = "みほん市"
	if updated := b.PutPatient(person); updated != first {
		t.Errorf("the card's person got %s, not %s", updated.URN, first.URN)
	}
	want := []string{
		"POST Organization identifier=" + care.InsurerNumber + "|131011",
		"PUT Patient?identifier=" + care.InsuredNumber + "|131011:0000000001",
	}
	if d := cmp.Diff(want, requests(b)); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	_, patient, _ := b.Find("Patient", care.InsuredNumber, "131011:0000000001")
	if patient.Text("address", "text") != "みほん市" || patient.Text("name", "family") != "見本" {
		t.Errorf("the card does not update the person: %s", fhirjson.Append(nil, patient))
	}
}

func TestOfficeIsCompletedOnce(t *testing.T) {
	b := newBundle()
	b.Office(form.Office{Number: "4779900010"})
	b.Office(form.Office{Number: "4779900010", Name: "みほん", Address: "市"})
	b.Office(form.Office{Number: "4779900010", Name: "別の名前"})
	b.Office(form.Office{Number: "4719900013", Kind: care.KindCareOffice})
	_, o, _ := b.Find("Organization", care.OfficeNumber, "4779900010")
	if o.Text("name") != "みほん" || o.Text("address", "text") != "市" {
		t.Errorf("office: %s", fhirjson.Append(nil, o))
	}
	_, hospital, ok := b.Find("Organization", care.MedicalInstitution, "4719900013")
	if !ok || hospital.Text("type", "coding", "code") != care.KindMedicalInstitution {
		t.Error("the third digit does not make it a medical institution")
	}
}

func TestQueryEscapes(t *testing.T) {
	for value, want := range map[string]string{
		"131011:0000000001": "131011:0000000001",
		"a|b,c$d":           `a%5C%7Cb%5C%2Cc%5C%24d`,
		"x&_id=1":           "x%26_id%3D1",
		"番号 1":              "%E7%95%AA%E5%8F%B7+1",
	} {
		if got := form.Query("s", value); got != "identifier=s|"+want {
			t.Errorf("%s: got %s, want %s", value, got, want)
		}
	}
}

// sheet has a column of every kind.
func sheet() *form.Sheet {
	level := func() *codes.Encoding { return codes.Only(codes.CareLevels(), "12", "21") }
	return form.NewSheet(care.InsuredCard, "test",
		form.Column{ID: "text", Name: "文", Max: 3, Section: "s"},
		form.Column{ID: "day", Name: "日", Kind: form.Day, Required: true, Section: "s"},
		form.Column{ID: "zero", Name: "零", Kind: form.DayOrZero},
		form.Column{ID: "old", Name: "昔", Kind: form.OldDay},
		form.Column{ID: "month", Name: "月", Kind: form.Month},
		form.Column{ID: "clock", Name: "時", Kind: form.Clock},
		form.Column{ID: "whole", Name: "整", Kind: form.Integer},
		form.Column{ID: "number", Name: "数", Kind: form.Decimal},
		form.Column{ID: "code", Name: "符", Kind: form.Code, Codes: level, Blank: true},
		form.Column{ID: "bits", Name: "箱", Kind: form.Bits, Items: []form.Item{{ID: "a", Name: "甲"}, {ID: "b", Name: "乙"}}},
		form.Column{ID: "insurer", Name: "保", Kind: form.InsurerNo},
		form.Column{ID: "insured", Name: "被", Kind: form.InsuredNo},
		form.Column{ID: "office", Name: "事", Kind: form.OfficeNo},
	)
}

func TestRules(t *testing.T) {
	tests := []struct{ column, value, want string }{
		{"text", "長すぎる", "value-long warning"},
		{"day", "", "value-missing error"},
		{"day", "20260230", "date-invalid error"},
		{"zero", "00000000", ""},
		{"zero", "0", "date-invalid error"},
		{"old", "昭和18年", ""},
		{"old", "むかし", "date-unreadable warning"},
		{"month", "202613", "date-invalid error"},
		{"month", "000000", ""},
		{"clock", "2400", ""},
		{"clock", "2460", "time-invalid error"},
		{"whole", "-1", "number-invalid error"},
		{"whole", "007", ""},
		{"number", "1.5", ""},
		{"number", "1.", "number-invalid error"},
		{"number", "1e3", "number-invalid error"},
		{"number", "１", "number-invalid error"},
		{"code", "12", ""},
		{"code", "0", ""},
		{"code", "22", "code-unknown error"},
		{"bits", "01", ""},
		{"bits", "02", "code-unknown error"},
		{"bits", "011", "code-unknown error"},
		{"insurer", "131011", ""},
		{"insurer", "131010", "check-digit error"},
		{"insured", "101", "number-length error"},
		{"insured", "H000000001", ""},
		{"office", "4779900011", "check-digit warning"},
		{"office", "477990001X", "number-invalid error"},
	}
	s := sheet()
	for _, tt := range tests {
		t.Run(tt.column+" "+tt.value, func(t *testing.T) {
			row := csvform.Row{Line: 7, Closed: true}
			for i, c := range s.Columns {
				value := ""
				if c.ID == "day" {
					value = "20260401"
				}
				if c.ID == tt.column {
					value = tt.value
				}
				row.Cells = append(row.Cells, csvform.Cell{Text: value, Line: 7 + i})
			}
			var report form.Report
			records, lost, _ := s.Read("f.csv", []csvform.Row{row}, &report)
			got := ""
			for _, p := range report.Problems {
				got += p.ID + " " + string(p.Severity)
				if p.Field != s.Column(tt.column).Name || s.Columns[p.Column-1].ID != tt.column || p.Line != 6+p.Column {
					t.Errorf("wrong place: %+v", p)
				}
				if p.Issue().Message.Ja == "" || p.Message.En == "" || strings.Contains(p.Message.En+p.Message.Ja, "%!") {
					t.Errorf("wrong message: %+v", p.Message)
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			refused := strings.HasSuffix(tt.want, "error")
			if (report.Refused == 1) != refused || (len(lost) == 1) != refused || (len(records) == 0) != refused {
				t.Errorf("refused %d, lost %d, kept %d", report.Refused, len(lost), len(records))
			}
		})
	}
}

func TestNarrativeIsSafe(t *testing.T) {
	var n form.Narrative
	n.Paragraph("<script>alert(1)</script>\n&\x01")
	n.Table([2]string{"a", ""}, [2]string{"b", "\"x\""})
	want := `<div xmlns="http://www.w3.org/1999/xhtml" lang="ja" xml:lang="ja"><p>&lt;script&gt;alert(1)&lt;/script&gt;<br/>&amp;</p><table><tr><td>b</td><td>&#34;x&#34;</td></tr></table></div>`
	if got := n.Div(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestIssueSaysAll checks that what a person is told survives as an issue.
func TestIssueSaysAll(t *testing.T) {
	p := form.Problem{File: "f.csv", Line: 3, Column: 4, Field: "氏名", Severity: fhir.Error, ID: "value-missing", Message: fhir.Message{En: "empty", Ja: "空欄"}}
	want := fhir.Issue{Severity: fhir.Error, Code: fhir.Required, ID: "value-missing", Message: fhir.Message{En: "f.csv: 氏名: empty", Ja: "f.csv：氏名：空欄"}, Line: 3, Column: 4}
	if d := cmp.Diff(want, p.Issue()); d != "" {
		t.Error(d)
	}
	if got, want := p.String(), "f.csv:3:4: 氏名: 空欄"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
