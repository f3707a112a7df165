package fhirpath

import (
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// Conversion: https://hl7.org/fhirpath/N1/#conversion

// converter turns a System value into another type, nil where it cannot.
type converter func(Value) Value

func convertTo(to converter) function {
	return func(_ *evaluation, c *call, in, dst Collection) (Collection, error) {
		v, err := c.one(in)
		if err != nil || v == nil {
			return dst, err
		}
		return appendValue(dst, to(System(v))), nil
	}
}

func convertsTo(to converter) test {
	return func(_ *evaluation, c *call, in Collection) (truth, error) {
		v, err := c.one(in)
		if err != nil || v == nil {
			return unsure, err
		}
		return truthFrom(to(System(v)) != nil), nil
	}
}

func toBoolean(v Value) Value {
	switch v := v.(type) {
	case Boolean:
		return v
	case Integer, *Decimal:
		d, _ := number(v)
		switch {
		case d.Cmp(apd.New(1, 0)) == 0:
			return Boolean(true)
		case d.IsZero():
			return Boolean(false)
		}
	case String:
		switch strings.ToLower(string(v)) {
		case "true", "t", "yes", "y", "1", "1.0":
			return Boolean(true)
		case "false", "f", "no", "n", "0", "0.0":
			return Boolean(false)
		}
	}
	return nil
}

func toInteger(v Value) Value {
	switch v := v.(type) {
	case Integer:
		return v
	case Boolean:
		if v {
			return Integer(1)
		}
		return Integer(0)
	case String:
		if i, ok := parseInteger(string(v)); ok {
			return i
		}
	}
	return nil
}

func toDecimal(v Value) Value {
	switch v := v.(type) {
	case *Decimal:
		return v
	case Integer:
		return &Decimal{*apd.New(int64(v), 0)}
	case Boolean:
		if v {
			return &Decimal{*apd.New(10, -1)}
		}
		return &Decimal{*apd.New(0, -1)}
	case String:
		if d, ok := parseDecimal(string(v)); ok && decimalForm(string(v)) {
			return d
		}
	}
	return nil
}

func toString(v Value) Value {
	switch v := v.(type) {
	case String:
		return v
	case Node, *TypeInfo:
		return nil
	default:
		return String(v.String())
	}
}

func toDate(v Value) Value {
	switch v := v.(type) {
	case *Date:
		return v
	case *DateTime:
		return v.toDate()
	case String:
		if d, ok := ParseDate(string(v)); ok {
			return d
		}
		if d, ok := ParseDateTime(string(v)); ok {
			return d.toDate()
		}
	}
	return nil
}

func toDateTime(v Value) Value {
	switch v := v.(type) {
	case *DateTime:
		return v
	case *Date:
		return &DateTime{v.moment}
	case String:
		if d, ok := ParseDateTime(string(v)); ok {
			return d
		}
	}
	return nil
}

func toTime(v Value) Value {
	switch v := v.(type) {
	case *Time:
		return v
	case String:
		if t, ok := ParseTime(string(v)); ok {
			return t
		}
	}
	return nil
}

func toQuantity(v Value) Value {
	switch v := v.(type) {
	case *Quantity:
		return v
	case Integer, *Decimal:
		q, _ := unitless(v)
		return q
	case Boolean:
		q, _ := unitless(toDecimal(v))
		return q
	case String:
		if q, ok := parseQuantity(string(v)); ok {
			return q
		}
	}
	return nil
}

// toQuantityIn is toQuantity with an optional unit to convert to.
func toQuantityIn(ev *evaluation, c *call, in, dst Collection) (Collection, error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return dst, err
	}
	q, ok := toQuantity(System(v)).(*Quantity)
	if !ok {
		return dst, nil
	}
	unit, given, err := ev.argText(c, 0)
	if err != nil {
		return dst, err
	}
	if given {
		if q, ok = q.in(unit); !ok {
			return dst, nil
		}
	}
	return append(dst, q), nil
}

func convertsToQuantity(ev *evaluation, c *call, in Collection) (truth, error) {
	if len(in) == 0 {
		return unsure, nil
	}
	q, err := toQuantityIn(ev, c, in, ev.scratch())
	defer ev.release(q)
	return truthFrom(len(q) > 0), err
}

// in returns the quantity in another unit.
func (q *Quantity) in(unit string) (*Quantity, bool) {
	if q.Unit == unit {
		return q, true
	}
	target := &Quantity{Number: *apd.New(1, 0), Unit: unit, Calendar: keywordUnit(unit) != noUnit}
	_, amount, ok := target.align(q)
	if !ok {
		return nil, false
	}
	d, ok := decimalOf(amount)
	if !ok {
		return nil, false
	}
	target.Number = *d
	return target, true
}
