package fhirpath

// Existence: https://hl7.org/fhirpath/N1/#existence

// existence is exists() and, negated, empty().
type existence struct {
	items   node
	negated bool
}

func makeEmpty(c *call) (node, error) { return &existence{c.input, true}, nil }

func makeExists(c *call) (node, error) {
	if len(c.args) == 1 {
		return &testCall{*c, existsWhere}, nil
	}
	return &existence{c.input, false}, nil
}

func (n *existence) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *existence) truth(ev *evaluation) (truth, error) {
	if p, ok := n.items.(*path); ok {
		found, err := p.exists(ev)
		return truthFrom(found != n.negated), err
	}
	items, err := ev.collect(n.items)
	defer ev.release(items)
	return truthFrom(len(items) > 0 != n.negated), err
}

func existsWhere(ev *evaluation, c *call, in Collection) (truth, error) {
	found := no
	err := ev.each(in, func(Value) (bool, error) {
		t, err := truthOf(ev, c.args[0])
		if t == yes {
			found = yes
		}
		return found == no, err
	})
	return found, err
}

func all(ev *evaluation, c *call, in Collection) (truth, error) {
	result := yes
	err := ev.each(in, func(Value) (bool, error) {
		t, err := truthOf(ev, c.args[0])
		if t != yes {
			result = no
		}
		return result == yes, err
	})
	return result, err
}

// negation is not().
type negation struct{ of node }

func makeNot(c *call) (node, error) { return &negation{c.input}, nil }

func (n *negation) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := n.truth(ev)
	return t.appendTo(dst), err
}

func (n *negation) truth(ev *evaluation) (truth, error) {
	t, err := truthOf(ev, n.of)
	return t.not(), err
}

func allTrue(_ *evaluation, c *call, in Collection) (truth, error) { return every(c, in, true) }

func allFalse(_ *evaluation, c *call, in Collection) (truth, error) { return every(c, in, false) }

func anyTrue(_ *evaluation, c *call, in Collection) (truth, error) {
	t, err := every(c, in, false)
	return t.not(), err
}

func anyFalse(_ *evaluation, c *call, in Collection) (truth, error) {
	t, err := every(c, in, true)
	return t.not(), err
}

// every reports whether all items are the Boolean wanted; other types are an
// error.
func every(c *call, in Collection, wanted Boolean) (truth, error) {
	result := yes
	for _, v := range in {
		b, ok := System(v).(Boolean)
		if !ok {
			return unsure, fault("%s takes Booleans, not %s", "%s には真偽値が要ります (%s)", c.name, typeName(v))
		}
		if b != wanted {
			result = no
		}
	}
	return result, nil
}

func subsetOf(ev *evaluation, c *call, in Collection) (truth, error) {
	other, err := ev.collect(c.args[0])
	defer ev.release(other)
	if err != nil {
		return unsure, err
	}
	return contained(ev, in, other)
}

func supersetOf(ev *evaluation, c *call, in Collection) (truth, error) {
	other, err := ev.collect(c.args[0])
	defer ev.release(other)
	if err != nil {
		return unsure, err
	}
	return contained(ev, other, in)
}

// contained reports whether every item is among the others.
func contained(ev *evaluation, items, others Collection) (truth, error) {
	for _, v := range items {
		if err := ev.step(len(others)); err != nil {
			return unsure, err
		}
		if !holds(others, v) {
			return no, nil
		}
	}
	return yes, nil
}

func count(_ *evaluation, _ *call, in, dst Collection) (Collection, error) {
	return append(dst, Integer(len(in))), nil
}

func distinct(ev *evaluation, _ *call, in, dst Collection) (Collection, error) {
	return appendDistinct(ev, dst, in)
}

func isDistinct(ev *evaluation, _ *call, in Collection) (truth, error) {
	unique, err := appendDistinct(ev, ev.scratch(), in)
	defer ev.release(unique)
	return truthFrom(len(unique) == len(in)), err
}
