package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Quantity is System.Quantity: a number with a UCUM unit or a calendar
// duration. https://hl7.org/fhirpath/N1/#quantity
type Quantity struct {
	Number apd.Decimal
	Unit   string // UCUM code, or the keyword as written: "day", "days"
	// Calendar tells that Unit is a keyword: a calendar duration.
	Calendar bool
}

func (*Quantity) value() {}

// String returns the literal form: "4 'mg'" or "4 days".
func (q *Quantity) String() string {
	if q.Calendar {
		return q.Number.Text('f') + " " + q.Unit
	}
	return q.Number.Text('f') + " '" + strings.ReplaceAll(q.Unit, "'", `\'`) + "'"
}

// calendarUnit is a calendar duration's unit.
type calendarUnit uint8

const (
	noUnit calendarUnit = iota
	years
	months
	weeks
	days
	hours
	minutes
	seconds
	milliseconds
)

// keywordUnit reads a keyword such as "day" or "days".
func keywordUnit(word string) calendarUnit {
	switch word {
	case "year", "years":
		return years
	case "month", "months":
		return months
	case "week", "weeks":
		return weeks
	case "day", "days":
		return days
	case "hour", "hours":
		return hours
	case "minute", "minutes":
		return minutes
	case "second", "seconds":
		return seconds
	case "millisecond", "milliseconds":
		return milliseconds
	}
	return noUnit
}

// micros returns the length of units shorter than a month.
func (u calendarUnit) micros() int64 {
	switch u {
	case weeks:
		return 7 * microsPerDay
	case days:
		return microsPerDay
	case hours:
		return 60 * microsPerMinute
	case minutes:
		return microsPerMinute
	case seconds:
		return 1_000_000
	}
	return 1000
}

// code returns the UCUM code of the unit; that of years and months means a
// fixed length, which the calendar's does not.
func (u calendarUnit) code() string {
	return [...]string{"", "a", "mo", "wk", "d", "h", "min", "s", "ms"}[u]
}

// fixedUnit returns the calendar unit that has always the length of a UCUM
// code.
func fixedUnit(code string) calendarUnit {
	for u := weeks; u <= milliseconds; u++ {
		if u.code() == code {
			return u
		}
	}
	return noUnit
}

// duration returns the calendar unit a quantity may be added to a date with.
func (q *Quantity) duration() calendarUnit {
	if u := keywordUnit(q.Unit); u != noUnit {
		return u
	}
	return fixedUnit(q.Unit)
}

// ucumUnit returns the UCUM code, ok false for calendar years and months.
func (q *Quantity) ucumUnit() (code string, ok bool) {
	if !q.Calendar {
		return q.Unit, true
	}
	u := keywordUnit(q.Unit)
	return u.code(), u > months
}

const ucumSystem = "http://unitsofmeasure.org"

func isQuantity(t *r4.Type) bool {
	switch t.Name {
	case "Quantity", "Age", "Count", "Distance", "Duration", "SimpleQuantity", "MoneyQuantity":
		return true
	}
	return false
}

// quantityOf converts a FHIR Quantity that has a value and a UCUM code and no
// comparator. UCUM's time units become calendar durations.
// https://hl7.org/fhir/R4/fhirpath.html#quantity
func quantityOf(e *fhir.Element) (*Quantity, bool) {
	code := e.Text("code")
	if code == "" || e.Text("system") != ucumSystem || e.Get("comparator") != nil {
		return nil, false
	}
	d, ok := parseDecimal(e.Text("value"))
	if !ok {
		return nil, false
	}
	q := &Quantity{Number: d.Number, Unit: code}
	for u := years; u <= seconds; u++ {
		if u != weeks && u.code() == code {
			q.Unit, q.Calendar = keywords[u], true
		}
	}
	return q, true
}

var keywords = [...]string{"", "year", "month", "week", "day", "hour", "minute", "second", "millisecond"}

// parseQuantity reads the text form: "4", "4 days", "4 'mg'".
// https://hl7.org/fhirpath/N1/#toquantityunit-string-quantity
func parseQuantity(s string) (*Quantity, bool) {
	end := 0
	for end < len(s) && strings.IndexByte("+-.0123456789", s[end]) >= 0 {
		end++
	}
	d, ok := parseDecimal(s[:end])
	if !ok || !decimalForm(s[:end]) {
		return nil, false
	}
	rest := strings.TrimLeft(s[end:], " \t\r\n")
	q := &Quantity{Number: d.Number, Unit: "1"}
	switch {
	case rest == "":
		return q, end == len(s)
	case len(rest) > 2 && rest[0] == '\'' && rest[len(rest)-1] == '\'':
		q.Unit = rest[1 : len(rest)-1]
		return q, true
	case keywordUnit(rest) != noUnit && len(rest) < len(s[end:]):
		q.Unit, q.Calendar = rest, true
		return q, true
	}
	return nil, false
}

// decimalForm tells whether text is a sign, digits, and a fraction after a
// point: what the conversion functions accept as a decimal.
func decimalForm(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	whole, fraction, point := strings.Cut(s, ".")
	return isDigits(whole) && (!point || isDigits(fraction))
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
