package graphql

// Limits of a document; a query within them costs bounded work to read.
const (
	maxSource = 64 << 10 // bytes
	maxDepth  = 32       // nested selections or values
)

// Parse reads a document. Errors are fhir.Issues with line and column.
func Parse(source string) (*Document, error) {
	if len(source) > maxSource {
		return nil, problem(1, 1, "the query is longer than %d bytes", "クエリが %d バイトを超えています", maxSource)
	}
	p := &parser{lexer: lexer{source: source, line: 1, column: 1}}
	doc := &Document{fragments: map[string]*fragment{}}
	err := p.step()
	for err == nil && p.token.kind != endToken {
		err = p.definition(doc)
	}
	if err != nil {
		return nil, err
	}
	if len(doc.operations) == 0 {
		return nil, problem(1, 1, "the document holds no query", "クエリがありません")
	}
	return doc, doc.checkFragments()
}

// checkFragments refuses fragments that contain themselves, which would never
// end. https://spec.graphql.org/June2018/#sec-Fragment-spreads-must-not-form-cycles
func (d *Document) checkFragments() error {
	const open, checked = 1, 2
	state := map[string]int{}
	var visit func(set []selection) error
	visit = func(set []selection) error {
		for i := range set {
			sel := &set[i]
			var next []selection
			switch {
			case sel.field != nil:
				next = sel.field.selection
			case sel.inline != nil:
				next = sel.inline.selection
			case state[sel.spread] == open:
				return problem(sel.line, sel.column, "fragment %q contains itself", "フラグメント %q が自身を含んでいます", sel.spread)
			case state[sel.spread] == checked || d.fragments[sel.spread] == nil:
				continue
			default:
				state[sel.spread] = open
				next = d.fragments[sel.spread].selection
			}
			if err := visit(next); err != nil {
				return err
			}
			if sel.spread != "" {
				state[sel.spread] = checked
			}
		}
		return nil
	}
	for name, f := range d.fragments {
		if state[name] == checked {
			continue
		}
		state[name] = open
		if err := visit(f.selection); err != nil {
			return err
		}
		state[name] = checked
	}
	return nil
}

type parser struct {
	lexer lexer
	token token // the one not yet taken
	depth int
}

func (p *parser) step() (err error) {
	p.token, err = p.lexer.next()
	return err
}

func (p *parser) is(text string) bool {
	return p.token.kind == punctuation && p.token.text == text
}

func (p *parser) isName(text string) bool {
	return p.token.kind == nameToken && p.token.text == text
}

func (p *parser) unexpected() error {
	return problem(p.token.line, p.token.column, "something else is due here", "この位置の記述が正しくありません")
}

func (p *parser) expect(text string) error {
	if !p.is(text) {
		return problem(p.token.line, p.token.column, "%q is due here", "ここには %q が必要です", text)
	}
	return p.step()
}

func (p *parser) name() (string, error) {
	if p.token.kind != nameToken {
		return "", problem(p.token.line, p.token.column, "a name is due here", "ここには名前が必要です")
	}
	name := p.token.text
	return name, p.step()
}

// many reads items between two marks.
func (p *parser) many(open, closing string, item func() error) error {
	if p.depth++; p.depth > maxDepth {
		return problem(p.token.line, p.token.column, "nested deeper than %d levels", "入れ子が %d 段を超えています", maxDepth)
	}
	defer func() { p.depth-- }()
	if err := p.expect(open); err != nil {
		return err
	}
	for !p.is(closing) {
		if p.token.kind == endToken {
			return p.expect(closing)
		}
		if err := item(); err != nil {
			return err
		}
	}
	return p.step()
}

func (p *parser) definition(doc *Document) error {
	switch {
	case p.is("{"):
		sel, err := p.selectionSet()
		doc.operations = append(doc.operations, &operation{kind: "query", selection: sel})
		return err
	case p.isName("fragment"):
		return p.fragment(doc)
	case p.isName("query"), p.isName("mutation"), p.isName("subscription"):
		return p.operation(doc)
	}
	return p.unexpected()
}

func (p *parser) operation(doc *Document) (err error) {
	op := &operation{kind: p.token.text}
	if err = p.step(); err != nil {
		return err
	}
	if p.token.kind == nameToken {
		op.name = p.token.text
		if err = p.step(); err != nil {
			return err
		}
	}
	if p.is("(") {
		if err = p.many("(", ")", func() error { return p.variable(op) }); err != nil {
			return err
		}
	}
	if _, err = p.directives(); err != nil {
		return err
	}
	op.selection, err = p.selectionSet()
	doc.operations = append(doc.operations, op)
	return err
}

func (p *parser) variable(op *operation) (err error) {
	var v variable
	if err = p.expect("$"); err != nil {
		return err
	}
	if v.name, err = p.name(); err != nil {
		return err
	}
	if err = p.expect(":"); err != nil {
		return err
	}
	if err = p.typeName(); err != nil {
		return err
	}
	if p.is("!") {
		v.required = true
		if err = p.step(); err != nil {
			return err
		}
	}
	if p.is("=") {
		if err = p.step(); err != nil {
			return err
		}
		value, err := p.value()
		if err != nil {
			return err
		}
		v.fallback = &value
	}
	op.variables = append(op.variables, v)
	return nil
}

// typeName reads and forgets a type: FHIR's own definitions type the data.
func (p *parser) typeName() error {
	if p.is("[") {
		return p.many("[", "]", func() error {
			if err := p.typeName(); err != nil {
				return err
			}
			if p.is("!") {
				return p.step()
			}
			return nil
		})
	}
	_, err := p.name()
	return err
}

func (p *parser) fragment(doc *Document) (err error) {
	f := &fragment{}
	if err = p.step(); err != nil {
		return err
	}
	at := p.token
	if f.name, err = p.name(); err != nil {
		return err
	}
	if !p.isName("on") {
		return p.unexpected()
	}
	if err = p.step(); err != nil {
		return err
	}
	if f.on, err = p.name(); err != nil {
		return err
	}
	if _, err = p.directives(); err != nil {
		return err
	}
	if f.selection, err = p.selectionSet(); err != nil {
		return err
	}
	if doc.fragments[f.name] != nil {
		return problem(at.line, at.column, "a fragment of this name stands in the document twice", "同名のフラグメントが複数あります")
	}
	doc.fragments[f.name] = f
	return nil
}

func (p *parser) selectionSet() ([]selection, error) {
	at := p.token
	var set []selection
	err := p.many("{", "}", func() error {
		s, err := p.selection()
		set = append(set, s)
		return err
	})
	if err == nil && len(set) == 0 {
		err = problem(at.line, at.column, "a selection must name a field", "選択するフィールドがありません")
	}
	return set, err
}

func (p *parser) selection() (s selection, err error) {
	s.line, s.column = p.token.line, p.token.column
	if !p.is("...") {
		s.field, err = p.field()
		return s, err
	}
	if err = p.step(); err != nil {
		return s, err
	}
	if p.token.kind == nameToken && p.token.text != "on" {
		s.spread = p.token.text
		if err = p.step(); err != nil {
			return s, err
		}
		s.directives, err = p.directives()
		return s, err
	}
	s.inline = &fragment{}
	if p.isName("on") {
		if err = p.step(); err != nil {
			return s, err
		}
		if s.inline.on, err = p.name(); err != nil {
			return s, err
		}
	}
	if s.directives, err = p.directives(); err != nil {
		return s, err
	}
	s.inline.selection, err = p.selectionSet()
	return s, err
}

func (p *parser) field() (f *field, err error) {
	f = &field{}
	if f.name, err = p.name(); err != nil {
		return f, err
	}
	f.alias = f.name
	if p.is(":") {
		if err = p.step(); err != nil {
			return f, err
		}
		if f.name, err = p.name(); err != nil {
			return f, err
		}
	}
	if f.arguments, err = p.arguments(); err != nil {
		return f, err
	}
	if f.directives, err = p.directives(); err != nil {
		return f, err
	}
	if p.is("{") {
		f.selection, err = p.selectionSet()
	}
	return f, err
}

func (p *parser) arguments() (args []argument, err error) {
	if !p.is("(") {
		return nil, nil
	}
	err = p.many("(", ")", func() error {
		a, err := p.argument()
		args = append(args, a)
		return err
	})
	return args, err
}

func (p *parser) argument() (a argument, err error) {
	if a.name, err = p.name(); err != nil {
		return a, err
	}
	if err = p.expect(":"); err != nil {
		return a, err
	}
	a.value, err = p.value()
	return a, err
}

func (p *parser) directives() (all []directive, err error) {
	for p.is("@") {
		if err = p.step(); err != nil {
			return nil, err
		}
		var d directive
		if d.name, err = p.name(); err != nil {
			return nil, err
		}
		if d.arguments, err = p.arguments(); err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, nil
}

func (p *parser) value() (v argValue, err error) {
	switch {
	case p.is("$"):
		if err = p.step(); err != nil {
			return v, err
		}
		v.kind = variableValue
		v.variable, err = p.name()
		return v, err
	case p.is("["):
		v.kind = list
		err = p.many("[", "]", func() error {
			item, err := p.value()
			v.list = append(v.list, item)
			return err
		})
		return v, err
	case p.is("{"):
		v.kind = object
		err = p.many("{", "}", func() error {
			a, err := p.argument()
			v.object = append(v.object, a)
			return err
		})
		return v, err
	case p.token.kind == stringToken, p.token.kind == numberToken, p.token.kind == nameToken:
		v.text = p.token.text
		if p.isName("null") {
			v.kind = null
		}
		return v, p.step()
	}
	return v, p.unexpected()
}
