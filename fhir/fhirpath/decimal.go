package fhirpath

import (
	"math"
	"strconv"

	"github.com/cockroachdb/apd/v3"
)

// decimalContext bounds decimals: more digits than any element may need, few
// enough that no operation runs away.
var decimalContext = apd.Context{
	Precision:   34,
	MaxExponent: 200,
	MinExponent: -200,
	Rounding:    apd.RoundHalfUp,
	Traps:       apd.DefaultTraps,
}

// maxDigits is the longest decimal text that is read.
const maxDigits = 100

// parseDecimal reads the lexical form of a decimal: sign, digits, fraction,
// exponent (JSON numbers may have one).
func parseDecimal(s string) (*Decimal, bool) {
	if s == "" || len(s) > maxDigits || !plainNumber(s) {
		return nil, false
	}
	var d Decimal
	if _, _, err := d.Number.SetString(s); err != nil || d.Number.Form != apd.Finite {
		return nil, false
	}
	if d.Number.Exponent > decimalContext.MaxExponent || d.Number.Exponent < decimalContext.MinExponent {
		return nil, false
	}
	return &d, true
}

// plainNumber keeps "Infinity" and its like from the decimal reader.
func plainNumber(s string) bool {
	digits := false
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits = true
		case c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E':
		default:
			return false
		}
	}
	return digits
}

// number returns a numeric value as a decimal.
func number(v Value) (*apd.Decimal, bool) {
	switch v := v.(type) {
	case Integer:
		return apd.New(int64(v), 0), true
	case *Decimal:
		return &v.Number, true
	}
	return nil, false
}

// integer returns a decimal that is whole and fits as an Integer.
func integer(d *apd.Decimal) (Integer, bool) {
	var whole apd.Decimal
	if _, err := decimalContext.RoundToIntegralExact(&whole, d); err != nil || whole.Cmp(d) != 0 {
		return 0, false
	}
	i, err := whole.Int64()
	if err != nil || i > math.MaxInt32 || i < math.MinInt32 {
		return 0, false
	}
	return Integer(i), true
}

// parseInteger reads an integer of 32 bits, with an optional sign.
func parseInteger(s string) (Integer, bool) {
	i, err := strconv.ParseInt(s, 10, 32)
	return Integer(i), err == nil && s != ""
}

// places returns how many digits follow the decimal point.
func places(d *apd.Decimal) int32 { return max(0, -d.Exponent) }

// roundTo rounds to a number of places after the decimal point.
func roundTo(d *apd.Decimal, n int32) (*apd.Decimal, bool) {
	var r apd.Decimal
	_, err := decimalContext.Quantize(&r, d, -n)
	return &r, err == nil
}
