package fhirpath

import "strings"

// comparison is <, <=, > or >=. https://hl7.org/fhirpath/N1/#comparison
type comparison struct {
	op          string
	left, right node
}

func (n *comparison) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *comparison) truth(ev *evaluation) (truth, error) {
	left, err := ev.single(n.left, n.op)
	if err != nil {
		return unsure, err
	}
	right, err := ev.single(n.right, n.op)
	if err != nil || left == nil || right == nil {
		return unsure, err
	}
	order, known, ok := compare(left, right)
	if !ok {
		return unsure, fault("%s cannot compare %s with %s", "%s で %s と %s を比べられません", n.op, typeName(left), typeName(right))
	}
	if !known {
		return unsure, nil
	}
	switch n.op {
	case "<":
		return truthFrom(order < 0), nil
	case "<=":
		return truthFrom(order <= 0), nil
	case ">":
		return truthFrom(order > 0), nil
	}
	return truthFrom(order >= 0), nil
}

// compare orders two items: ok is false for types that have no order between
// them, known is false where the order is open.
func compare(a, b Value) (order int, known, ok bool) {
	if x, isText := text(a); isText {
		y, isText := text(b)
		return strings.Compare(x, y), true, isText
	}
	a, b = System(a), System(b)
	if q, r, isQuantity := quantities(a, b); isQuantity {
		order, known = q.compare(r)
		return order, known, true
	}
	if x, isNumber := number(a); isNumber {
		y, isNumber := number(b)
		if !isNumber {
			return 0, false, false
		}
		return x.Cmp(y), true, true
	}
	x, y, ok := moments(a, b)
	if !ok {
		return 0, false, false
	}
	order, known = x.compare(y)
	return order, known, true
}
