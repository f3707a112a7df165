package interaction

import (
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// instantForms are the forms of a FHIR dateTime and how long each lasts.
// https://hl7.org/fhir/R4/datatypes.html#dateTime
var instantForms = []struct {
	layout string
	until  func(time.Time) time.Time
}{
	{"2006-01-02T15:04:05.999999999Z07:00", func(t time.Time) time.Time {
		if t.Nanosecond() != 0 {
			return t.Add(time.Millisecond)
		}
		return t.Add(time.Second)
	}},
	{"2006-01-02T15:04Z07:00", func(t time.Time) time.Time { return t.Add(time.Minute) }},
	{"2006-01-02", func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }},
	{"2006-01", func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }},
	{"2006", func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }},
}

// parsePeriod reads a FHIR date or dateTime as the period it covers. Where it
// has no time zone, UTC is meant.
func parsePeriod(s string) (from, until time.Time, ok bool) {
	for _, form := range instantForms {
		if t, err := time.ParseInLocation(form.layout, s, search.Japan()); err == nil {
			return t, form.until(t), true
		}
	}
	return time.Time{}, time.Time{}, false
}

// parseInstant reads the beginning of a FHIR date or dateTime.
func parseInstant(s string) (time.Time, bool) {
	t, _, ok := parsePeriod(s)
	return t, ok
}
