package fhirpath

import (
	"github.com/cockroachdb/apd/v3"
)

// Math: https://hl7.org/fhirpath/N1/#math
// A result that does not exist, or does not fit, is empty.

// operation computes on one decimal.
type operation func(result, operand *apd.Decimal) (apd.Condition, error)

// decimalResult appends the result of an operation on the input.
func decimalResult(c *call, in, dst Collection, op operation) (Collection, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return dst, err
	}
	d, err := numberOf(v, c.name)
	if err != nil {
		return dst, err
	}
	var r Decimal
	if _, err := op(&r.Number, d); err != nil || r.Number.Form != apd.Finite {
		return dst, nil
	}
	return append(dst, &r), nil
}

// integerResult appends the result of an operation on the input as Integer.
func integerResult(c *call, in, dst Collection, op operation) (Collection, error) {
	start := len(dst)
	dst, err := decimalResult(c, in, dst, op)
	if err != nil || len(dst) == start {
		return dst, err
	}
	d, _ := number(dst[start])
	i, ok := integer(d)
	if !ok {
		return dst[:start], nil
	}
	dst[start] = i
	return dst, nil
}

func abs(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return dst, err
	}
	switch n := System(v).(type) {
	case Integer:
		return append(dst, max(n, -n)), nil
	case *Decimal:
		r, _ := negated(n, n.Number.Negative)
		return append(dst, r), nil
	case *Quantity:
		r, _ := negated(n, n.Number.Negative)
		return append(dst, r), nil
	}
	return dst, fault("%s takes a number, not %s", "%s には数値が要ります (%s)", c.name, typeName(v))
}

func ceiling(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return integerResult(c, in, dst, decimalContext.Ceil)
}

func floor(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return integerResult(c, in, dst, decimalContext.Floor)
}

func truncateNumber(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return integerResult(c, in, dst, func(r, d *apd.Decimal) (apd.Condition, error) {
		r.Set(d)
		truncate(r)
		return 0, nil
	})
}

func exp(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return decimalResult(c, in, dst, decimalContext.Exp)
}

func ln(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return decimalResult(c, in, dst, decimalContext.Ln)
}

func sqrt(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
	return decimalResult(c, in, dst, decimalContext.Sqrt)
}

// log divides two natural logarithms; rounding by a digit or two less than
// was computed makes the logarithm of a whole power whole.
func log(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	base, err := ev.argNumber(c, 0)
	if err != nil || base == nil {
		return dst, err
	}
	return decimalResult(c, in, dst, func(r, d *apd.Decimal) (apd.Condition, error) {
		var a, b apd.Decimal
		if _, err := decimalContext.Ln(&a, d); err != nil {
			return 0, err
		}
		if _, err := decimalContext.Ln(&b, base); err != nil {
			return 0, err
		}
		if _, err := decimalContext.Quo(r, &a, &b); err != nil {
			return 0, err
		}
		defer r.Reduce(r)
		return decimalContext.WithPrecision(30).Round(r, r)
	})
}

func power(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	exponent, err := ev.argNumber(c, 0)
	if err != nil || exponent == nil {
		return dst, err
	}
	start := len(dst)
	dst, err = decimalResult(c, in, dst, func(r, d *apd.Decimal) (apd.Condition, error) {
		defer r.Reduce(r)
		return decimalContext.Pow(r, d, exponent)
	})
	if err != nil || len(dst) == start {
		return dst, err
	}
	_, whole := System(in[0]).(Integer)
	if d, _ := number(dst[start]); whole && exponent.Exponent >= 0 && !exponent.Negative {
		i, ok := integer(d)
		if !ok {
			return dst[:start], nil
		}
		dst[start] = i
	}
	return dst, nil
}

// round is to whole numbers or to the number of places given.
func round(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	n, _, err := ev.argInteger(c, 0)
	if err != nil {
		return dst, err
	}
	if n < 0 {
		return dst, fault("round takes a precision of 0 or more", "round の桁数は 0 以上です")
	}
	return decimalResult(c, in, dst, func(r, d *apd.Decimal) (apd.Condition, error) {
		if int32(n) >= places(d) {
			r.Set(d)
			return 0, nil
		}
		return decimalContext.Quantize(r, d, -int32(n))
	})
}
