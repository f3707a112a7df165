package mapping_test

import (
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/mapping/csvform"
	"github.com/kaigofhir/kaigofhir/mapping/form"
	"github.com/kaigofhir/kaigofhir/mapping/forms/life"
	"github.com/kaigofhir/kaigofhir/mapping/forms/opinion"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
)

// TestLossless writes every row of the opinions and of LIFE again from the
// answers kept of it: nothing of a form may be lost on the way. Columns without
// a section say who and whose the record is; they are in the resources of
// those.
func TestLossless(t *testing.T) {
	for _, tt := range []struct {
		sender, file string
		sheet        *form.Sheet
		header       int // rows before the first record
	}{
		{"hospital", "4719900013_", opinion.Sheet(), 0},
		{"day-care", "FORM_0000_2021", life.Promotion(), 2},
	} {
		t.Run(tt.sender, func(t *testing.T) {
			file := sample(t, tt.sender, tt.file)
			text, _, _ := csvform.Decode(file.Data, csvform.ShiftJIS, csvform.UTF8)
			rows := csvform.Parse(text)
			column := columns(tt.sheet, rows, tt.header)
			responses := answersOf(mapping.Map([]mapping.File{file}, options()).Bundle)
			if len(responses) != len(rows)-tt.header {
				t.Fatalf("%d responses for %d rows", len(responses), len(rows)-tt.header)
			}
			for n, row := range rows[tt.header:] {
				for i := range tt.sheet.Columns {
					c := &tt.sheet.Columns[i]
					want := row.Text(column[i])
					if c.Section == "" || c.Blank && want == "0" {
						continue
					}
					if got := written(c, find(responses[n], c.ID)); got != want {
						t.Errorf("row %d, %s: %q is written again as %q", n+1, c.ID, want, got)
					}
				}
			}
		})
	}
}

func sample(t *testing.T, sender, prefix string) mapping.File {
	t.Helper()
	for _, o := range samples.Organizations() {
		if o.Key != sender {
			continue
		}
		for _, f := range samples.Of(o) {
			if strings.HasPrefix(f.Name, prefix) {
				return f
			}
		}
	}
	t.Fatalf("no sample %s of %s", prefix, sender)
	return mapping.File{}
}

// columns tells the place in the file of each column of the sheet.
func columns(sheet *form.Sheet, rows []csvform.Row, header int) []int {
	places := make([]int, len(sheet.Columns))
	for i, c := range sheet.Columns {
		if header == 0 {
			places[i] = i + 1
			continue
		}
		for n, cell := range rows[header-1].Cells {
			if cell.Text == c.ID {
				places[i] = n + 1
			}
		}
	}
	return places
}

// answersOf collects the QuestionnaireResponses of a transaction and of the
// documents in it.
func answersOf(e *fhir.Element) []*fhir.Element {
	var list []*fhir.Element
	e.Walk(func(e *fhir.Element) bool {
		if e.ResourceType() == "QuestionnaireResponse" {
			list = append(list, e)
			return false
		}
		return true
	})
	return list
}

func find(e *fhir.Element, linkID string) *fhir.Element {
	var found *fhir.Element
	e.Walk(func(e *fhir.Element) bool {
		if e.Name == "item" && e.Text("linkId") == linkID {
			found = e
		}
		return found == nil
	})
	return found
}

// written is the text a file has for an answer.
func written(c *form.Column, item *fhir.Element) string {
	if item == nil {
		return ""
	}
	switch c.Kind {
	case form.Bits:
		digits := ""
		for sub := range item.All("item") {
			digits += digit(c, sub.Get("answer"))
		}
		return digits
	case form.Code:
		e := c.Codes()
		order := e.Order
		if order == nil {
			return item.Text("answer", "valueCoding", "code")
		}
		for _, w := range order {
			if concept, _ := e.Lookup(w); concept.Code == item.Text("answer", "valueCoding", "code") {
				return w
			}
		}
		return "?"
	case form.Day:
		return strings.ReplaceAll(item.Text("answer", "valueDate"), "-", "")
	case form.Integer:
		return item.Text("answer", "valueInteger")
	case form.Decimal:
		return item.Text("answer", "valueDecimal")
	}
	return item.Text("answer", "valueString")
}

func digit(c *form.Column, answer *fhir.Element) string {
	if c.Degrees == nil {
		return map[string]string{"true": "1", "false": "0"}[answer.Text("valueBoolean")]
	}
	for i, concept := range c.Degrees().Concepts {
		if concept.Code == answer.Text("valueCoding", "code") {
			return string(rune('0' + i))
		}
	}
	return "?"
}
