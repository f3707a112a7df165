package search

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// path is a compiled expression of a search parameter. Nearly all of those of
// R4 are unions of member steps with a few fixed functions; they are walked
// directly, which is many times faster than evaluation. The rest is left to
// FHIRPath.
type path struct {
	branches [][]step
	general  []*fhirpath.Expression
}

// step is one step of a direct walk.
type step struct {
	op    operation
	name  string // member, type or URL
	value string // of where(name='value')
	// def is the definition of the member where the type it is looked up in
	// is known: comparing pointers is quicker than names.
	def *r4.Element
}

type operation byte

const (
	opMember    operation = iota // .name
	opFirst                      // .name[0]
	opType                       // .as(T), .ofType(T), (… as T)
	opResolves                   // .where(resolve() is T)
	opWhere                      // .where(name='value')
	opExtension                  // .extension('url')
	opResource                   // %resource
)

// compilePath compiles the parts of a union that apply to a resource type;
// "" is the type of expressions that start at an element.
func compilePath(expression, resourceType string) (path, error) {
	var p path
	for _, branch := range splitUnion(expression) {
		steps, ok := parseSteps(branch, resourceType)
		switch {
		case !ok && mayApply(branch, resourceType):
			x, err := fhirpath.CompileWith(branch, fhirpath.Options{FilterAs: true})
			if err != nil {
				return p, fmt.Errorf("search parameter expression: %w", err)
			}
			p.general = append(p.general, x)
		case ok && steps != nil:
			p.branches = append(p.branches, resolve(steps, resourceType))
		}
	}
	return p, nil
}

// resolve finds the definitions of the members, as far as types are known, and
// drops the test of the resource's own type at the start.
func resolve(steps []step, resourceType string) []step {
	t, _ := r4.TypeByName(resourceType)
	if t == nil {
		return steps
	}
	if steps[0].op == opType && appliesTo(steps[0].name, resourceType) {
		steps = steps[1:]
	}
	for i := range steps {
		s := &steps[i]
		switch s.op {
		case opMember, opFirst:
			if t == nil {
				return steps
			}
			at := slices.IndexFunc(t.Elements, func(e *r4.Element) bool { return e.Name == s.name })
			if at < 0 {
				return steps
			}
			s.def = t.Elements[at]
			next, _ := t.Property(s.name)
			t = next.Type
		case opType:
			t = nil
			if exact, ok := r4.TypeByName(s.name); ok && exact.Kind == r4.Complex && s.name != "Quantity" {
				t = exact // of these only Quantity has derived types
			}
		case opExtension, opResource:
			return steps
		}
		if t != nil && t.Kind == r4.Resource {
			t = nil // a slot that holds any resource
		}
	}
	return steps
}

// hits reports whether a child is the member.
func (s *step) hits(c *fhir.Element) bool {
	if s.def != nil {
		return c.Def == s.def
	}
	return c.Name == s.name || c.Def != nil && c.Def.Choice && c.Def.Name == s.name
}

// splitUnion cuts at the | outside parentheses and literals.
func splitUnion(s string) []string {
	var out []string
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == '|' && depth == 0:
			out = append(out, strings.TrimSpace(s[start:i]))
			start = i + 1
		}
	}
	return append(out, strings.TrimSpace(s[start:]))
}

// mayApply reports whether an expression the walker cannot read concerns the
// type: it starts with it, or with no type at all.
func mayApply(branch, resourceType string) bool {
	head := strings.TrimLeft(branch, "( ")
	end := strings.IndexFunc(head, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') })
	if end < 0 {
		end = len(head)
	}
	return appliesTo(head[:end], resourceType)
}

// appliesTo reports whether a first name is not that of another type.
func appliesTo(name, resourceType string) bool {
	t, ok := r4.TypeByName(name)
	return !ok || t.Kind != r4.Resource || name == resourceType || isBase(name, resourceType)
}

func isBase(name, resourceType string) bool {
	for t, ok := r4.TypeByName(resourceType); ok; t, ok = r4.TypeByName(t.Base) {
		if t.Base == name {
			return true
		}
	}
	return false
}

// parseSteps reads a branch of the simple form. It returns no steps and true
// for a branch of another resource type, and false where the form is not
// simple.
func parseSteps(branch, resourceType string) ([]step, bool) {
	p := stepParser{rest: branch, ok: true}
	parens := 0
	for p.eat("(") {
		parens++
	}
	first := true
	for p.ok && p.rest != "" {
		switch {
		case parens > 0 && p.eat(" as "):
			p.add(opType, p.identifier(), "")
		case parens > 0 && p.eat(")"):
			parens--
		case first && p.eat("%resource"):
			p.add(opResource, "", "")
		case first:
			name := p.identifier()
			if t, ok := r4.TypeByName(name); ok && t.Kind == r4.Resource {
				if !appliesTo(name, resourceType) {
					return nil, true
				}
				p.add(opType, name, "")
			} else {
				p.member(name)
			}
		case p.eat("."):
			p.call(p.identifier())
		case p.eat(" as "):
			p.add(opType, p.identifier(), "")
			p.ok = p.ok && p.rest == ""
		default:
			p.ok = false
		}
		first = false
	}
	return p.steps, p.ok && parens == 0
}

// stepParser reads steps from the front of rest; ok turns false where the
// form is not simple.
type stepParser struct {
	rest  string
	ok    bool
	steps []step
}

func (p *stepParser) eat(s string) bool {
	if !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

func (p *stepParser) must(s string) { p.ok = p.eat(s) && p.ok }

func (p *stepParser) identifier() string {
	n := 0
	for n < len(p.rest) && (p.rest[n] >= 'a' && p.rest[n] <= 'z' || p.rest[n] >= 'A' && p.rest[n] <= 'Z' || n > 0 && p.rest[n] >= '0' && p.rest[n] <= '9') {
		n++
	}
	name := p.rest[:n]
	p.rest = p.rest[n:]
	p.ok = p.ok && n > 0
	return name
}

func (p *stepParser) literal() string {
	p.must("'")
	end := strings.IndexByte(p.rest, '\'')
	if end < 0 || strings.Contains(p.rest[:end], `\`) {
		p.ok = false
		return ""
	}
	s := p.rest[:end]
	p.rest = p.rest[end+1:]
	return s
}

func (p *stepParser) add(op operation, name, value string) {
	p.steps = append(p.steps, step{op: op, name: name, value: value})
}

// member adds a member step. An index is simple only at the first member,
// where the parent is one element.
func (p *stepParser) member(name string) {
	if !p.eat("[0]") {
		p.add(opMember, name, "")
		return
	}
	for _, s := range p.steps {
		p.ok = p.ok && s.op == opType
	}
	p.add(opFirst, name, "")
}

// call reads what follows a dot: a member, or one of the functions.
func (p *stepParser) call(name string) {
	if !p.eat("(") {
		p.member(name)
		return
	}
	switch name {
	case "as", "ofType":
		typ := p.identifier()
		if typ == "DateTime" { // so written in R4
			typ = "dateTime"
		}
		p.add(opType, typ, "")
	case "extension":
		p.add(opExtension, p.literal(), "")
	case "where":
		p.where()
	default:
		p.ok = false
		return
	}
	p.must(")")
}

func (p *stepParser) where() {
	if p.eat("resolve() is ") {
		p.add(opResolves, p.identifier(), "")
		return
	}
	name := p.identifier()
	p.eat(" ")
	p.must("=")
	p.eat(" ")
	p.add(opWhere, name, p.literal())
}

// eval appends the elements the path reaches from focus.
func (p *path) eval(dst []*fhir.Element, focus *fhir.Element, x *extraction) []*fhir.Element {
	for _, steps := range p.branches {
		dst = collect(dst, steps, focus, x)
	}
	for _, general := range p.general {
		dst = x.evaluate(dst, general, focus)
	}
	return dst
}

func collect(dst []*fhir.Element, steps []step, e *fhir.Element, x *extraction) []*fhir.Element {
	if len(steps) == 0 {
		return append(dst, e)
	}
	s, rest := &steps[0], steps[1:]
	switch s.op {
	case opMember, opFirst:
		for _, c := range e.Children {
			if s.hits(c) {
				dst = collect(dst, rest, c, x)
				if s.op == opFirst {
					break
				}
			}
		}
	case opType:
		if isType(e, s.name) {
			dst = collect(dst, rest, e, x)
		}
	case opResolves:
		if x.pointsTo(e, s.name) {
			dst = collect(dst, rest, e, x)
		}
	case opWhere:
		if e.Text(s.name) == s.value {
			dst = collect(dst, rest, e, x)
		}
	case opExtension:
		for c := range e.All("extension") {
			if c.Text("url") == s.name {
				dst = extensionValue(dst, rest, c, x)
			}
		}
	case opResource:
		dst = collect(dst, rest, x.root, x)
	}
	return dst
}

// extensionValue goes on from an extension. Where the expression ends at the
// extension itself, as those of R4 do, its value is meant.
func extensionValue(dst []*fhir.Element, rest []step, e *fhir.Element, x *extraction) []*fhir.Element {
	if len(rest) > 0 {
		return collect(dst, rest, e, x)
	}
	return collect(dst, []step{{op: opMember, name: "value"}}, e, x)
}

// isType reports whether an element is of a type, or, unless it is primitive,
// of one derived from it.
func isType(e *fhir.Element, name string) bool {
	t := e.Type
	switch {
	case t == nil:
		return false
	case t.Name == name:
		return true
	case t.Kind == r4.Primitive, t.Base == "Element", t.Base == "BackboneElement":
		return name == t.Base && t.Kind != r4.Primitive
	}
	return isBase(name, t.Name)
}

// pointsTo answers resolve() is T from the reference alone: a search index
// must not depend on whether the target exists.
func (x *extraction) pointsTo(e *fhir.Element, typ string) bool {
	text := e.Value
	if e.Type.Name == "Reference" {
		text = e.Text("reference")
	}
	if id, ok := strings.CutPrefix(text, "#"); ok {
		outermost := x.outermost()
		for c := range outermost.All("contained") {
			if c.ID() == id {
				return c.ResourceType() == typ
			}
		}
		return id == "" && outermost.ResourceType() == typ
	}
	if ref, _, ok := parseLocal(x.base(), text); ok {
		return ref.Type == typ
	}
	if parts := strings.Split(text, "/"); len(parts) > 2 {
		if i := len(parts) - 2; isResourceType(parts[i]) {
			return parts[i] == typ
		}
	}
	return e.Text("type") == typ
}
