package search

import (
	"errors"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// maxFilterDepth bounds the nesting of _filter, and maxFilterTerms its length.
const (
	maxFilterDepth = 32
	maxFilterTerms = 256
)

// filter reads _filter into clauses. https://hl7.org/fhir/R4/search_filter.html
func (p *parser) filter(value string) (Clause, error) {
	f := filterParser{p: p, rest: value}
	c, err := f.expression(0)
	if err == nil && f.space() && f.rest != "" {
		err = errSyntax
	}
	if errors.Is(err, errSyntax) {
		err = p.refuse("_filter", fhir.Invalid, "search-filter", "the filter is not well-formed", "_filterの構文が正しくありません")
	}
	if errors.Is(err, errUnknown) {
		err = p.refuse("_filter", fhir.Invalid, "search-filter", "the filter uses a parameter that is not known", "_filterに不明なパラメータがあります")
	}
	return c, err
}

var errSyntax = errors.New("filter syntax")

// filterParser reads an expression from the front of rest.
type filterParser struct {
	p     *parser
	rest  string
	terms int
}

// space skips blanks; it is always true.
func (f *filterParser) space() bool {
	f.rest = strings.TrimLeft(f.rest, " \t\r\n")
	return true
}

// word takes the word w, which must end there.
func (f *filterParser) word(w string) bool {
	f.space()
	rest, ok := strings.CutPrefix(f.rest, w)
	if !ok || rest != "" && !strings.ContainsRune(" (\t", rune(rest[0])) {
		return false
	}
	f.rest = rest
	return true
}

// expression reads terms joined by and and or. They are taken from left to
// right, neither before the other, as R4 has it.
func (f *filterParser) expression(depth int) (Clause, error) {
	left, err := f.term(depth)
	for err == nil {
		var right Clause
		switch {
		case f.word("and"):
			if right, err = f.term(depth); err == nil {
				left = Clause{Any: [][]Clause{{left, right}}}
			}
		case f.word("or"):
			if right, err = f.term(depth); err == nil {
				left = Clause{Any: [][]Clause{{left}, {right}}}
			}
		default:
			return left, nil
		}
	}
	return left, err
}

// term reads a comparison, or an expression in parentheses with or without not.
func (f *filterParser) term(depth int) (Clause, error) {
	if f.terms++; depth > maxFilterDepth || f.terms > maxFilterTerms {
		return Clause{}, f.p.refuse("_filter", fhir.TooCostly, "search-filter", "the filter is too large", "_filterが大きすぎます")
	}
	negated := f.word("not")
	f.space()
	if rest, ok := strings.CutPrefix(f.rest, "("); ok {
		f.rest = rest
		c, err := f.expression(depth + 1)
		if err != nil {
			return c, err
		}
		f.space()
		if f.rest, ok = strings.CutPrefix(f.rest, ")"); !ok {
			return c, errSyntax
		}
		if negated {
			c = negate(c)
		}
		return c, nil
	}
	if negated {
		return Clause{}, errSyntax
	}
	return f.comparison()
}

// negate turns a clause into its opposite.
func negate(c Clause) Clause {
	if c.Not {
		return Clause{Any: [][]Clause{{c}}, Not: true}
	}
	c.Not = true
	return c
}

// comparison reads path operator value.
func (f *filterParser) comparison() (Clause, error) {
	path := f.until(" ()")
	if strings.ContainsAny(path, "[]") {
		return Clause{}, f.p.notSupported("_filter", "filters within a path are not supported")
	}
	f.space()
	operator := f.until(" ()")
	f.space()
	value, err := f.value()
	if err != nil || path == "" || value == "" {
		return Clause{}, errors.Join(err, errSyntax)
	}
	return f.compare(path, operator, value)
}

func (f *filterParser) until(stops string) string {
	f.space()
	n := strings.IndexAny(f.rest, stops)
	if n < 0 {
		n = len(f.rest)
	}
	s := f.rest[:n]
	f.rest = f.rest[n:]
	return s
}

// value reads a literal in double quotes, returned with the escapes that the
// values of plain parameters have, or a bare token, number or date.
func (f *filterParser) value() (string, error) {
	if !strings.HasPrefix(f.rest, `"`) {
		return strings.ReplaceAll(f.until(" )"), ",", `\,`), nil
	}
	var b strings.Builder
	for i := 1; i < len(f.rest); i++ {
		switch c := f.rest[i]; {
		case c == '"':
			f.rest = f.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(f.rest):
			i++
			if f.rest[i] == '\\' {
				b.WriteByte('\\')
			}
			b.WriteByte(f.rest[i])
		case c == ',' || c == '$':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return "", errSyntax
}

// compare makes the clause of one comparison out of the criterion it equals.
func (f *filterParser) compare(path, operator, value string) (Clause, error) {
	at := criterionAt{name: "_filter", types: f.p.types}
	switch operator {
	case "eq", "re":
		return f.modified(at, path, value, ModifierWhole, Equal)
	case "ne":
		return f.modified(at, path, value, ModifierUnequal, NotEqual)
	case "co":
		return f.p.criterion(at, path+":contains", value)
	case "sw":
		return f.modified(at, path, value, ModifierNone, "")
	case "ew":
		return f.modified(at, path, value, ModifierEnds, "")
	case "gt", "lt", "ge", "le", "ap", "sa", "eb":
		return f.p.criterion(at, path, operator+value)
	case "po":
		return f.modified(at, path, value, "", Approximate)
	case "pr":
		return f.p.criterion(at, path+":missing", map[string]string{"true": "false", "false": "true"}[value])
	case "ss":
		return f.p.criterion(at, path+":above", value)
	case "sb":
		return f.p.criterion(at, path+":below", value)
	case "in":
		return f.p.criterion(at, path+":in", value)
	case "ni":
		return f.p.criterion(at, path+":not-in", value)
	}
	return Clause{}, errSyntax
}

// modified reads a plain criterion and gives its leaves a modifier that query
// strings do not have, where the parameter is not ordered, or a prefix, where
// it is. The operator does not fit the parameter where the one it needs is "".
func (f *filterParser) modified(at criterionAt, path, value string, m Modifier, prefix Prefix) (Clause, error) {
	at.adapt = func(leaf *Clause) bool { return leaf.modify(m, prefix) }
	c, err := f.p.criterion(at, path, value)
	if errors.Is(err, errUnfit) {
		err = f.p.notSupported("_filter", "the operator does not fit the parameter")
	}
	return c, err
}

func (c *Clause) modify(m Modifier, prefix Prefix) bool {
	switch c.Param.Type {
	case "date", "number", "quantity":
		for i := range c.Values {
			c.Values[i].Prefix = prefix
			if canonical := c.Values[i].Canonical; canonical != nil {
				canonical.Prefix = prefix
			}
		}
		return prefix != "" && (prefix != Approximate || c.Param.Type == "date")
	case "string":
		c.Modifier = m
		return prefix != Approximate
	case "token", "reference", "uri":
		if m == ModifierUnequal {
			c.Modifier = m
			return !slices.ContainsFunc(c.Values, func(v Value) bool { return v.ID != "" && v.URL != "" }) // a version
		}
		return prefix == Equal
	}
	return prefix == Equal
}
