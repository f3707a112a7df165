package form

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Identifier is a business identifier.
type Identifier struct{ System, Value string }

// Context is what the code of a form works with: where resources and problems
// go.
type Context struct {
	Bundle  *Bundle
	Report  *Report
	Authors []Identifier
	Forms   []string
}

// Author notes the organisation that a file names as its author.
func (c *Context) Author(system, value string) {
	if id := (Identifier{system, value}); !slices.Contains(c.Authors, id) {
		c.Authors = append(c.Authors, id)
	}
}

// Form notes that files of a form were among those handed in.
func (c *Context) Form(code string) {
	if !slices.Contains(c.Forms, code) {
		c.Forms = append(c.Forms, code)
	}
}

// PeriodInOrder reports, as an error that costs the row, a period that ends
// before it begins.
func (c *Context) PeriodInOrder(r Record, start, end string) bool {
	from, to := r.Date(start), r.Date(end)
	if from == "" || to == "" || from <= to {
		return true
	}
	c.Report.Refuse(r.Problem(end, "period-reversed", fhir.Error, fhir.Messagef(
		"the period ends before it begins", "期間の終了日が開始日より前です。")))
	return false
}

// Once reports, as an error that costs the row, a record that an earlier row
// was about already. The column is the one that identifies it.
func (c *Context) Once(r Record, column, resourceType, system, value string) bool {
	if _, _, twice := c.Bundle.Find(resourceType, system, value); !twice {
		return true
	}
	c.Report.Refuse(r.Problem(column, "record-twice", fhir.Error, fhir.Messagef(
		"an earlier row is about the same record", "同じ記録についての行が前にあります。")))
	return false
}
