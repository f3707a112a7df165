package fhirpath

import "time"

// The widest offsets from UTC, in microseconds: where one side has an offset
// and the other has not, the other may lie anywhere between.
const (
	microsPerMinute = 60 * 1_000_000
	microsPerDay    = 24 * 60 * microsPerMinute
	eastmost        = 14 * 60 * microsPerMinute
	westmost        = 12 * 60 * microsPerMinute
)

// compare orders two moments of the same kind; known is false where the
// answer depends on what one of them leaves open, be it precision or offset.
// https://hl7.org/fhirpath/N1/#comparison
func (m *moment) compare(o *moment) (order int, known bool) {
	if m.precision == o.precision && m.zoned == o.zoned {
		return compareInt(m.start(), o.start()), true
	}
	mLow, mHigh := m.span(o.zoned)
	oLow, oHigh := o.span(m.zoned)
	switch {
	case mHigh < oLow:
		return -1, true
	case mLow > oHigh:
		return 1, true
	}
	return 0, mLow == mHigh && oLow == oHigh
}

// span returns the first and last microsecond the moment may mean, next to a
// moment that has an offset or not.
func (m *moment) span(otherZoned bool) (low, high int64) {
	low = m.start()
	high = m.next() - 1
	if m.precision == Second {
		high = low
	}
	if otherZoned && !m.zoned {
		low -= eastmost
		high += westmost
	}
	return low, high
}

// start returns the first microsecond since 1970 in UTC, or in local time
// where there is no offset. A time of day counts from midnight.
func (m *moment) start() int64 {
	days := int64(0)
	if m.year != 0 {
		days = civilDays(m.year, max(m.month, 1), max(m.day, 1))
	}
	minutes := int64(m.hour*60 + m.minute - m.offset)
	return days*microsPerDay + minutes*microsPerMinute + int64(m.second)*1_000_000 + int64(m.nanos/1000)
}

// next returns the first microsecond after the moment.
func (m *moment) next() int64 {
	switch m.precision {
	case Year:
		return civilDays(m.year+1, 1, 1) * microsPerDay
	case Month:
		return m.start() + int64(daysIn(m.year, m.month))*microsPerDay
	case Day:
		return m.start() + microsPerDay
	case Hour:
		return m.start() + 60*microsPerMinute
	case Minute:
		return m.start() + microsPerMinute
	}
	return m.start() + 1
}

// civilDays counts the days from 1970-01-01 in the Gregorian calendar.
func civilDays(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).Unix() / 86400
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

func compareInt(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// moments returns two values as moments of one kind: two times of day, or two
// dates with or without a time.
func moments(a, b Value) (x, y *moment, ok bool) {
	if ta, isTime := a.(*Time); isTime {
		if tb, ok := b.(*Time); ok {
			return &ta.moment, &tb.moment, true
		}
		return nil, nil, false
	}
	x, okX := dateOrDateTime(a)
	y, okY := dateOrDateTime(b)
	return x, y, okX && okY
}

func dateOrDateTime(v Value) (*moment, bool) {
	switch v := v.(type) {
	case *Date:
		return &v.moment, true
	case *DateTime:
		return &v.moment, true
	}
	return nil, false
}
