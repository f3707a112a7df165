package search

import (
	"math"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// The open ends of a period, and the length of the longest range that has its
// own kind of key: a search for what ends after a moment reads the short ones
// from that long before it, and the longer ones by their end.
const (
	beginningOfTime = math.MinInt64
	endOfTime       = math.MaxInt64
	shortSpan       = int64(24 * time.Hour / time.Microsecond)
)

// dateItem is one range of time found in a resource, in UTC microseconds
// since 1970, the end exclusive.
// https://hl7.org/fhir/R4/search.html#date
type dateItem struct{ from, to int64 }

// dates appends the ranges of an element: of a date or time as wide as its
// precision, of a period, or the outer bounds of a schedule.
func (x *extraction) dates(dst []dateItem, e *fhir.Element) []dateItem {
	switch e.Type.Name {
	case "Period":
		if it, ok := x.period(e); ok && it.from < it.to {
			dst = append(dst, it)
		}
		return dst
	case "Timing":
		if it, ok := x.timing(e); ok && it.from < it.to {
			dst = append(dst, it)
		}
		return dst
	}
	if e.Kind != fhir.String {
		return dst
	}
	if from, to, ok := parseDate(e.Value, x.zone()); ok {
		return append(dst, dateItem{from, to})
	}
	return dst
}

func (x *extraction) period(e *fhir.Element) (it dateItem, ok bool) {
	it = dateItem{beginningOfTime, endOfTime}
	if from, _, good := parseDate(e.Text("start"), x.zone()); good {
		it.from, ok = from, true
	}
	if _, to, good := parseDate(e.Text("end"), x.zone()); good {
		it.to, ok = to, true
	}
	return it, ok
}

// timing gives the outer bounds: R4 has searches ignore the details.
func (x *extraction) timing(e *fhir.Element) (it dateItem, ok bool) {
	if bounds := e.Get("repeat", "boundsPeriod"); bounds != nil {
		it, ok = x.period(bounds)
	}
	for event := range e.All("event") {
		from, to, good := parseDate(event.Value, x.zone())
		switch {
		case !good:
		case !ok:
			it, ok = dateItem{from, to}, true
		default:
			it.from, it.to = min(it.from, from), max(it.to, to)
		}
	}
	return it, ok
}

func (it *dateItem) keys(k *keys) {
	if uint64(it.to)-uint64(it.from) <= uint64(shortSpan) { // the signed difference may overflow
		k.begin(kindDate)
		k.buf = appendInt64(appendInt64(k.buf, it.from), it.to)
		k.end()
		return
	}
	k.begin(kindSpan)
	k.buf = appendInt64(appendInt64(k.buf, it.from), it.to)
	k.end()
	if k.atoms {
		return
	}
	k.begin(kindSpanEnd)
	k.buf = appendInt64(appendInt64(k.buf, it.to), it.from)
	k.end()
}

// LastUpdatedKey returns the key of _lastUpdated for a resource whose
// meta.lastUpdated is at, written in milliseconds: the one key of it that Keys
// returns. https://hl7.org/fhir/R4/search.html#lastUpdated
func LastUpdatedKey(at time.Time) []byte {
	k := keys{prefix: keyPrefix("_lastUpdated")}
	from := at.UnixMilli() * 1000
	it := dateItem{from, from + 1000}
	it.keys(&k)
	return k.buf
}

// matches compares ranges as R4 defines the prefixes.
// https://hl7.org/fhir/R4/search.html#prefix
func (it *dateItem) matches(v *Value) bool {
	within := v.From <= it.from && it.to <= v.To
	switch v.Prefix {
	case NotEqual:
		return !within
	case Greater:
		return it.to > v.To
	case GreaterEqual:
		return it.to > v.To || within
	case Less:
		return it.from < v.From
	case LessEqual:
		return it.from < v.From || within
	case StartsAfter:
		return it.from >= v.To
	case EndsBefore:
		return it.to <= v.From
	case Approximate:
		return it.from < v.To && it.to > v.From
	}
	return within
}

// dateRanges compiles a value. Each kind of key is read no wider than the
// prefix allows, and Keep looks at both ends. In a composite the ends of
// spans have no keys, and spans are read whole.
func dateRanges(v *Value, atoms bool) []Range {
	low, high, ends := int64(beginningOfTime), int64(endOfTime), false
	switch v.Prefix {
	case NotEqual:
	case Greater, GreaterEqual:
		low, ends = v.From, true
	case Less, EndsBefore:
		high = v.From
	case LessEqual:
		high = v.To
	case StartsAfter:
		low = v.To
	case Approximate:
		low, high, ends = v.From, v.To, false
	default:
		low, high = v.From, v.To
	}
	if v.Prefix == Approximate || ends {
		return overlapRanges(v, low, high, ends && !atoms)
	}
	return []Range{dateRange(kindDate, low, high, v), dateRange(kindSpan, low, high, v)}
}

// overlapRanges finds what reaches beyond low although it may start before.
func overlapRanges(v *Value, low, high int64, ends bool) []Range {
	start := low - shortSpan
	if start > low {
		start = beginningOfTime
	}
	short := dateRange(kindDate, start, high, v)
	if ends {
		return []Range{short, dateRange(kindSpanEnd, low, endOfTime, v)}
	}
	return []Range{short, dateRange(kindSpan, beginningOfTime, high, v)}
}

// dateRange reads the keys of a kind whose first moment is in [low, high), or
// any from low on where high is the end of time.
func dateRange(kind byte, low, high int64, v *Value) Range {
	prefix := []byte{kind}
	var end []byte
	if high != endOfTime {
		end = appendInt64(nil, high)
	}
	r := between(prefix, appendInt64(nil, low), end)
	want := *v
	r.Keep = func(atom []byte) bool {
		if len(atom) < 17 {
			return false
		}
		it := dateItem{readInt64(atom[1:]), readInt64(atom[9:])}
		if atom[0] == kindSpanEnd {
			it.from, it.to = it.to, it.from
		}
		return it.matches(&want)
	}
	return r
}

// parseDateValue reads [prefix]date. A blank stands for the plus sign of a
// zone that was not escaped.
func (r *Registry) parseDateValue(raw string) (Value, string) {
	v := Value{Raw: unescape(raw)}
	text := v.Raw
	v.Prefix, text = cutPrefix(text)
	b := []byte(text)
	for i := range b {
		if b[i] == ' ' && i > 10 {
			b[i] = '+'
		}
	}
	var ok bool
	v.From, v.To, ok = parseDate(string(b), r.opts.Zone)
	if !ok {
		return v, "the value is not a date or time"
	}
	if v.Prefix == Approximate {
		r.approximate(&v)
	}
	return v, ""
}

// approximate widens a range by a tenth of its distance from now, as R4
// recommends; without a clock it stays as written.
func (r *Registry) approximate(v *Value) {
	if r.opts.Now == nil {
		return
	}
	now := r.opts.Now().UnixMicro()
	gap := max(v.From-now, now-v.To, 0) / 10
	v.From, v.To = v.From-gap, v.To+gap
}

// parseDate reads a date, dateTime or instant as the range of its precision.
// Where it has no zone it is taken in the one given. Years are 0001 to 9999.
// https://hl7.org/fhir/R4/datatypes.html#dateTime
func parseDate(s string, zone *time.Location) (from, to int64, ok bool) {
	p := dateParser{s: s, ok: true}
	year, month, day := p.digits(4), 1, 1
	width := 'y'
	if p.next('-') {
		month, width = p.digits(2), 'm'
		if p.next('-') {
			day, width = p.digits(2), 'd'
		}
	}
	p.ok = p.ok && year > 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month)
	if width == 'd' && p.next('T') {
		return p.clock(daysSince1970(year, month, day), zone)
	}
	if !p.ok || p.s != "" {
		return 0, 0, false
	}
	end := daysSince1970(year, month, day) + 1
	switch width {
	case 'y':
		end = daysSince1970(year+1, 1, 1)
	case 'm':
		end = daysSince1970(year, month, 1) + daysIn(year, month)
	}
	return midnight(daysSince1970(year, month, day), zone), midnight(end, zone), true
}

const microsecondsPerDay = int64(24 * time.Hour / time.Microsecond)

// midnight returns the start of a day in a zone.
func midnight(days int, zone *time.Location) int64 {
	return int64(days)*microsecondsPerDay - offsetAt(int64(days)*86400, zone)*1e6
}

// offsetAt returns the zone's seconds east of UTC at a local time.
func offsetAt(local int64, zone *time.Location) int64 {
	_, offset := time.Unix(local, 0).In(zone).Zone()
	_, offset = time.Unix(local-int64(offset), 0).In(zone).Zone()
	return int64(offset)
}

// dateParser reads from the front of s; ok turns false at the first fault.
type dateParser struct {
	s  string
	ok bool
}

func (p *dateParser) digits(n int) int {
	if !p.ok || len(p.s) < n {
		p.ok = false
		return 0
	}
	v := 0
	for i := range n {
		c := p.s[i]
		if c < '0' || c > '9' {
			p.ok = false
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.s = p.s[n:]
	return v
}

func (p *dateParser) next(c byte) bool {
	if p.ok && p.s != "" && p.s[0] == c {
		p.s = p.s[1:]
		return true
	}
	return false
}

// clock reads hh:mm[:ss[.fff]][zone].
func (p *dateParser) clock(days int, zone *time.Location) (from, to int64, ok bool) {
	hour := p.digits(2)
	p.ok = p.next(':') && p.ok
	minute, second, micro := p.digits(2), 0, int64(0)
	width := int64(60 * 1e6)
	if p.next(':') {
		second, width = p.digits(2), 1e6
		if p.next('.') {
			micro, width = p.fraction()
		}
	}
	local := int64(days)*86400 + int64(hour)*3600 + int64(minute)*60 + int64(second)
	offset := p.offset(local, zone)
	if !p.ok || p.s != "" || hour > 24 || minute > 59 || second > 60 || hour == 24 && minute+second > 0 {
		return 0, 0, false
	}
	from = (local-offset)*1e6 + micro
	return from, from + width, true
}

// fraction reads digits of a second, of which six count.
func (p *dateParser) fraction() (micro, width int64) {
	n := 0
	width = 1e6
	for p.s != "" && p.s[0] >= '0' && p.s[0] <= '9' {
		if n++; n <= 6 {
			width /= 10
			micro += int64(p.s[0]-'0') * width
		}
		p.s = p.s[1:]
	}
	p.ok = p.ok && n > 0
	return micro, width
}

func (p *dateParser) offset(local int64, zone *time.Location) int64 {
	switch {
	case p.next('Z'):
		return 0
	case p.next('+'):
		return p.hoursMinutes()
	case p.next('-'):
		return -p.hoursMinutes()
	}
	return offsetAt(local, zone)
}

func (p *dateParser) hoursMinutes() int64 {
	h := p.digits(2)
	p.ok = p.next(':') && p.ok
	m := p.digits(2)
	p.ok = p.ok && h <= 14 && m <= 59
	return int64(h)*3600 + int64(m)*60
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts days in the proleptic Gregorian calendar.
func daysSince1970(year, month, day int) int {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 1 - 719468
}
