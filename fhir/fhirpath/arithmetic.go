package fhirpath

import (
	"math"

	"github.com/cockroachdb/apd/v3"
)

// arithmetic is + - * / div or mod. https://hl7.org/fhirpath/N1/#math
type arithmetic struct {
	op          string
	left, right node
}

func (n *arithmetic) eval(ev *evaluation, dst Collection) (Collection, error) {
	left, err := ev.single(n.left, n.op)
	if err != nil {
		return dst, err
	}
	right, err := ev.single(n.right, n.op)
	if err != nil || left == nil || right == nil {
		return dst, err
	}
	v, err := calculate(n.op, System(left), System(right))
	if err != nil || v == nil {
		return dst, err
	}
	return append(dst, v), nil
}

// calculate returns nil where the result is empty: division by zero, a number
// that does not fit.
func calculate(op string, a, b Value) (Value, error) {
	if m, ok := temporalOf(a); ok && (op == "+" || op == "-") {
		return shifted(op, a, m, b)
	}
	if q, r, ok := quantities(a, b); ok {
		return calculateQuantity(op, q, r)
	}
	x, okX := a.(Integer)
	y, okY := b.(Integer)
	if okX && okY && op != "/" {
		return calculateInteger(op, int64(x), int64(y)), nil
	}
	m, okM := number(a)
	o, okO := number(b)
	if okM && okO {
		return calculateDecimal(op, m, o), nil
	}
	s, okS := a.(String)
	t, okT := b.(String)
	if okS && okT && op == "+" {
		return joined(string(s), string(t))
	}
	return nil, fault("%s cannot be applied to %s and %s", "%s は %s と %s に使えません", op, typeName(a), typeName(b))
}

func joined(a, b string) (Value, error) {
	if len(a)+len(b) > maxText {
		return nil, tooCostly()
	}
	return String(a + b), nil
}

func calculateInteger(op string, a, b int64) Value {
	var r int64
	switch op {
	case "+":
		r = a + b
	case "-":
		r = a - b
	case "*":
		r = a * b
	default:
		if b == 0 {
			return nil
		}
		if op == "div" {
			r = a / b
		} else {
			r = a % b
		}
	}
	if r > math.MaxInt32 || r < math.MinInt32 {
		return nil
	}
	return Integer(r)
}

func calculateDecimal(op string, a, b *apd.Decimal) Value {
	var r Decimal
	var err error
	switch op {
	case "+":
		_, err = decimalContext.Add(&r.Number, a, b)
	case "-":
		_, err = decimalContext.Sub(&r.Number, a, b)
	case "*":
		_, err = decimalContext.Mul(&r.Number, a, b)
	case "/":
		_, err = decimalContext.Quo(&r.Number, a, b)
		r.Number.Reduce(&r.Number)
	case "mod":
		_, err = decimalContext.Rem(&r.Number, a, b)
	case "div":
		_, err = decimalContext.QuoInteger(&r.Number, a, b)
		if i, ok := integer(&r.Number); ok && err == nil {
			return i
		}
		return nil
	}
	if err != nil {
		return nil
	}
	return &r
}

// calculateQuantity adds in the finer of the two units and multiplies units.
func calculateQuantity(op string, q, r *Quantity) (Value, error) {
	switch op {
	case "+", "-":
		return addQuantities(op, q, r), nil
	case "*", "/":
		number, ok := calculateDecimal(op, &q.Number, &r.Number).(*Decimal)
		if !ok {
			return nil, nil
		}
		unit, ok := combineUnits(op, q.anyUnit(), r.anyUnit())
		if !ok {
			return nil, nil
		}
		if r.Unit == "1" && q.Calendar {
			return &Quantity{Number: number.Number, Unit: q.Unit, Calendar: true}, nil
		}
		return &Quantity{Number: number.Number, Unit: unit}, nil
	}
	return nil, fault("%s cannot be applied to quantities", "%s は数量に使えません", op)
}

func addQuantities(op string, q, r *Quantity) Value {
	one := Quantity{Number: *apd.New(1, 0), Unit: q.Unit, Calendar: q.Calendar}
	target := r
	if _, right, ok := one.align(&Quantity{Number: one.Number, Unit: r.Unit, Calendar: r.Calendar}); !ok {
		return nil
	} else if right.Cmp(rational(&one.Number)) >= 0 {
		target = q
	}
	_, a, okA := target.align(q)
	_, b, okB := target.align(r)
	if !okA || !okB {
		return nil
	}
	if op == "-" {
		b.Neg(b)
	}
	sum, ok := decimalOf(a.Add(a, b))
	if !ok {
		return nil
	}
	return &Quantity{Number: *sum, Unit: target.Unit, Calendar: target.Calendar}
}

// combineUnits returns the UCUM code of a product or quotient.
func combineUnits(op, a, b string) (string, bool) {
	switch {
	case b == "1":
		return a, true
	case op == "/" && a == b:
		return "1", true
	case op == "*" && a == "1":
		return b, true
	case len(a)+len(b) > maxUnit-5:
		return "", false
	case op == "*":
		return "(" + a + ").(" + b + ")", true
	}
	return "(" + a + ")/(" + b + ")", true
}

func temporalOf(v Value) (*moment, bool) {
	if t, ok := v.(*Time); ok {
		return &t.moment, true
	}
	return dateOrDateTime(v)
}

// shifted adds a duration to a date or time.
func shifted(op string, v Value, m *moment, by Value) (Value, error) {
	q, ok := by.(*Quantity)
	if !ok {
		return nil, fault("%s cannot be applied to %s and %s", "%s は %s と %s に使えません", op, typeName(v), typeName(by))
	}
	unit := q.duration()
	if unit == noUnit {
		return nil, fault("%s needs a unit of time of fixed length or a calendar unit", "%s には時間の単位が要ります", op)
	}
	if _, isTime := v.(*Time); isTime && unit < hours {
		return nil, fault("a time of day cannot be moved by days", "時刻に日以上の単位は足せません")
	}
	amount := q.Number
	if op == "-" {
		amount.Negative = !amount.Negative
	}
	r, ok := m.shift(&amount, unit)
	if !ok {
		return nil, nil
	}
	switch v.(type) {
	case *Date:
		return &Date{r}, nil
	case *DateTime:
		return &DateTime{r}, nil
	}
	return &Time{r}, nil
}

// polarity is a sign before an expression.
type polarity struct {
	of       node
	negative bool
}

func (n *polarity) eval(ev *evaluation, dst Collection) (Collection, error) {
	v, err := ev.single(n.of, "-")
	if err != nil || v == nil {
		return dst, err
	}
	v, ok := negated(System(v), n.negative)
	if !ok {
		return dst, fault("a sign cannot stand before %s", "%s に符号は付けられません", typeName(v))
	}
	return append(dst, v), nil
}

// negated turns the sign of a number where asked to; ok is false for values
// that have none.
func negated(v Value, negative bool) (Value, bool) {
	switch n := v.(type) {
	case Integer:
		if negative {
			return -n, true
		}
		return n, true
	case *Decimal:
		r := &Decimal{n.Number}
		r.Number.Negative = n.Number.Negative != negative && !n.Number.IsZero()
		return r, true
	case *Quantity:
		r := *n
		r.Number.Negative = n.Number.Negative != negative
		return &r, true
	}
	return v, false
}

// concatenation is &, for which an empty side is the empty string.
// https://hl7.org/fhirpath/N1/#-string-concatenation
type concatenation struct{ left, right node }

func (n *concatenation) eval(ev *evaluation, dst Collection) (Collection, error) {
	left, _, err := ev.textArgument(n.left, "&")
	if err != nil {
		return dst, err
	}
	right, _, err := ev.textArgument(n.right, "&")
	if err != nil {
		return dst, err
	}
	v, err := joined(left, right)
	if err != nil {
		return dst, err
	}
	return append(dst, v), nil
}
