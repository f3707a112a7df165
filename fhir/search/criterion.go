package search

import (
	"errors"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// criterionAt is where the parser stands in a chain.
type criterionAt struct {
	name  string   // the whole name, for messages
	types []string // of the resources that the rest applies to
	depth int
	// adapt changes each criterion with values at the end of a chain; false
	// says that it does not fit. nil: none does.
	adapt func(*Clause) bool
}

// criterion reads name[:modifier][.chain] on the types of at, or
// _has:Type:reference:rest.
func (p *parser) criterion(at criterionAt, rest, value string) (Clause, error) {
	if at.depth > p.r.opts.MaxChain {
		return Clause{}, p.refuse(at.name, fhir.TooCostly, "search-chain-too-long", "the chain is too long", "チェーンが長すぎます")
	}
	if after, ok := strings.CutPrefix(rest, "_has:"); ok {
		return p.has(at, after, value)
	}
	head, tail, chained := strings.Cut(rest, ".")
	code, modifier, _ := strings.Cut(head, ":")
	groups := p.lookup(at.types, code, at.depth == 0)
	if len(groups) == 0 {
		return Clause{}, errUnknown
	}
	var found []Clause
	for _, g := range groups {
		var c Clause
		var err error
		if chained {
			c, err = p.chain(at, g, modifier, tail, value)
		} else {
			c, err = p.plain(at, g, modifier, value)
		}
		if err != nil && (len(groups) == 1 || !forgivable(err)) {
			return Clause{}, err
		}
		if err == nil {
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return Clause{}, p.badValue(at.name, "the value fits no parameter of this name")
	case 1:
		return found[0], nil
	}
	return alternatives(found), nil
}

// forgivable tells an error that only says that a value or a name does not fit
// one of several parameters.
func forgivable(err error) bool {
	var issues fhir.Issues
	return errors.Is(err, errUnknown) || errors.As(err, &issues) && len(issues) > 0 && !strings.HasPrefix(issues[0].ID, "search-codes") && issues[0].Code != fhir.TooCostly
}

func alternatives(found []Clause) Clause {
	c := Clause{}
	for _, f := range found {
		c.Any = append(c.Any, []Clause{f})
	}
	return c
}

// group is a parameter and the types that have it in the same form.
type group struct {
	param *Parameter
	types []string
}

// lookup finds a parameter in the types, grouped by definition where it
// matters. With all, every type must have it.
func (p *parser) lookup(types []string, code string, all bool) []group {
	var groups []group
	for _, t := range types {
		param, ok := p.r.Lookup(t, code)
		if !ok {
			if all {
				return nil
			}
			continue
		}
		i := slices.IndexFunc(groups, func(g group) bool { return sameForm(g.param, param) })
		if i < 0 {
			groups = append(groups, group{param: param})
			i = len(groups) - 1
		}
		groups[i].types = append(groups[i].types, t)
	}
	return groups
}

// sameForm reports whether one clause serves both parameters: their keys are
// of one code and one form.
func sameForm(a, b *Parameter) bool {
	if a == b {
		return true
	}
	return a.Code == b.Code && a.Type == b.Type && a.Type != "composite" && a.Type != "reference"
}

// chain reads the rest of name after a dot.
// https://hl7.org/fhir/R4/search.html#chaining
func (p *parser) chain(at criterionAt, g group, modifier, tail, value string) (Clause, error) {
	if g.param.Type != "reference" {
		return Clause{}, p.refuse(at.name, fhir.Invalid, "search-chain", "only references can be chained", "チェーンできるのは参照型だけです")
	}
	types := p.targets(g.param)
	if modifier != "" {
		if !slices.Contains(types, modifier) {
			return Clause{}, p.refuse(at.name, fhir.Invalid, "search-modifier", "the modifier is not a type that the reference may have",
				"修飾子は参照先の型ではありません")
		}
		types = []string{modifier}
	}
	next := criterionAt{name: at.name, types: types, depth: at.depth + 1, adapt: at.adapt}
	where, err := p.criterion(next, tail, value)
	if err != nil {
		return Clause{}, err
	}
	if where.empty() {
		return Clause{}, nil
	}
	return p.across(at, g.types, p.link(g.param, types, tail, where))
}

// link makes the chain; alternatives by type become one chain each.
func (p *parser) link(param *Parameter, types []string, tail string, where Clause) Clause {
	head, _, _ := strings.Cut(tail, ".")
	code, _, _ := strings.Cut(head, ":")
	if strings.HasPrefix(tail, "_has:") {
		return Clause{Param: param, Chain: &Chain{Types: types, Where: where}}
	}
	types = slices.DeleteFunc(slices.Clone(types), func(t string) bool {
		_, ok := p.r.Lookup(t, code)
		return !ok
	})
	return Clause{Param: param, Chain: &Chain{Types: types, Where: where}}
}

// targets are the types a reference may point to.
func (p *parser) targets(param *Parameter) []string {
	var out []string
	for _, t := range param.Target {
		if p.r.tables[t] != nil {
			out = append(out, t)
		}
	}
	if len(out) == 0 {
		for t := range p.r.tables {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// has reads Type:reference:rest.
// https://hl7.org/fhir/R4/search.html#has
func (p *parser) has(at criterionAt, rest, value string) (Clause, error) {
	parts := strings.SplitN(rest, ":", 3)
	if len(parts) < 3 || parts[2] == "" {
		return Clause{}, p.refuse(at.name, fhir.Invalid, "search-has", "_has:Type:reference:parameter is expected", "_has:型:参照:パラメータの形で指定してください")
	}
	param, ok := p.r.Lookup(parts[0], parts[1])
	if !ok {
		return Clause{}, errUnknown
	}
	if param.Type != "reference" {
		return Clause{}, p.refuse(at.name, fhir.Invalid, "search-has", "the second part of _has must be a reference", "_hasの2番目は参照型でなければなりません")
	}
	where, err := p.criterion(criterionAt{name: at.name, types: parts[:1], depth: at.depth + 1, adapt: at.adapt}, parts[2], value)
	if err != nil {
		return Clause{}, err
	}
	if where.empty() {
		return Clause{}, nil
	}
	return p.back(at, Clause{Has: &Has{Type: parts[0], Reference: param, Where: where}})
}

// plain reads the modifier and the values of a criterion without a chain.
func (p *parser) plain(at criterionAt, g group, modifier, value string) (Clause, error) {
	param := g.param
	if !p.r.searchable(param) {
		return Clause{}, p.notSupported(at.name, "this parameter is not supported")
	}
	if isNear(param) && p.r.olderKeys {
		return Clause{}, p.refuse(at.name, fhir.Transient, "search-near", "the places of what is stored have not been indexed yet",
			"保存済みリソースの位置の索引がまだできていません")
	}
	typ := ""
	m := Modifier(modifier)
	if param.Type == "reference" && p.r.tables[modifier] != nil {
		if !slices.Contains(p.targets(param), modifier) {
			return Clause{}, p.refuse(at.name, fhir.Invalid, "search-modifier", "the modifier is not a type that the reference may have",
				"修飾子は参照先の型ではありません")
		}
		typ, m = modifier, ModifierNone
	}
	if !allowed(param, m) {
		return Clause{}, p.refuse(at.name, fhir.Invalid, "search-modifier", "the modifier does not fit the parameter", "この修飾子はこのパラメータに使用できません")
	}
	if m == ModifierMissing {
		if value != "true" && value != "false" {
			return Clause{}, p.badValue(at.name, ":missing is true or false")
		}
		return Clause{Param: param, Modifier: m, Missing: value == "true"}, nil
	}
	c, err := p.values(at, param, m, typ, value)
	if param.Code == "patient" && m == ModifierNone && !slices.ContainsFunc(g.types, func(t string) bool { return !patientIsSubject()[t] }) {
		c.toPatients()
	}
	if err == nil && at.adapt != nil && !at.adapt(&c) {
		err = errUnfit
	}
	return c, err
}

// toPatients adds the type to ids of references that can only be to patients: one
// key is found at once, all that begin with an id are not.
func (c *Clause) toPatients() {
	for i := range c.Values {
		if v := &c.Values[i]; v.ID != "" && v.Type == "" {
			v.Type = "Patient"
		}
	}
}

// errUnfit tells that a criterion could not be adapted.
var errUnfit = errors.New("the operator does not fit the parameter")

// allowed reports whether a modifier fits the type of a parameter.
// https://hl7.org/fhir/R4/search.html#modifiers
func allowed(p *Parameter, m Modifier) bool {
	if fullText(p.Code) {
		return m == ModifierNone
	}
	switch m {
	case ModifierNone:
		return true
	case ModifierMissing:
		return p.Type != "composite"
	case ModifierExact, ModifierContains:
		return p.Type == "string"
	case ModifierText, ModifierNot, ModifierIn, ModifierNotIn, ModifierOfType:
		return p.Type == "token"
	case ModifierAbove, ModifierBelow:
		return p.Type == "token" || p.Type == "uri" || p.Type == "reference"
	case ModifierIdentifier:
		return p.Type == "reference"
	}
	return false
}

// values reads the alternatives of a criterion.
func (p *parser) values(at criterionAt, param *Parameter, m Modifier, typ, value string) (Clause, error) {
	raws := slices.DeleteFunc(splitEscaped(value, ','), func(s string) bool { return s == "" })
	if len(raws) > maxValues {
		return Clause{}, p.refuse(at.name, fhir.TooCostly, "search-too-many-values", "too many values", "値が多すぎます")
	}
	if fullText(param.Code) {
		c, wrong := fullTextClause(param, raws)
		if wrong != "" {
			return c, p.badValue(at.name, wrong)
		}
		return c, nil
	}
	c := Clause{Param: param, Modifier: m}
	if expands(param, m) {
		var err error
		c.Values, err = p.codes(at, m, raws)
		return c, err
	}
	for _, raw := range raws {
		if param.Type == "reference" && (m == ModifierAbove || m == ModifierBelow) {
			vs, err := p.relatives(at, param, m, raw)
			if err != nil {
				return c, err
			}
			c.Values = append(c.Values, vs...)
			continue
		}
		v, wrong := p.r.parseValue(param, m, typ, raw)
		if wrong != "" {
			return c, p.badValue(at.name, wrong)
		}
		c.Values = append(c.Values, v)
	}
	return c, nil
}

// parseValue reads one value by the type of the parameter; the text tells what
// is wrong with it.
func (r *Registry) parseValue(p *Parameter, m Modifier, typ, raw string) (Value, string) {
	switch p.Type {
	case "token":
		return parseToken(raw, m)
	case "string":
		return parseString(raw, m)
	case "reference":
		if m == ModifierIdentifier {
			return parseToken(raw, ModifierNone)
		}
		return r.parseReference(p, raw, typ)
	case "date":
		return r.parseDateValue(raw)
	case "number":
		return parseNumber(raw)
	case "quantity":
		return r.parseQuantity(raw)
	case "uri":
		return parseURI(raw, m)
	case "composite":
		return r.parseComposite(p, raw)
	case "special":
		return r.parseNear(raw)
	}
	return Value{}, "the parameter cannot be searched"
}

// parseComposite reads part$part.
func (r *Registry) parseComposite(p *Parameter, raw string) (Value, string) {
	v := Value{Raw: unescape(raw)}
	parts := splitEscaped(raw, '$')
	if len(parts) != len(p.Components) {
		return v, "the number of parts is not that of the composite"
	}
	for i, part := range parts {
		pv, wrong := r.parseValue(p.Components[i], ModifierNone, "", part)
		if wrong != "" || part == "" {
			return v, "a part of the composite is not valid"
		}
		v.Parts = append(v.Parts, pv)
	}
	return v, ""
}
