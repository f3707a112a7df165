package fhirpath

import (
	"github.com/kaigofhir/kaigofhir/fhir"
)

// equality is = or !=: item by item, in order.
// https://hl7.org/fhirpath/N1/#equality
type equality struct {
	left, right node
	negated     bool
}

func (n *equality) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *equality) truth(ev *evaluation) (truth, error) {
	left, err := ev.collect(n.left)
	defer func() { ev.release(left) }()
	if err != nil {
		return unsure, err
	}
	right, err := ev.collect(n.right)
	defer func() { ev.release(right) }()
	if err != nil {
		return unsure, err
	}
	t := equalCollections(left, right)
	if n.negated {
		t = t.not()
	}
	return t, nil
}

// equalCollections is unsure where a side is empty or a pair of items cannot
// be told apart.
func equalCollections(a, b Collection) truth {
	if len(a) == 0 || len(b) == 0 {
		return unsure
	}
	if len(a) != len(b) {
		return no
	}
	result := yes
	for i := range a {
		result = and(result, equal(a[i], b[i]))
	}
	return result
}

// equal compares two items.
func equal(a, b Value) truth {
	if x, ok := text(a); ok {
		if y, ok := text(b); ok {
			return truthFrom(x == y)
		}
	}
	a, b = System(a), System(b)
	switch x := a.(type) {
	case Node:
		y, ok := b.(Node)
		if !ok {
			return no
		}
		return equalNodes(x.Element, y.Element)
	case Boolean, String:
		return truthFrom(a == b)
	case Integer:
		if y, ok := b.(Integer); ok {
			return truthFrom(x == y)
		}
	case *TypeInfo:
		y, ok := b.(*TypeInfo)
		return truthFrom(ok && *x == *y)
	}
	if q, r, ok := quantities(a, b); ok {
		order, known := q.compare(r)
		return equalOrder(order, known)
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return truthFrom(ok && x.Cmp(y) == 0)
	}
	if x, y, ok := moments(a, b); ok {
		order, known := x.compare(y)
		return equalOrder(order, known)
	}
	return no
}

func equalOrder(order int, known bool) truth {
	if !known {
		return unsure
	}
	return truthFrom(order == 0)
}

// quantities returns two values as quantities where at least one of them is
// one; the other may be a number, which has the unit '1'.
func quantities(a, b Value) (x, y *Quantity, ok bool) {
	x, isX := a.(*Quantity)
	y, isY := b.(*Quantity)
	if !isX && !isY {
		return nil, nil, false
	}
	if !isX {
		x, isX = unitless(a)
	}
	if !isY {
		y, isY = unitless(b)
	}
	return x, y, isX && isY
}

func unitless(v Value) (*Quantity, bool) {
	d, ok := number(v)
	if !ok {
		return nil, false
	}
	return &Quantity{Number: *d, Unit: "1"}, true
}

// equalNodes compares complex elements: the same children, the repetitions of
// each in order.
func equalNodes(a, b *fhir.Element) truth {
	if a == b {
		return yes
	}
	if a == nil || b == nil || len(a.Children) != len(b.Children) {
		return no
	}
	result := yes
	for i, c := range a.Children {
		other := repetition(b, c.Name, placeOf(a, i))
		if other == nil {
			return no
		}
		if result = and(result, equal(Node{c}, Node{other})); result == no {
			return no
		}
	}
	return result
}

// placeOf counts the children of that name before the i-th.
func placeOf(e *fhir.Element, i int) int {
	n := 0
	for j := i - 1; j >= 0 && e.Children[j].Name == e.Children[i].Name; j-- {
		n++
	}
	return n
}

func repetition(e *fhir.Element, name string, n int) *fhir.Element {
	for c := range e.All(name) {
		if n == 0 {
			return c
		}
		n--
	}
	return nil
}

// membership is in, or contains with its sides swapped.
// https://hl7.org/fhirpath/N1/#in-membership
type membership struct{ item, items node }

func (n *membership) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *membership) truth(ev *evaluation) (truth, error) {
	item, err := ev.single(n.item, "in")
	if err != nil || item == nil {
		return unsure, err
	}
	items, err := ev.collect(n.items)
	defer ev.release(items)
	return truthFrom(holds(items, item)), err
}

// holds reports whether an item is equal to v.
func holds(items Collection, v Value) bool {
	for _, item := range items {
		if equal(item, v) == yes {
			return true
		}
	}
	return false
}
