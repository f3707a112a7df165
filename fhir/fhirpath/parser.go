package fhirpath

// The limits of an expression's source: bytes, and levels of nesting.
const (
	maxSource  = 64 << 10
	maxNesting = 200
)

// parser turns tokens into nodes by precedence.
// https://hl7.org/fhirpath/N1/#operator-precedence
type parser struct {
	lexer
	opts  Options
	tok   token
	depth int
}

func parse(source string, opts Options) (node, error) {
	p := &parser{lexer: lexer{source: source}, opts: opts}
	if len(source) > maxSource {
		return nil, p.fail(0, "the expression is too long", "式が長すぎます")
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	n, err := p.expression(1)
	if err != nil {
		return nil, err
	}
	if p.tok.kind != endToken {
		return nil, p.unexpected()
	}
	return n, nil
}

// The levels of binding, from loose to tight.
const (
	bindTypes    = 8
	bindPolarity = 11
)

// binding returns how tight an infix operator binds, 0 for what is none.
func (t *token) binding() int {
	if t.quoted || (t.kind != symbolToken && t.kind != identifierToken) {
		return 0
	}
	switch t.text {
	case "implies":
		return 1
	case "or", "xor":
		return 2
	case "and":
		return 3
	case "in", "contains":
		return 4
	case "=", "~", "!=", "!~":
		return 5
	case "<", "<=", ">", ">=":
		return 6
	case "|":
		return 7
	case "is", "as":
		return bindTypes
	case "+", "-", "&":
		return 9
	case "*", "/", "div", "mod":
		return 10
	}
	return 0
}

// expression reads operators that bind at least as tight as level.
func (p *parser) expression(level int) (node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return nil, p.fail(p.tok.at, "the expression is nested too deep", "式の入れ子が深すぎます")
	}
	left, err := p.polarity()
	if err != nil {
		return nil, err
	}
	for {
		op := p.tok
		bind := op.binding()
		if bind == 0 || bind < level {
			return left, nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
		if left, err = p.infix(op, left, bind); err != nil {
			return nil, err
		}
	}
}

// infix reads the right side of an operator.
func (p *parser) infix(op token, left node, bind int) (node, error) {
	if bind == bindTypes {
		spec, err := p.typeSpecifier()
		if err != nil {
			return nil, err
		}
		if op.text == "is" {
			return &typeTest{left, spec}, nil
		}
		return p.cast(left, spec), nil
	}
	right, err := p.expression(bind + 1)
	if err != nil {
		return nil, err
	}
	switch op.text {
	case "and", "or", "xor", "implies":
		return &logic{op.text, left, right}, nil
	case "in":
		return &membership{left, right}, nil
	case "contains":
		return &membership{right, left}, nil
	case "=", "!=":
		return &equality{left, right, op.text == "!="}, nil
	case "~", "!~":
		return &equivalence{left, right, op.text == "!~"}, nil
	case "<", "<=", ">", ">=":
		return &comparison{op.text, left, right}, nil
	case "|":
		return &union{left, right}, nil
	case "&":
		return &concatenation{left, right}, nil
	}
	return &arithmetic{op.text, left, right}, nil
}

// cast is as: a filter for a single item, or for many where options say so.
func (p *parser) cast(of node, spec *typeSpecifier) node {
	if p.opts.FilterAs {
		return filter(of, spec)
	}
	return &typeFilter{of, spec, true}
}

// filter is ofType, made part of a path where there is one.
func filter(of node, spec *typeSpecifier) node {
	if n, ok := of.(*path); ok && len(n.steps) > 0 && n.steps[len(n.steps)-1].only == nil {
		n.steps[len(n.steps)-1].only = spec
		return n
	}
	return &typeFilter{of, spec, false}
}

func (p *parser) polarity() (node, error) {
	op := p.tok
	if op.kind != symbolToken || op.text != "+" && op.text != "-" {
		return p.postfix()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	of, err := p.expression(bindPolarity)
	if err != nil {
		return nil, err
	}
	return &polarity{of, op.text == "-"}, nil
}

// postfix reads a term and what follows it by dots and brackets.
func (p *parser) postfix() (node, error) {
	n, err := p.term()
	for err == nil {
		switch {
		case p.is("."):
			if err = p.advance(); err == nil {
				n, err = p.invocation(n)
			}
		case p.is("["):
			n, err = p.index(n)
		default:
			return n, nil
		}
	}
	return nil, err
}

func (p *parser) index(items node) (node, error) {
	if err := p.advance(); err != nil {
		return nil, err
	}
	at, err := p.expression(1)
	if err != nil {
		return nil, err
	}
	return &indexer{items, at}, p.expect("]")
}

// invocation reads what follows a dot.
func (p *parser) invocation(of node) (node, error) {
	tok := p.tok
	if tok.kind == variableToken {
		return p.variable()
	}
	if tok.kind != identifierToken {
		return nil, p.unexpected()
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is("(") {
		return p.call(tok, of)
	}
	return member(of, tok.text), nil
}

// member adds a name to a path or begins one.
func member(of node, name string) node {
	if n, ok := of.(*path); ok {
		n.steps = append(n.steps, step{name: name})
		return n
	}
	if _, ok := of.(this); ok {
		of = nil
	}
	return &path{root: of, steps: []step{{name: name}}}
}

func (p *parser) is(symbol string) bool {
	return p.tok.kind == symbolToken && p.tok.text == symbol
}

func (p *parser) advance() (err error) {
	p.tok, err = p.next()
	return err
}

func (p *parser) expect(symbol string) error {
	if !p.is(symbol) {
		return p.fail(p.tok.at, "%q is missing", "%q がありません", symbol)
	}
	return p.advance()
}

func (p *parser) unexpected() error {
	if p.tok.kind == endToken {
		return p.fail(p.tok.at, "the expression ends too early", "式が途中で終わっています")
	}
	return p.fail(p.tok.at, "unexpected %q", "予期しない %q です", p.tok.text)
}
