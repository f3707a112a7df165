package validate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// compiler turns an outline into nodes, leaving out what base R4 asks anyway.
type compiler struct{ v *Validator }

// root compiles the root of a profile on a type; t is nil for a type that is
// not of R4.
func (c *compiler) root(o *outline, t *r4.Type) *node {
	n := &node{name: o.name, id: o.name, max: r4.Unbounded}
	c.invariants(n, o.def, nil, t)
	c.values(n, o.def)
	c.below(n, o, t)
	return n.orNil()
}

// orNil drops a node that asks nothing.
func (n *node) orNil() *node {
	if n.min > 0 || n.max != r4.Unbounded || n.types != nil || n.fixed != nil || n.pattern != nil ||
		n.minValue != nil || n.maxValue != nil || n.minLength > 0 || n.maxLength > 0 || n.binding != nil ||
		n.additional != nil || n.invariants != nil || n.narrative != nil || n.children != nil || n.slicing != nil {
		return n
	}
	return nil
}

// below compiles the children of a node whose elements have type t, nil where
// they may have several.
func (c *compiler) below(n *node, o *outline, t *r4.Type) {
	for _, child := range o.children {
		if k := c.child(child, t, n.id); k != nil {
			n.children = append(n.children, k)
		}
	}
}

// child compiles one element below a type, its slices included.
func (c *compiler) child(o *outline, t *r4.Type, parent string) *node {
	base, typ := property(o, t)
	if base == nil && t != nil {
		return nil // the type has no such element: the profile asks for nothing
	}
	n := c.element(o, base, typ, parent)
	if len(o.slices) > 0 {
		n.slicing = c.slicing(o, base, typ, parent)
	}
	return n.orNil()
}

// property finds the base definition of a child and its type, as far as R4
// settles them.
func property(o *outline, t *r4.Type) (base *r4.Element, typ *r4.Type) {
	if t == nil {
		return nil, singleType(o.def)
	}
	stem := strings.TrimSuffix(o.name, "[x]")
	for _, e := range t.Elements {
		if e.Name == stem {
			base = e
		}
	}
	if p, ok := t.Property(stem); ok {
		return p.Element, p.Type
	}
	if base == nil {
		return nil, singleType(o.def)
	}
	return base, singleType(o.def)
}

// singleType is the type of an element that has just one, nil otherwise.
func singleType(def *fhir.Element) *r4.Type {
	var name string
	for t := range def.All("type") {
		if name != "" {
			return nil
		}
		name = t.Text("code")
	}
	t, _ := r4.TypeByName(strings.TrimPrefix(name, coreURL))
	return t
}

// element compiles what a definition asks of an element itself and below it.
func (c *compiler) element(o *outline, base *r4.Element, t *r4.Type, parent string) *node {
	stem := strings.TrimSuffix(o.name, "[x]")
	if base != nil {
		stem = base.Name
	}
	n := &node{name: stem, id: parent + "." + o.name, max: r4.Unbounded}
	if o.slice != "" {
		n.id += ":" + o.slice
	}
	if o.def != nil {
		c.cardinality(n, o.def, base)
		n.types = typeRules(o, base)
		n.binding, n.additional = bindings(o.def, base)
		c.invariants(n, o.def, base, t)
		c.values(n, o.def)
	}
	c.below(n, o, t)
	return n
}

func (c *compiler) cardinality(n *node, def *fhir.Element, base *r4.Element) {
	n.min, n.max = limits(def)
	if base != nil && n.min <= base.Min {
		n.min = 0
	}
	if base != nil && n.max == base.Max {
		n.max = r4.Unbounded
	}
}

// limits reads min and max of a definition.
func limits(def *fhir.Element) (lo, hi int) {
	lo, _ = strconv.Atoi(def.Text("min"))
	hi, err := strconv.Atoi(def.Text("max"))
	if err != nil {
		hi = r4.Unbounded
	}
	return lo, hi
}

// typeRules returns the types an element may have, nil where the profile
// leaves those of base.
func typeRules(o *outline, base *r4.Element) []typeRule {
	var out []typeRule
	narrowed := false
	for t := range o.def.All("type") {
		rule := typeRule{code: strings.TrimPrefix(t.Text("code"), coreURL), profiles: values(t, "profile"),
			targets: values(t, "targetProfile"), aggregation: values(t, "aggregation")}
		if strings.Contains(rule.code, ":") {
			return nil // a FHIRPath system type: an id or a url
		}
		if from := baseType(base, rule.code); from == nil || rule.aggregation != nil ||
			!slices.Equal(rule.profiles, from.Profiles) || !slices.Equal(rule.targets, from.TargetProfiles) {
			narrowed = true
		}
		out = append(out, rule)
	}
	if !narrowed && (base == nil || len(out) >= len(base.Types)) {
		return nil
	}
	return out
}

func baseType(base *r4.Element, code string) *r4.TypeRef {
	if base == nil {
		return nil
	}
	for i := range base.Types {
		if base.Types[i].Code == code {
			return &base.Types[i]
		}
	}
	return nil
}

func values(e *fhir.Element, name string) []string {
	var out []string
	for c := range e.All(name) {
		if c.Value != "" {
			out = append(out, c.Value)
		}
	}
	return out
}

const (
	minLengthURL = coreURL + "minLength"
	narrativeURL = coreURL + "narrative-"
)

// values compiles fixed, pattern, ranges and lengths.
func (c *compiler) values(n *node, def *fhir.Element) {
	if def == nil {
		return
	}
	for _, e := range def.Children {
		switch stem := stemOf(e); stem {
		case "fixed":
			n.fixed = e
		case "pattern":
			n.pattern = e
		case "minValue":
			n.minValue = e
		case "maxValue":
			n.maxValue = e
		case "maxLength":
			n.maxLength, _ = strconv.Atoi(e.Value)
		case "extension":
			c.extension(n, e)
		}
	}
}

// extension reads the extensions of an ElementDefinition that ask something.
func (c *compiler) extension(n *node, e *fhir.Element) {
	url := e.Text("url")
	if url == minLengthURL {
		n.minLength, _ = strconv.Atoi(e.Text("valueInteger"))
	}
	if rule, ok := strings.CutPrefix(url, narrativeURL); ok {
		n.narrative = append(n.narrative, narrativeRule{rule, e.Text("valueCode")})
	}
}

// invariants compiles the constraints that base does not have already.
func (c *compiler) invariants(n *node, def *fhir.Element, base *r4.Element, t *r4.Type) {
	for e := range def.All("constraint") {
		key := e.Text("key")
		if native[key] || base != nil && hasConstraint(base.Constraints, key) || t != nil && hasConstraint(t.Constraints, key) {
			continue
		}
		if e.Text("expression") != "" {
			n.invariants = append(n.invariants, newInvariant(key, e.Text("severity"), e.Text("human"), e.Text("expression")))
		}
	}
}

func hasConstraint(list []r4.Constraint, key string) bool {
	return slices.ContainsFunc(list, func(c r4.Constraint) bool { return c.Key == key })
}
