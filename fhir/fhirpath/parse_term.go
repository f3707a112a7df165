package fhirpath

import (
	"errors"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// term reads a literal, a name, a call, a variable or an expression in
// brackets.
func (p *parser) term() (node, error) {
	switch p.tok.kind {
	case stringToken:
		return p.literal(String(p.tok.text))
	case numberToken:
		return p.number()
	case dateToken, dateTimeToken, timeToken:
		return p.temporal()
	case variableToken:
		return p.variable()
	case identifierToken:
		return p.name()
	case symbolToken:
		return p.bracket()
	}
	return nil, p.unexpected()
}

func (p *parser) literal(v Value) (node, error) { return literal{v}, p.advance() }

// number reads a number and the unit that makes it a quantity.
func (p *parser) number() (node, error) {
	tok := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	d, ok := parseDecimal(tok.text)
	if !ok {
		return nil, p.fail(tok.at, "the number has too many digits", "数値の桁数が多すぎます")
	}
	switch unit := p.tok; {
	case unit.kind == stringToken:
		q := &Quantity{Number: d.Number, Unit: unit.text}
		return p.literal(q)
	case unit.kind == identifierToken && !unit.quoted && keywordUnit(unit.text) != noUnit:
		return p.literal(&Quantity{Number: d.Number, Unit: unit.text, Calendar: true})
	case strings.Contains(tok.text, "."):
		return literal{d}, nil
	}
	i, ok := parseInteger(tok.text)
	if !ok {
		return nil, p.fail(tok.at, "the integer does not fit 32 bits", "整数が 32 ビットに収まりません")
	}
	return literal{i}, nil
}

func (p *parser) temporal() (node, error) {
	var v Value
	var ok bool
	switch p.tok.kind {
	case dateToken:
		v, ok = parsed(ParseDate(p.tok.text))
	case dateTimeToken:
		v, ok = parsed(ParseDateTime(p.tok.text))
	default:
		v, ok = parsed(ParseTime(p.tok.text))
	}
	if !ok {
		return nil, p.fail(p.tok.at, "not a date or time", "日付・時刻ではありません")
	}
	return p.literal(v)
}

func parsed[T Value](v T, ok bool) (Value, bool) { return v, ok }

func (p *parser) variable() (node, error) {
	var n node
	switch p.tok.text {
	case "$this":
		n = this{}
	case "$index":
		n = indexVariable{}
	case "$total":
		n = totalVariable{}
	default:
		return nil, p.unexpected()
	}
	return n, p.advance()
}

// name reads what begins with an identifier: a call, a constant or the first
// name of a path, which may be the type of $this.
func (p *parser) name() (node, error) {
	tok := p.tok
	if err := p.advance(); err != nil {
		return nil, err
	}
	if p.is("(") {
		return p.call(tok, this{})
	}
	if !tok.quoted && (tok.text == "true" || tok.text == "false") {
		return literal{Boolean(tok.text == "true")}, nil
	}
	if tok.text != "" && tok.text[0] >= 'A' && tok.text[0] <= 'Z' {
		if spec, ok := newTypeSpecifier("", tok.text); ok {
			return &path{head: spec}, nil
		}
	}
	return member(this{}, tok.text), nil
}

// bracket reads ( expression ), {} and %constant.
func (p *parser) bracket() (node, error) {
	switch p.tok.text {
	case "(":
		if err := p.advance(); err != nil {
			return nil, err
		}
		n, err := p.expression(1)
		if err != nil {
			return nil, err
		}
		return n, p.expect(")")
	case "{":
		if err := p.advance(); err != nil {
			return nil, err
		}
		return empty{}, p.expect("}")
	case "%":
		if err := p.advance(); err != nil {
			return nil, err
		}
		if p.tok.kind != identifierToken && p.tok.kind != stringToken {
			return nil, p.unexpected()
		}
		name := p.tok.text
		return constant{name}, p.advance()
	}
	return nil, p.unexpected()
}

// typeSpecifier reads a type: "Patient", "FHIR.Patient", "System.`String`".
func (p *parser) typeSpecifier() (*typeSpecifier, error) {
	at := p.tok.at
	name, err := p.identifier()
	if err != nil {
		return nil, err
	}
	namespace := ""
	if p.is(".") && (name == "FHIR" || name == "System") {
		if err := p.advance(); err != nil {
			return nil, err
		}
		namespace = name
		if name, err = p.identifier(); err != nil {
			return nil, err
		}
	}
	spec, ok := newTypeSpecifier(namespace, name)
	if !ok {
		return nil, p.fail(at, "%q is not a type", "%q という型はありません", name)
	}
	return spec, nil
}

func (p *parser) identifier() (string, error) {
	if p.tok.kind != identifierToken {
		return "", p.unexpected()
	}
	name := p.tok.text
	return name, p.advance()
}

// call reads the arguments of a function and builds its node.
func (p *parser) call(name token, input node) (node, error) {
	f, ok := lookup(name.text)
	if !ok {
		return nil, p.fail(name.at, "there is no function %q", "関数 %q はありません", name.text)
	}
	if err := p.advance(); err != nil {
		return nil, err
	}
	if f.typed {
		spec, err := p.typeSpecifier()
		if err != nil {
			return nil, err
		}
		return p.typed(name.text, input, spec), p.expect(")")
	}
	args, err := p.arguments()
	if err != nil {
		return nil, err
	}
	if len(args) < f.min || len(args) > f.max {
		return nil, p.fail(name.at, "%s takes %d to %d arguments", "%s の引数は %d から %d 個です", name.text, f.min, f.max)
	}
	n, err := f.build(&call{name: name.text, input: input, args: args, fn: f.fn})
	if err != nil {
		return nil, p.refuse(name.at, err)
	}
	return n, p.expect(")")
}

// refuse points at a call whose constant arguments are wrong.
func (p *parser) refuse(at int, err error) error {
	var issues fhir.Issues
	if errors.As(err, &issues) && len(issues) > 0 {
		return syntaxIssue(p.source, at, issues[0].Message)
	}
	return err
}

// typed builds is, as and ofType.
func (p *parser) typed(name string, input node, spec *typeSpecifier) node {
	switch name {
	case "is":
		return &typeTest{input, spec}
	case "as":
		return p.cast(input, spec)
	}
	return filter(input, spec)
}

func (p *parser) arguments() ([]node, error) {
	if p.is(")") {
		return nil, nil
	}
	var args []node
	for {
		arg, err := p.expression(1)
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
		if !p.is(",") {
			return args, nil
		}
		if err := p.advance(); err != nil {
			return nil, err
		}
	}
}
