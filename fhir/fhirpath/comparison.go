package fhirpath

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

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
	if x, y, isMoment := moments(a, b); isMoment {
		order, known = x.compare(y)
		return order, known, true
	}
	return compareNodes(a, b)
}

// compareNodes orders FHIR Quantities that have no System value by their
// values; known is false where their units differ or one is not in UCUM.
func compareNodes(a, b Value) (order int, known, ok bool) {
	x, y := quantityNode(a), quantityNode(b)
	if x == nil || y == nil {
		_, okA := a.(*Quantity)
		_, okB := b.(*Quantity)
		return 0, false, (okA || x != nil) && (okB || y != nil)
	}
	for _, name := range [...]string{"system", "code", "unit"} {
		if x.Text(name) != y.Text(name) {
			return 0, false, true
		}
	}
	m, okX := parseDecimal(x.Text("value"))
	n, okY := parseDecimal(y.Text("value"))
	if !okX || !okY || x.Get("comparator") != nil || y.Get("comparator") != nil {
		return 0, false, true
	}
	return m.Number.Cmp(&n.Number), true, true
}

func quantityNode(v Value) *fhir.Element {
	if n, ok := v.(Node); ok && n.Element != nil && n.Type != nil && isQuantity(n.Type) {
		return n.Element
	}
	return nil
}
