package sharing

import (
	"errors"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// tokyo is the zone of dates without one. Japan has no summer time.
var tokyo = time.FixedZone("JST", 9*60*60)

var errPeriod = errors.New("the period cannot be read or ends before it starts")

// ReadPeriod returns the half-open stretch of time a FHIR Period covers: the
// written end is inclusive to its precision. A missing bound is the zero time.
// Dates without a zone are Japanese. https://hl7.org/fhir/R4/datatypes.html#Period
func ReadPeriod(p *fhir.Element) (start, end time.Time, err error) {
	if p == nil {
		return start, end, nil
	}
	if s := p.Text("start"); s != "" {
		if start, _, err = stretch(s); err != nil {
			return start, end, err
		}
	}
	if s := p.Text("end"); s != "" {
		if _, end, err = stretch(s); err != nil {
			return start, end, err
		}
		if !end.After(start) {
			return start, end, errPeriod
		}
	}
	return start, end, nil
}

// stretch returns the time a dateTime covers at its precision.
func stretch(s string) (low, high time.Time, err error) {
	switch len(s) {
	case len("2006"):
		low, err = time.ParseInLocation("2006", s, tokyo)
		return low, low.AddDate(1, 0, 0), err
	case len("2006-01"):
		low, err = time.ParseInLocation("2006-01", s, tokyo)
		return low, low.AddDate(0, 1, 0), err
	case len("2006-01-02"):
		low, err = time.ParseInLocation("2006-01-02", s, tokyo)
		return low, low.AddDate(0, 0, 1), err
	}
	low, err = time.Parse(time.RFC3339Nano, s)
	if strings.Contains(s, ".") {
		return low, low.Add(time.Millisecond), err
	}
	return low, low.Add(time.Second), err
}
