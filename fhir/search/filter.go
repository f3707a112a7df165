package search

import (
	"errors"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// maxFilterDepth bounds the nesting of _filter, and maxFilterTerms its length.
const (
	maxFilterDepth = 32
	maxFilterTerms = 256
)

// filter reads _filter into clauses: and binds tighter than or, not comes with
// parentheses. https://hl7.org/fhir/R4/search_filter.html
func (p *parser) filter(value string) (Clause, error) {
	f := filterParser{p: p, rest: value}
	c, err := f.or(0)
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

// or reads terms joined by or.
func (f *filterParser) or(depth int) (Clause, error) {
	first, err := f.and(depth)
	if err != nil {
		return first, err
	}
	all := [][]Clause{{first}}
	for f.word("or") {
		next, err := f.and(depth)
		if err != nil {
			return next, err
		}
		all = append(all, []Clause{next})
	}
	if len(all) == 1 {
		return first, nil
	}
	return Clause{Any: all}, nil
}

// and reads terms joined by and.
func (f *filterParser) and(depth int) (Clause, error) {
	first, err := f.term(depth)
	if err != nil {
		return first, err
	}
	all := []Clause{first}
	for f.word("and") {
		next, err := f.term(depth)
		if err != nil {
			return next, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return first, nil
	}
	return Clause{Any: [][]Clause{all}}, nil
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
		c, err := f.or(depth + 1)
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
		return f.equal(at, path, value)
	case "ne":
		c, err := f.equal(at, path, value)
		return negate(c), err
	case "co":
		return f.p.criterion(at, path+":contains", value)
	case "sw":
		return f.p.criterion(at, path, value)
	case "gt", "lt", "ge", "le", "ap", "sa", "eb":
		return f.p.criterion(at, path, operator+value)
	case "po":
		return f.overlap(at, path, value)
	case "pr":
		c, err := f.p.criterion(at, path+":missing", map[string]string{"true": "false", "false": "true"}[value])
		return c, err
	case "ss":
		return f.p.criterion(at, path+":above", value)
	case "sb":
		return f.p.criterion(at, path+":below", value)
	case "in":
		return f.p.criterion(at, path+":in", value)
	case "ni":
		return f.p.criterion(at, path+":not-in", value)
	case "ew":
		return Clause{}, f.p.notSupported("_filter", "the operator ew is not supported")
	}
	return Clause{}, errSyntax
}

// equal asks for the exact string, and for equality of everything else.
func (f *filterParser) equal(at criterionAt, path, value string) (Clause, error) {
	c, err := f.p.criterion(at, path, value)
	if err != nil {
		return c, err
	}
	if leaf := leafOf(&c); leaf != nil && leaf.Param.Type == "string" && leaf.Modifier == ModifierNone {
		return f.p.criterion(at, path+":exact", value)
	}
	return c, nil
}

// overlap is the operator po: the ranges of time have a moment in common.
func (f *filterParser) overlap(at criterionAt, path, value string) (Clause, error) {
	c, err := f.p.criterion(at, path, value)
	if err != nil {
		return c, err
	}
	leaf := leafOf(&c)
	if leaf == nil || leaf.Param.Type != "date" {
		return c, f.p.notSupported("_filter", "the operator po is for dates")
	}
	for i := range leaf.Values {
		leaf.Values[i].Prefix = Approximate
	}
	return c, nil
}

// leafOf follows chains to the criterion with the values, nil where there is
// not exactly one.
func leafOf(c *Clause) *Clause {
	for {
		switch {
		case len(c.Any) > 0:
			return nil
		case c.Chain != nil:
			c = &c.Chain.Where
		case c.Has != nil:
			c = &c.Has.Where
		default:
			return c
		}
	}
}
