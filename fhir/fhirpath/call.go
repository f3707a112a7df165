package fhirpath

import (
	"github.com/cockroachdb/apd/v3"
)

// call is a function applied to an input.
type call struct {
	name     string
	input    node
	args     []node
	fn       function
	prepared any // what build made of constant arguments
}

// function computes on the items of the input and appends its result.
// Arguments that are no lambdas are evaluated in the frame around the call.
type function func(ev *evaluation, c *call, in, dst Collection) (Collection, error)

func (c *call) eval(ev *evaluation, dst Collection) (Collection, error) {
	in, err := ev.collect(c.input)
	defer func() { ev.release(in) }()
	if err != nil {
		return dst, err
	}
	return c.fn(ev, c, in, dst)
}

// test is a function with a truth for its result.
type test func(ev *evaluation, c *call, in Collection) (truth, error)

// testCall is a test applied to an input.
type testCall struct {
	call
	test test
}

func (c *testCall) eval(ev *evaluation, dst Collection) (Collection, error) {
	t, err := c.truth(ev)
	return t.appendTo(dst), err
}

func (c *testCall) truth(ev *evaluation) (truth, error) {
	in, err := ev.collect(c.input)
	defer func() { ev.release(in) }()
	if err != nil {
		return unsure, err
	}
	return c.test(ev, &c.call, in)
}

// one returns the only item of the input; nil for none.
func (c *call) one(in Collection) (Value, error) {
	switch len(in) {
	case 0:
		return nil, nil
	case 1:
		return in[0], nil
	}
	return nil, fault("%s takes a single item, not several", "%s に複数の値を渡せません", c.name)
}

// inputText returns the only item of the input as a string; ok is false for
// none. Anything but a string is an error.
func (c *call) inputText(in Collection) (s string, ok bool, err error) {
	v, err := c.one(in)
	if err != nil || v == nil {
		return "", false, err
	}
	return textOf(v, c.name)
}

func textOf(v Value, what string) (string, bool, error) {
	if s, ok := text(v); ok {
		return s, true, nil
	}
	if n, ok := v.(Node); ok && isText(n) {
		return "", false, nil // a string without a value
	}
	return "", false, fault("%s takes a string, not %s", "%s には文字列が要ります (%s)", what, typeName(v))
}

func isText(n Node) bool { return n.Type != nil && systemName(n.Type) == "String" }

// argText evaluates an argument to a string; ok is false where it is empty or
// was left out.
func (ev *evaluation) argText(c *call, i int) (s string, ok bool, err error) {
	if i >= len(c.args) {
		return "", false, nil
	}
	return ev.textArgument(c.args[i], c.name)
}

func (ev *evaluation) textArgument(n node, what string) (s string, ok bool, err error) {
	if l, isLiteral := n.(literal); isLiteral {
		return textOf(l.v, what)
	}
	v, err := ev.single(n, what)
	if err != nil || v == nil {
		return "", false, err
	}
	return textOf(v, what)
}

// argInteger evaluates an argument to an integer; ok is false where it is
// empty or was left out.
func (ev *evaluation) argInteger(c *call, i int) (n Integer, ok bool, err error) {
	if i >= len(c.args) {
		return 0, false, nil
	}
	return ev.integerArgument(c.args[i], c.name)
}

func (ev *evaluation) integerArgument(n node, what string) (Integer, bool, error) {
	v, err := ev.single(n, what)
	if err != nil || v == nil {
		return 0, false, err
	}
	if i, ok := System(v).(Integer); ok {
		return i, true, nil
	}
	return 0, false, fault("%s takes an integer, not %s", "%s には整数が要ります (%s)", what, typeName(v))
}

// argNumber evaluates an argument to a number, nil where it is empty.
func (ev *evaluation) argNumber(c *call, i int) (*apd.Decimal, error) {
	v, err := ev.single(c.args[i], c.name)
	if err != nil || v == nil {
		return nil, err
	}
	return numberOf(v, c.name)
}

func numberOf(v Value, what string) (*apd.Decimal, error) {
	if d, ok := number(System(v)); ok {
		return d, nil
	}
	return nil, fault("%s takes a number, not %s", "%s には数値が要ります (%s)", what, typeName(v))
}
