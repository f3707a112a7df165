package fhirpath

// call checks a function's input and arguments and tells what it gives.
func (c checker) call(n *call) (shape, error) {
	in, err := c.check(n.input)
	if err != nil {
		return shape{}, err
	}
	switch n.name {
	case "where", "exists", "all":
		return in, lambdas(in, n.args)
	case "sort":
		in.unordered = false
		return in, lambdas(in, n.args)
	case "select":
		out, err := c.in(in, n.args[0])
		out.unordered = out.unordered || in.unordered
		return out, err
	case "repeat", "aggregate", "trace":
		return shape{unordered: in.unordered}, lambdas(shape{}, n.args)
	case "iif":
		return shape{}, c.iif(n, in)
	}
	if err := c.all(n.args...); err != nil {
		return shape{}, err
	}
	return in.result(n.name)
}

func lambdas(items shape, args []node) error {
	items.unordered = false
	return checker{items}.all(args...)
}

func (c checker) iif(n *call, in shape) error {
	if len(in.kinds) > 0 {
		c.this = in
	}
	condition, err := c.check(n.args[0])
	if err == nil && !condition.may("Boolean") {
		return fault("the condition of iif is never a Boolean", "iif の条件が真偽値になりません")
	}
	if err != nil {
		return err
	}
	return c.all(n.args[1:]...)
}

// result tells what a function gives that evaluates nothing on the items.
func (s shape) result(function string) (shape, error) {
	switch function {
	case "first", "last", "tail", "skip", "take":
		return s, s.ordered(function)
	case "single", "distinct", "intersect", "exclude", "checkModifiers":
		return s, nil
	case "combine":
		return shape{unordered: s.unordered}, nil
	case "children", "descendants":
		return shape{unordered: true}, nil
	case "count", "length", "toInteger", "precision", "ceiling", "floor", "truncate":
		return system("Integer"), nil
	case "toString":
		return system("String"), nil
	case "type":
		return system("SimpleTypeInfo"), nil
	case "extension":
		return elementsOrUnknown(s), nil
	case "startsWith", "endsWith", "contains", "matches", "matchesFull":
		return system("Boolean"), s.text(function)
	case "upper", "lower", "trim", "replace", "replaceMatches", "substring", "encode", "decode", "escape", "unescape":
		return system("String"), s.text(function)
	case "indexOf", "lastIndexOf":
		return system("Integer"), s.text(function)
	}
	return shape{}, nil
}

func elementsOrUnknown(s shape) shape {
	out, err := s.member("extension")
	if err != nil {
		return shape{}
	}
	return out
}

func (s shape) text(function string) error {
	if !s.may("String") {
		return fault("%s needs a string, which is never here", "%s には文字列が要りますが、ここは文字列になりません", function)
	}
	return nil
}
