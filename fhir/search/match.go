package search

import (
	"errors"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

var (
	errNoParameter = errors.New("search: a clause without a parameter")
	errNoResolver  = errors.New("search: a chain needs a resolver")
)

// Match evaluates the criteria on a resource from its content alone, without
// keys. It is slow and plain on purpose: the oracle the engines are compared
// with. res may be nil where no clause is a chain.
func (r *Registry) Match(where []Clause, resource *fhir.Element, res Resolver) (bool, error) {
	x := &extraction{r: r, root: resource}
	for i := range where {
		ok, err := x.meets(&where[i], res)
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (x *extraction) meets(c *Clause, res Resolver) (bool, error) {
	ok, err := x.meetsPlain(c, res)
	return ok != c.Not, err
}

func (x *extraction) meetsPlain(c *Clause, res Resolver) (bool, error) {
	switch {
	case len(c.Any) > 0:
		for _, all := range c.Any {
			if ok, err := x.r.Match(all, x.root, res); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case res == nil && (c.Has != nil || c.Chain != nil):
		return false, errNoResolver
	case c.Has != nil:
		return x.meetsHas(c.Has, res)
	case c.Chain != nil:
		return x.meetsChain(c, res)
	case c.Param == nil:
		return false, errNoParameter
	}
	switch c.Modifier {
	case ModifierMissing:
		return x.missing(c.Param) == c.Missing, nil
	case ModifierNot, ModifierNotIn:
		return !x.anyValue(c), nil
	}
	return x.anyValue(c), nil
}

// nodesOf returns the elements of the resource under a parameter.
func (x *extraction) nodesOf(p *Parameter) (*bound, []*fhir.Element) {
	t := x.r.table(x.root.ResourceType())
	if t == nil {
		return nil, nil
	}
	b := t.byCode[p.Code]
	if b == nil || b.Type != p.Type {
		return nil, nil
	}
	if b.Parameter == x.r.typeParam {
		return b, []*fhir.Element{asElement(fhirpath.String(x.root.ResourceType()))}
	}
	return b, b.path.eval(nil, x.root, x)
}

func (x *extraction) missing(p *Parameter) bool {
	_, nodes := x.nodesOf(p)
	return !anyPresent(nodes)
}

func (x *extraction) anyValue(c *Clause) bool {
	if fullText(c.Param.Code) {
		return slices.ContainsFunc(c.Values, func(v Value) bool { return x.fullTextMatches(c.Param.Code, &v) })
	}
	b, nodes := x.nodesOf(c.Param)
	for i := range c.Values {
		for _, e := range nodes {
			if x.elementMatches(b, e, &c.Values[i], c.Modifier) {
				return true
			}
		}
	}
	return false
}

// localReferences are the local references of the resource under a parameter.
func (x *extraction) localReferences(p *Parameter) []Reference {
	var out []Reference
	_, nodes := x.nodesOf(p)
	for _, e := range nodes {
		for _, it := range x.references(nil, e) {
			if it.Type != "" {
				out = append(out, it.Reference)
			}
		}
	}
	return out
}

func (x *extraction) meetsChain(c *Clause, res Resolver) (bool, error) {
	for _, ref := range x.localReferences(c.Param) {
		if !slices.Contains(c.Chain.Types, ref.Type) {
			continue
		}
		target := res.Resource(ref.Type, ref.ID)
		if target == nil {
			continue
		}
		if ok, err := x.r.Match([]Clause{c.Chain.Where}, target, res); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

func (x *extraction) meetsHas(h *Has, res Resolver) (bool, error) {
	self := Reference{x.root.ResourceType(), x.root.ID()}
	for _, source := range res.All(h.Type) {
		from := &extraction{r: x.r, root: source}
		if !slices.Contains(from.localReferences(h.Reference), self) {
			continue
		}
		if ok, err := x.r.Match([]Clause{h.Where}, source, res); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}
