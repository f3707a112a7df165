package fhirpath

// truth is the three-valued logic's value.
type truth uint8

const (
	unsure truth = iota // empty
	yes
	no
)

func truthFrom(b bool) truth {
	if b {
		return yes
	}
	return no
}

// appendTo appends the value as a Boolean, nothing where it is unsure.
func (t truth) appendTo(dst Collection) Collection {
	switch t {
	case yes:
		return append(dst, Boolean(true))
	case no:
		return append(dst, Boolean(false))
	}
	return dst
}

// not swaps yes and no.
func (t truth) not() truth {
	switch t {
	case yes:
		return no
	case no:
		return yes
	}
	return unsure
}

// truthOf evaluates a node as a condition.
func truthOf(ev *evaluation, n node) (truth, error) {
	if c, ok := n.(condition); ok {
		return c.truth(ev)
	}
	c, err := ev.collect(n)
	defer ev.release(c)
	if err != nil {
		return unsure, err
	}
	return truthOfCollection(c)
}

// truthOfCollection is the singleton rule: a Boolean is itself, another single
// item is true, none is unsure, several are an error.
// https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections
func truthOfCollection(c Collection) (truth, error) {
	switch len(c) {
	case 0:
		return unsure, nil
	case 1:
		return truthOfValue(c[0]), nil
	}
	return unsure, fault("several items stand where one Boolean is needed", "真偽値 1 つが必要な所に複数の値があります")
}

func truthOfValue(v Value) truth {
	if b, ok := System(v).(Boolean); ok {
		return truthFrom(bool(b))
	}
	if n, ok := v.(Node); ok && n.Type != nil && n.Type.Name == "boolean" {
		return unsure // a boolean without a value
	}
	return yes
}

// logic is and, or, xor or implies.
// https://hl7.org/fhirpath/N1/#boolean-logic
type logic struct {
	op          string
	left, right node
}

func (n *logic) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *logic) truth(ev *evaluation) (truth, error) {
	left, err := truthOf(ev, n.left)
	if err != nil {
		return unsure, err
	}
	switch { // the left decides alone
	case n.op == "and" && left == no, n.op == "implies" && left == no, n.op == "or" && left == yes:
		return truthFrom(n.op != "and"), nil
	}
	right, err := truthOf(ev, n.right)
	if err != nil {
		return unsure, err
	}
	switch n.op {
	case "and":
		return and(left, right), nil
	case "or":
		return and(left.not(), right.not()).not(), nil
	case "implies":
		return and(left, right.not()).not(), nil
	}
	if left == unsure || right == unsure {
		return unsure, nil
	}
	return truthFrom(left != right), nil
}

func and(a, b truth) truth {
	switch {
	case a == no || b == no:
		return no
	case a == yes && b == yes:
		return yes
	}
	return unsure
}
