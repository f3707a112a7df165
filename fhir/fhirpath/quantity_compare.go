package fhirpath

import (
	"math/big"

	"github.com/cockroachdb/apd/v3"
	"github.com/iimos/ucum"
)

// maxUnit is the longest unit that is looked into.
const maxUnit = 80

// convert returns an amount of one UCUM unit in another; ok is false where
// the units are not UCUM or of unlike dimensions.
// https://ucum.org/ucum
func convert(amount *big.Rat, from, to string) (result *big.Rat, ok bool) {
	if from == to {
		return amount, true
	}
	if len(from) > maxUnit || len(to) > maxUnit {
		return nil, false
	}
	defer func() { // the library panics on a few units that are none: "0"
		if recover() != nil {
			result, ok = nil, false
		}
	}()
	f, err := ucum.Parse(withoutAnnotations(from))
	if err != nil {
		return nil, false
	}
	t, err := ucum.Parse(withoutAnnotations(to))
	if err != nil {
		return nil, false
	}
	c, err := ucum.NewPairConverter(f, t)
	if err != nil {
		return nil, false
	}
	return c.ConvBigRat(amount), true
}

// withoutAnnotations drops what stands in braces, which means nothing; alone
// it means 1. https://ucum.org/ucum#para-12
func withoutAnnotations(unit string) []byte {
	out := make([]byte, 0, len(unit)+1)
	inside := false
	for i := range len(unit) {
		switch c := unit[i]; {
		case c == '{' && !inside:
			inside = true
			if n := len(out); n == 0 || out[n-1] == '/' || out[n-1] == '.' || out[n-1] == '(' {
				out = append(out, '1')
			}
		case c == '}' && inside:
			inside = false
		case !inside:
			out = append(out, c)
		}
	}
	return out
}

func rational(d *apd.Decimal) *big.Rat {
	r, ok := new(big.Rat).SetString(d.Text('f'))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// decimalOf returns a fraction as a decimal, rounded where it does not end.
func decimalOf(r *big.Rat) (*apd.Decimal, bool) {
	num, _, err := apd.NewFromString(r.Num().String())
	if err != nil {
		return nil, false
	}
	denom, _, err := apd.NewFromString(r.Denom().String())
	if err != nil {
		return nil, false
	}
	var d apd.Decimal
	if _, err := decimalContext.Quo(&d, num, denom); err != nil {
		return nil, false
	}
	reduced, _ := d.Reduce(&d)
	return reduced, true
}

// compare orders two quantities; known is false where their units have
// unlike dimensions, or one is a calendar year or month and the other is not.
// https://hl7.org/fhirpath/N1/#quantity-equality
func (q *Quantity) compare(o *Quantity) (order int, known bool) {
	if q.Unit == o.Unit && q.Calendar == o.Calendar {
		return q.Number.Cmp(&o.Number), true
	}
	left, right, ok := q.align(o)
	if !ok {
		return 0, false
	}
	return left.Cmp(right), true
}

// align returns both amounts in the unit of q.
func (q *Quantity) align(o *Quantity) (left, right *big.Rat, ok bool) {
	left, right = rational(&q.Number), rational(&o.Number)
	qUnit, qFixed := q.ucumUnit()
	oUnit, oFixed := o.ucumUnit()
	if qFixed && oFixed {
		right, ok = convert(right, oUnit, qUnit)
		return left, right, ok
	}
	if qFixed || oFixed {
		return nil, nil, false
	}
	return left, right.Mul(right, big.NewRat(monthsIn(oUnit), monthsIn(qUnit))), true
}

func monthsIn(code string) int64 {
	if code == "a" {
		return 12
	}
	return 1
}

// equivalent compares after rounding both to the coarser precision of the
// two. Calendar and UCUM durations of the same name are equivalent.
// https://hl7.org/fhirpath/N1/#quantity-equivalence
func (q *Quantity) equivalent(o *Quantity) bool {
	a, b := *q, *o
	a.Unit, b.Unit = q.anyUnit(), o.anyUnit()
	a.Calendar, b.Calendar = false, false
	step, ok := convert(unitInLastPlace(&b.Number), b.Unit, a.Unit)
	if !ok {
		return false
	}
	if step.Cmp(unitInLastPlace(&a.Number)) > 0 {
		a, b = b, a
	}
	left, right, ok := a.align(&b)
	if !ok {
		return false
	}
	x, okX := decimalOf(left)
	y, okY := decimalOf(right)
	return okX && okY && sameRounded(x, y, places(&a.Number))
}

// anyUnit returns the UCUM code, taking calendar years and months as UCUM's.
func (q *Quantity) anyUnit() string {
	if q.Calendar {
		return keywordUnit(q.Unit).code()
	}
	return q.Unit
}

func unitInLastPlace(d *apd.Decimal) *big.Rat { return rational(apd.New(1, -places(d))) }

func sameRounded(x, y *apd.Decimal, n int32) bool {
	rx, okX := roundTo(x, n)
	ry, okY := roundTo(y, n)
	return okX && okY && rx.Cmp(ry) == 0
}
