package fhirpath

import (
	"github.com/cockroachdb/apd/v3"
)

// Boundaries and precision, after N1 for trial use: the least and the greatest
// value a number, quantity, date or time may stand for, given how precisely it
// is written. https://build.fhir.org/ig/HL7/FHIRPath/#lowboundaryprecision-integer-decimal--date--datetime--time

// maxPlaces is the most places a boundary may be asked for.
const maxPlaces = 28

// defaultPlaces is how many places boundaries of numbers have unless told.
const defaultPlaces = 8

func lowBoundary(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	return boundary(ev, c, in, dst, false)
}

func highBoundary(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	return boundary(ev, c, in, dst, true)
}

func boundary(ev *evaluation, c *call, in, dst Collection, high bool) (Collection, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return dst, err
	}
	n, given, err := ev.argInteger(c, 0)
	if err != nil {
		return dst, err
	}
	switch v := System(v).(type) {
	case Integer, *Decimal:
		d, _ := number(v)
		if r, ok := numberBoundary(d, n, given, high); ok {
			dst = append(dst, &Decimal{*r})
		}
	case *Quantity:
		if r, ok := numberBoundary(&v.Number, n, given, high); ok {
			dst = append(dst, &Quantity{*r, v.Unit, v.Calendar})
		}
	case *Date, *DateTime, *Time:
		return appendValue(dst, temporalBoundary(v, int(n), given, high)), nil
	default:
		return dst, fault("%s takes a number, quantity, date or time", "%s には数値・数量・日付・時刻が要ります", c.name)
	}
	return dst, nil
}

// numberBoundary moves half a unit of the last place down or up and rounds
// outwards to n places. A number whose first digit lies beyond the place after
// the n-th has the boundary 0 on both sides, which is how the official suite
// wants it (0.0034.highBoundary(1) = 0.0) and how Quantize does it.
func numberBoundary(d *apd.Decimal, n Integer, given, high bool) (*apd.Decimal, bool) {
	if !given {
		n = defaultPlaces
	}
	if n < 0 || n > maxPlaces {
		return nil, false
	}
	half := apd.New(5, -places(d)-1)
	var edge apd.Decimal
	op, rounder := decimalContext.Sub, apd.RoundFloor
	if high {
		op, rounder = decimalContext.Add, apd.RoundCeiling
	}
	if _, err := op(&edge, d, half); err != nil {
		return nil, false
	}
	ctx := decimalContext
	ctx.Rounding = rounder
	_, err := ctx.Quantize(&edge, &edge, -int32(n))
	return &edge, err == nil
}

// The digits of dates and times: what precision() counts.
const (
	digitsYear   = 4
	digitsMonth  = 6
	digitsDay    = 8
	digitsMillis = 17
	digitsTime   = 9
)

// temporalBoundary completes a date or time to the digits asked for, with the
// first or last of what is open, in the farthest time zone where there is none.
func temporalBoundary(v Value, n int, given, high bool) Value {
	switch v := v.(type) {
	case *Time:
		if given && n != digitsTime {
			return cut(&Time{v.complete(high)}, n)
		}
		return &Time{v.complete(high)}
	case *Date:
		if !given {
			n = digitsDay
		}
		if n > digitsDay {
			return cut(&DateTime{v.complete(high)}, n)
		}
		return cut(&Date{v.complete(high)}, n)
	case *DateTime:
		if !given {
			n = digitsMillis
		}
		return cut(&DateTime{v.complete(high)}, n)
	}
	return nil
}

// complete fills in what is open, to the millisecond.
func (m *moment) complete(high bool) moment {
	r := *m
	if r.year != 0 {
		r.month, r.day = max(r.month, 1), max(r.day, 1)
		if high && m.precision < Month {
			r.month = 12
		}
		if high && m.precision < Day {
			r.day = daysIn(r.year, r.month)
		}
	}
	if high {
		if m.precision < Hour {
			r.hour = 23
		}
		if m.precision < Minute {
			r.minute = 59
		}
		if m.precision < Second {
			r.second = 59
		}
		if m.digits < 3 {
			r.nanos += pow10(9-m.digits) - pow10(6)
		}
	}
	if r.year != 0 && !r.zoned {
		r.zoned, r.offset = true, 14*60
		if high {
			r.offset = -12 * 60
		}
	}
	r.precision, r.digits = Second, 3
	return r
}

// cut drops what goes beyond n digits; nil where n is no precision.
func cut(v Value, n int) Value {
	byDigits := map[int]Precision{digitsYear: Year, digitsMonth: Month, digitsDay: Day, 10: Hour, 12: Minute, 14: Second, digitsMillis: Second}
	timeDigits := map[int]Precision{2: Hour, 4: Minute, 6: Second, digitsTime: Second}
	switch v := v.(type) {
	case *Time:
		p, ok := timeDigits[n]
		if !ok {
			return nil
		}
		v.keep(p, n == digitsTime)
		return v
	case *Date:
		p, ok := byDigits[n]
		if !ok || p > Day {
			return nil
		}
		v.keep(p, false)
		return v
	case *DateTime:
		p, ok := byDigits[n]
		if !ok {
			return nil
		}
		v.keep(p, n == digitsMillis)
		return v
	}
	return nil
}

// keep clears what is finer than the precision.
func (m *moment) keep(p Precision, fraction bool) {
	m.precision = p
	if p < Month {
		m.month = 0
	}
	if p < Day {
		m.day = 0
	}
	if p < Hour {
		m.hour, m.zoned, m.offset = 0, false, 0
	}
	if p < Minute {
		m.minute = 0
	}
	if p < Second {
		m.second = 0
	}
	if !fraction {
		m.nanos, m.digits = 0, 0
	}
}

// precision counts the digits of a number after the point, or of a date or
// time.
func precision(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return dst, err
	}
	switch v := System(v).(type) {
	case Integer, *Decimal:
		d, _ := number(v)
		return append(dst, Integer(places(d))), nil
	case *Date:
		return append(dst, Integer(v.countDigits())), nil
	case *DateTime:
		return append(dst, Integer(v.countDigits())), nil
	case *Time:
		return append(dst, Integer(v.countDigits())), nil
	}
	return dst, fault("%s takes a number, date or time", "%s には数値・日付・時刻が要ります", c.name)
}

func (m *moment) countDigits() int {
	n := [...]int{0, 4, 6, 8, 10, 12, 14}[m.precision] + m.digits
	if m.year == 0 {
		n -= digitsDay
	}
	return n
}

// comparable tells whether two quantities can be compared.
func comparable(ev *evaluation, c *call, in Collection) (truth, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return unsure, err
	}
	w, err := ev.single(c.args[0], c.name)
	if err != nil || w == nil {
		return unsure, err
	}
	q, ok := toQuantity(System(v)).(*Quantity)
	r, okR := toQuantity(System(w)).(*Quantity)
	if !ok || !okR {
		return no, nil
	}
	_, known := q.compare(r)
	return truthFrom(known), nil
}
