package fhirpath

import (
	"fmt"
	"time"
)

// Precision tells how much of a date or time is given.
type Precision uint8

// The precisions. Seconds and their fractions are one precision.
const (
	Year Precision = iota + 1
	Month
	Day
	Hour
	Minute
	Second
)

// Date is System.Date, given to the year, month or day.
type Date struct{ moment }

// DateTime is System.DateTime, given to any precision, with or without an
// offset from UTC.
type DateTime struct{ moment }

// Time is System.Time, a time of day without offset.
type Time struct{ moment }

func (*Date) value()     {}
func (*DateTime) value() {}
func (*Time) value()     {}

// moment is what the three have in common.
type moment struct {
	year, month, day     int
	hour, minute, second int
	nanos                int
	digits               int // of the fraction of the second as written
	precision            Precision
	zoned                bool
	offset               int // minutes east of UTC
}

// Precision returns how much is given.
func (m *moment) Precision() Precision { return m.precision }

// String returns the form FHIR writes, "2020-02" for instance.
func (d *Date) String() string { return d.date() }

// String returns the form FHIR writes, "2020-02-03T10:00:00.000+09:00".
func (d *DateTime) String() string {
	if d.precision <= Day {
		return d.date()
	}
	return d.date() + "T" + d.clock() + d.zone()
}

// String returns the form FHIR writes, "10:30:00".
func (t *Time) String() string { return t.clock() }

func (m *moment) date() string {
	switch m.precision {
	case Year:
		return fmt.Sprintf("%04d", m.year)
	case Month:
		return fmt.Sprintf("%04d-%02d", m.year, m.month)
	}
	return fmt.Sprintf("%04d-%02d-%02d", m.year, m.month, m.day)
}

func (m *moment) clock() string {
	switch m.precision {
	case Hour:
		return fmt.Sprintf("%02d", m.hour)
	case Minute:
		return fmt.Sprintf("%02d:%02d", m.hour, m.minute)
	}
	s := fmt.Sprintf("%02d:%02d:%02d", m.hour, m.minute, m.second)
	if m.digits > 0 {
		s += "." + fmt.Sprintf("%09d", m.nanos)[:m.digits]
	}
	return s
}

func (m *moment) zone() string {
	switch {
	case !m.zoned:
		return ""
	case m.offset == 0:
		return "Z"
	case m.offset < 0:
		return fmt.Sprintf("-%02d:%02d", -m.offset/60, -m.offset%60)
	}
	return fmt.Sprintf("+%02d:%02d", m.offset/60, m.offset%60)
}

// NewDateTime returns a time as a DateTime to the millisecond, with its offset.
func NewDateTime(t time.Time) *DateTime {
	_, offset := t.Zone()
	return &DateTime{moment{
		year: t.Year(), month: int(t.Month()), day: t.Day(),
		hour: t.Hour(), minute: t.Minute(), second: t.Second(),
		nanos: t.Nanosecond() / 1e6 * 1e6, digits: 3,
		precision: Second, zoned: true, offset: offset / 60,
	}}
}

// toDate drops what a Date does not have.
func (m *moment) toDate() *Date {
	d := moment{year: m.year, month: m.month, day: m.day, precision: min(m.precision, Day)}
	return &Date{d}
}
