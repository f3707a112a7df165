package fhirpath

import (
	"time"

	"github.com/cockroachdb/apd/v3"
)

// shift adds an amount of a calendar unit. Above seconds the fraction of the
// amount is ignored; an amount finer than what the moment gives is first
// turned, truncating, into the finest unit it does give. ok is false where the
// result leaves the calendar.
// https://hl7.org/fhirpath/N1/#datetime-arithmetic
func (m moment) shift(amount *apd.Decimal, unit calendarUnit) (result moment, ok bool) {
	micros, ok := amountOf(amount, unit)
	if !ok {
		return m, false
	}
	switch unit {
	case years:
		return m.addMonths(micros * 12)
	case months:
		if m.precision == Year {
			micros = micros / 12 * 12
		}
		return m.addMonths(micros)
	}
	switch m.precision {
	case Year:
		return m.addMonths(micros / (365 * microsPerDay) * 12)
	case Month:
		return m.addMonths(micros / (30 * microsPerDay))
	case Day:
		micros = micros / microsPerDay * microsPerDay
	case Hour:
		micros = micros / (60 * microsPerMinute) * 60 * microsPerMinute
	case Minute:
		micros = micros / microsPerMinute * microsPerMinute
	}
	return m.addMicros(micros)
}

// amountOf returns the whole amount in years or months, or the amount of any
// other unit in microseconds.
func amountOf(amount *apd.Decimal, unit calendarUnit) (int64, bool) {
	var n apd.Decimal
	n.Set(amount)
	scale := int64(1)
	switch unit {
	case years, months:
		truncate(&n)
	case seconds, milliseconds:
		if _, err := decimalContext.Mul(&n, &n, apd.New(unit.micros(), 0)); err != nil {
			return 0, false
		}
		truncate(&n)
	default:
		truncate(&n)
		scale = unit.micros()
	}
	i, err := n.Int64()
	const limit = 10_000 * 366 * microsPerDay
	if err != nil || i > limit/scale || i < -limit/scale {
		return 0, false
	}
	return i * scale, true
}

// truncate drops the fraction of d.
func truncate(d *apd.Decimal) {
	var whole, fraction apd.Decimal
	d.Modf(&whole, &fraction)
	d.Set(&whole)
}

func (m moment) addMonths(n int64) (moment, bool) {
	total := int64(m.year)*12 + int64(max(m.month, 1)-1) + n
	m.year = int(total / 12)
	if m.month != 0 {
		m.month = int(total%12) + 1
	}
	if m.day != 0 {
		m.day = min(m.day, daysIn(m.year, m.month))
	}
	return m, total >= 12 && m.year <= 9999
}

// addMicros moves the wall clock; the offset stays.
func (m moment) addMicros(n int64) (moment, bool) {
	t := time.Date(max(m.year, 1), time.Month(max(m.month, 1)), max(m.day, 1),
		m.hour, m.minute, m.second, m.nanos, time.UTC)
	t = t.AddDate(0, 0, int(n/microsPerDay)).Add(time.Duration(n%microsPerDay) * time.Microsecond)
	dated := m.year != 0
	m.hour, m.minute, m.second, m.nanos = t.Hour(), t.Minute(), t.Second(), t.Nanosecond()
	if m.nanos%pow10(9-m.digits) != 0 {
		m.digits = max(m.digits, 3)
		if m.nanos%pow10(6) != 0 {
			m.digits = 9
		}
	}
	if !dated {
		return m, true
	}
	m.year, m.month, m.day = t.Year(), int(t.Month()), t.Day()
	return m, m.year >= 1 && m.year <= 9999
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
