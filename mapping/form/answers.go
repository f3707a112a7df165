package form

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/mapping/codes"
)

// Degrees are the meanings of the digits of a column of Kind Bits that knows
// more than yes and no. Its table has a concept for each digit from 0.
type Degrees func() *codes.Table

// Answer adds the answers of a record to a QuestionnaireResponse: every value
// of the row, so that the row can be written again. Columns are grouped by
// section; columns without a section are left out: they say whose the record
// is, and the response's own elements say that.
func Answer(qr *fhir.Element, r Record) {
	var group *fhir.Element
	section := ""
	for i := range r.Sheet.Columns {
		c, value := &r.Sheet.Columns[i], r.values[i]
		if value == "" || c.Section == "" {
			continue
		}
		if c.Section != section {
			section = c.Section
			group = qr.Add("item").Set("linkId", r.Sheet.sectionID(i)).Set("text", section)
		}
		answer(group, c, value)
	}
	for _, e := range r.Extra {
		if r.Sheet.Open && e.Text != "" {
			unknown := qr.Add("item").Set("linkId", unknownItem).Set("text", "定義のない項目")
			for _, part := range [][2]string{{"name", e.Name}, {"value", e.Text}} {
				if part[1] != "" {
					unknown.Add("item").Set("linkId", unknownItem+"."+part[0]).Add("answer").Set("valueString", part[1])
				}
			}
		}
	}
}

// unknownItem is the linkId of the group that holds, repeated, the names and
// values of columns the sheet does not know.
const unknownItem = "unknown"

func answer(group *fhir.Element, c *Column, value string) {
	item := group.Add("item").Set("linkId", c.ID).Set("text", c.Name)
	switch c.Kind {
	case Bits:
		for i, box := range c.Items {
			digit := value[i]
			sub := item.Add("item").Set("linkId", box.ID).Set("text", box.Name)
			if c.Degrees == nil {
				sub.Add("answer").Set("valueBoolean", boolean(digit != '0'))
				continue
			}
			table := c.Degrees()
			coding(sub.Add("answer"), table, table.Concepts[digit-'0'])
		}
	case Code:
		e := c.Codes()
		concept, _ := e.Lookup(value)
		coding(item.Add("answer"), e.Table, concept)
	case Day:
		iso, _ := codes.Date(value)
		item.Add("answer").Set("valueDate", iso)
	case Integer:
		item.Add("answer").Set("valueInteger", DecimalValue(value))
	case Decimal:
		item.Add("answer").Set("valueDecimal", DecimalValue(value))
	default:
		item.Add("answer").Set("valueString", value)
	}
}

func coding(answer *fhir.Element, table *codes.Table, c codes.Concept) {
	answer.Add("valueCoding").Set("system", table.URL).Set("code", c.Code).Set("display", c.Ja)
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// sectionID is the linkId of the group that column i is in: the number of the
// section, "s1", "s2", …
func (s *Sheet) sectionID(i int) string {
	n, last := 0, ""
	for _, c := range s.Columns[:i+1] {
		if c.Section != "" && c.Section != last {
			n, last = n+1, c.Section
		}
	}
	return "s" + string(rune('0'+n))
}

// Questionnaire adds the items of a sheet to a Questionnaire: the questions
// that Answer answers.
func (s *Sheet) Questionnaire(q *fhir.Element) {
	var group *fhir.Element
	section := ""
	for i := range s.Columns {
		c := &s.Columns[i]
		if c.Section == "" {
			continue
		}
		if c.Section != section {
			section = c.Section
			group = q.Add("item").Set("linkId", s.sectionID(i)).Set("text", section).Set("type", "group")
		}
		c.question(group)
	}
	if s.Open {
		unknown := q.Add("item").Set("linkId", unknownItem).Set("text", "定義のない項目").Set("type", "group").Set("repeats", "true")
		unknown.Add("item").Set("linkId", unknownItem+".name").Set("text", "項目名").Set("type", "string")
		unknown.Add("item").Set("linkId", unknownItem+".value").Set("text", "値").Set("type", "text")
	}
}

var questionTypes = map[Kind]string{Free: "text", Day: "date", DayOrZero: "string", OldDay: "string", Month: "string", Clock: "string",
	Integer: "integer", Decimal: "decimal", Code: "choice", Bits: "group", InsurerNo: "string", InsuredNo: "string", OfficeNo: "string"}

func (c *Column) question(group *fhir.Element) {
	item := group.Add("item").Set("linkId", c.ID).Set("text", c.Name).Set("type", questionTypes[c.Kind])
	if c.Required {
		item.Set("required", "true")
	}
	switch c.Kind {
	case Code:
		options(item, c.Codes())
	case Bits:
		for _, box := range c.Items {
			sub := item.Add("item").Set("linkId", box.ID).Set("text", box.Name)
			if c.Degrees == nil {
				sub.Set("type", "boolean")
				continue
			}
			options(sub.Set("type", "choice"), codes.Same(c.Degrees()))
		}
	}
}

func options(item *fhir.Element, e *codes.Encoding) {
	written := e.Order
	if written == nil {
		for _, c := range e.Table.Concepts {
			written = append(written, c.Code)
		}
	}
	for _, w := range written {
		if c, ok := e.Lookup(w); ok {
			coding(item.Add("answerOption"), e.Table, c)
		}
	}
}

// Say returns a value in words, for narratives: a code's meaning, a date in the
// Japanese calendar, the names of the boxes that are ticked.
func (r Record) Say(id string) string {
	c, v := r.Sheet.Column(id), r.Text(id)
	if v == "" {
		return ""
	}
	switch c.Kind {
	case Code:
		concept, _ := r.Concept(id)
		return concept.Ja
	case Day, DayOrZero:
		return codes.ToWareki(r.Date(id))
	case Bits:
		said := ""
		for i, box := range c.Items {
			if digit := v[i]; digit != '0' {
				if said != "" {
					said += "、"
				}
				said += box.Name
				if c.Degrees != nil && digit > '1' {
					said += "（" + c.Degrees().Concepts[digit-'0'].Ja + "）"
				}
			}
		}
		return said
	}
	return v
}
