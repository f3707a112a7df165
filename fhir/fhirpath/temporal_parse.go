package fhirpath

// ParseDate reads "2020", "2020-02" or "2020-02-03".
func ParseDate(s string) (*Date, bool) {
	p := reader{s: s}
	p.date()
	if p.bad || p.s != "" {
		return nil, false
	}
	return &Date{p.moment}, true
}

// ParseDateTime reads a date, or a date and a time of day with or without an
// offset: "2020-02-03T10:00:00.000+09:00". Times may stop at hours or minutes,
// and a date may be followed by a bare "T", as in literals.
// https://hl7.org/fhirpath/N1/#datetime
func ParseDateTime(s string) (*DateTime, bool) {
	p := reader{s: s}
	p.date()
	if p.skip('T') && p.s != "" && p.precision == Day {
		p.clock()
		p.zone()
	}
	if p.bad || p.s != "" {
		return nil, false
	}
	return &DateTime{p.moment}, true
}

// ParseTime reads "10", "10:30", "10:30:00" or "10:30:00.000".
func ParseTime(s string) (*Time, bool) {
	p := reader{s: s}
	p.clock()
	if p.bad || p.s != "" {
		return nil, false
	}
	return &Time{p.moment}, true
}

// reader takes a moment from the start of s.
type reader struct {
	moment
	s   string
	bad bool
}

func (p *reader) date() {
	p.precision = Year
	p.year = p.digitsIn(4, 1, 9999)
	if !p.skip('-') {
		return
	}
	p.precision = Month
	p.month = p.digitsIn(2, 1, 12)
	if !p.skip('-') {
		return
	}
	p.precision = Day
	p.day = p.digitsIn(2, 1, 31)
	if p.day > daysIn(p.year, p.month) {
		p.bad = true
	}
}

func (p *reader) clock() {
	p.precision = Hour
	p.hour = p.digitsIn(2, 0, 23)
	if !p.skip(':') {
		return
	}
	p.precision = Minute
	p.minute = p.digitsIn(2, 0, 59)
	if !p.skip(':') {
		return
	}
	p.precision = Second
	p.second = p.digitsIn(2, 0, 60)
	if !p.skip('.') {
		return
	}
	p.fraction()
}

// fraction reads the digits after the point; from the tenth on they are
// checked and dropped.
func (p *reader) fraction() {
	n, scale := 0, 100_000_000
	for n < len(p.s) && p.s[n] >= '0' && p.s[n] <= '9' {
		p.nanos += int(p.s[n]-'0') * scale
		scale /= 10
		n++
	}
	if n == 0 {
		p.bad = true
	}
	p.s, p.digits = p.s[n:], min(n, 9)
}

func (p *reader) zone() {
	sign := 0
	switch {
	case p.skip('Z'):
		p.zoned = true
		return
	case p.skip('+'):
		sign = 1
	case p.skip('-'):
		sign = -1
	default:
		return
	}
	hours := p.digitsIn(2, 0, 14)
	if !p.skip(':') {
		p.bad = true
	}
	p.zoned, p.offset = true, sign*(hours*60+p.digitsIn(2, 0, 59))
}

// digitsIn reads exactly n digits of a number between low and high.
func (p *reader) digitsIn(n, low, high int) int {
	if len(p.s) < n {
		p.bad = true
		return low
	}
	v := 0
	for i := range n {
		c := p.s[i]
		if c < '0' || c > '9' {
			p.bad = true
			return low
		}
		v = v*10 + int(c-'0')
	}
	p.s = p.s[n:]
	if v < low || v > high {
		p.bad = true
		return low
	}
	return v
}

func (p *reader) skip(c byte) bool {
	if p.s == "" || p.s[0] != c {
		return false
	}
	p.s = p.s[1:]
	return true
}
