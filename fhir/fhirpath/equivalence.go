package fhirpath

import (
	"slices"
	"strings"
	"unicode"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// equivalence is ~ or !~: never empty, in any order.
// https://hl7.org/fhirpath/N1/#equivalence
type equivalence struct {
	left, right node
	negated     bool
}

func (n *equivalence) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *equivalence) truth(ev *evaluation) (truth, error) {
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
	if err := ev.step(len(left) * len(right)); err != nil {
		return unsure, err
	}
	return truthFrom(equivalentCollections(left, right) != n.negated), nil
}

// equivalentCollections pairs every item with another of the other side.
func equivalentCollections(a, b Collection) bool {
	if len(a) != len(b) {
		return false
	}
	used := make([]bool, len(b))
next:
	for _, v := range a {
		for i, w := range b {
			if !used[i] && equivalent(v, w) {
				used[i] = true
				continue next
			}
		}
		return false
	}
	return true
}

// equivalent compares two items.
func equivalent(a, b Value) bool {
	a, b = System(a), System(b)
	switch x := a.(type) {
	case Node:
		y, ok := b.(Node)
		return ok && equivalentNodes(x.Element, y.Element)
	case String:
		y, ok := b.(String)
		return ok && fold(string(x)) == fold(string(y))
	case Integer, *Decimal:
		if _, ok := b.(*Quantity); ok {
			break
		}
		m, _ := number(a)
		n, ok := number(b)
		return ok && sameRounded(m, n, min(places(m), places(n)))
	}
	if q, r, ok := quantities(a, b); ok {
		return q.equivalent(r)
	}
	if x, y, ok := moments(a, b); ok {
		order, known := x.compare(y)
		return x.precision == y.precision && known && order == 0
	}
	return equal(a, b) == yes
}

// fold ignores case and takes all white space as a blank.
func fold(s string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, s))
}

// equivalentNodes compares complex elements: the same children in any order;
// ids do not count.
func equivalentNodes(a, b *fhir.Element) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	x, y := content(a), content(b)
	if len(x) != len(y) {
		return false
	}
	for _, c := range x {
		j := slices.IndexFunc(y, func(d *fhir.Element) bool {
			return d.Name == c.Name && equivalent(Node{c}, Node{d})
		})
		if j < 0 {
			return false
		}
		y = slices.Delete(y, j, j+1)
	}
	return true
}

// content returns a copy of the children but the id.
func content(e *fhir.Element) []*fhir.Element {
	return slices.DeleteFunc(slices.Clone(e.Children), func(c *fhir.Element) bool { return c.Name == "id" })
}
