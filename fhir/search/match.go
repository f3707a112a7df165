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
	return (&extraction{r: r, root: resource}).meetsAll(where, res)
}

func (x *extraction) meetsAll(where []Clause, res Resolver) (bool, error) {
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
			if ok, err := x.meetsAll(all, res); err != nil || ok {
				return ok, err
			}
		}
		return false, nil
	case c.Contained != nil:
		parts, err := x.containedParts(c.Contained, res)
		return len(parts) > 0, err
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

// containedParts are the places, from 1, of the contained resources that meet
// the criteria.
func (x *extraction) containedParts(in *Contained, res Resolver) ([]int, error) {
	var parts []int
	n := 0
	for c := range x.root.All("contained") {
		n++
		inner := &extraction{r: x.r, root: c, container: x.root}
		ok, err := inner.meetsAll(in.Where, res)
		if err != nil {
			return nil, err
		}
		if ok {
			parts = append(parts, n)
		}
	}
	return parts, nil
}

// parts are the results that a match stands for.
func (r *Registry) parts(p *Parts, resource *fhir.Element, res Resolver) ([]int, error) {
	x := &extraction{r: r, root: resource}
	parts, err := x.containedParts(&p.Contained, res)
	if err != nil || len(p.Whole) == 0 {
		return parts, err
	}
	whole, err := x.meetsAll(p.Whole, res)
	if whole {
		parts = slices.Insert(parts, 0, 0)
	}
	return parts, err
}
