package search

import (
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// maxFollowed is how many resources a criterion may be followed to, in a
// hierarchy or by canonical URL.
const maxFollowed = 1000

// found asks for all resources that meet the criteria, which must not be too
// many.
func (p *parser) found(at criterionAt, types []string, where ...Clause) ([]*fhir.Element, error) {
	if p.r.find == nil {
		return nil, p.notSupported(at.name, "stored resources cannot be followed here")
	}
	list, err := p.r.find(Query{Types: types, Where: where, Count: maxFollowed + 1})
	if err == nil && len(list) > maxFollowed {
		err = p.tooMany(at)
	}
	return list, err
}

func (p *parser) tooMany(at criterionAt) error {
	return p.refuse(at.name, fhir.TooCostly, "search-follow-many", "the criterion leads to more resources than a search may follow",
		"検索条件からたどるリソースが多すぎます")
}

// relatives reads a value of :above or :below on a reference: a resource in a
// hierarchy, which stands for itself and what is above or below it, or a
// canonical URL, whose versions are compared part by part.
// https://hl7.org/fhir/R4/search.html#recursive
// https://hl7.org/fhir/R4/search.html#versions
func (p *parser) relatives(at criterionAt, param *Parameter, m Modifier, raw string) ([]Value, error) {
	v, wrong := p.r.parseReference(param, raw, "")
	if wrong == "" && v.ID != "" && v.URL != "" {
		wrong = "a version of a resource is not part of a hierarchy"
	}
	if wrong != "" {
		return nil, p.badValue(at.name, wrong)
	}
	if v.ID == "" {
		return []Value{v}, nil // a canonical URL
	}
	types := p.targets(param)
	if v.Type != "" {
		types = []string{v.Type}
	}
	types = slices.DeleteFunc(slices.Clone(types), func(t string) bool { return p.r.parent(t) == nil })
	switch len(types) {
	case 0:
		return nil, p.refuse(at.name, fhir.Invalid, "search-modifier", "the resources referred to form no hierarchy",
			"参照先のリソースに階層はありません")
	case 1:
		v.Type = types[0]
		return p.hierarchy(at, m, v)
	}
	return nil, p.badValue(at.name, "Type/id is expected")
}

// parent is the parameter by which resources of a type refer to the one that
// they are part of, nil where there is none.
func (r *Registry) parent(resourceType string) *Parameter {
	for _, code := range []string{"partof", "part-of", "parent"} {
		if p, ok := r.Lookup(resourceType, code); ok && p.Type == "reference" && slices.Contains(p.Target, resourceType) {
			return p
		}
	}
	return nil
}

// hierarchy lists a resource and those above or below it, as far as the caller
// sees who is part of whom.
func (p *parser) hierarchy(at criterionAt, m Modifier, from Value) ([]Value, error) {
	parent, step := p.r.parent(from.Type), p.above
	if m == ModifierBelow {
		step = p.below
	}
	all, level := []Value{from}, []Value{from}
	for len(level) > 0 {
		next, err := step(at, parent, level)
		if err != nil {
			return nil, err
		}
		level = nil
		for _, v := range next {
			if !slices.ContainsFunc(all, func(have Value) bool { return have.ID == v.ID }) {
				all, level = append(all, v), append(level, v)
			}
		}
		if len(all) > maxFollowed {
			return nil, p.tooMany(at)
		}
	}
	return all, nil
}

// below lists what is part of the resources directly.
func (p *parser) below(at criterionAt, parent *Parameter, of []Value) ([]Value, error) {
	list, err := p.found(at, []string{of[0].Type}, Clause{Param: parent, Values: of})
	out := make([]Value, len(list))
	for i, e := range list {
		out[i] = Value{Raw: e.ID(), Type: of[0].Type, ID: e.ID()}
	}
	return out, err
}

// above lists what the resources are part of directly.
func (p *parser) above(at criterionAt, parent *Parameter, of []Value) ([]Value, error) {
	id, ok := p.r.Lookup(of[0].Type, "_id")
	if !ok {
		return nil, errUnknown
	}
	is := Clause{Param: id}
	for _, v := range of {
		is.Values = append(is.Values, Value{Raw: v.ID, Code: v.ID})
	}
	list, err := p.found(at, []string{of[0].Type}, is)
	var out []Value
	for _, e := range list {
		x := &extraction{r: p.r, root: e}
		for _, ref := range x.localReferences(parent) {
			if ref.Type == of[0].Type {
				out = append(out, Value{Raw: ref.ID, Type: ref.Type, ID: ref.ID})
			}
		}
	}
	return out, err
}

// canonical reports whether the elements under a parameter of a type may refer
// by canonical URL.
func (r *Registry) canonical(resourceType string, p *Parameter) bool {
	t := r.table(resourceType)
	if t == nil || t.byCode[p.Code] == nil {
		return false
	}
	for _, steps := range t.byCode[p.Code].path.branches {
		switch s := &steps[len(steps)-1]; {
		case s.op == opType && (s.name == "canonical" || s.name == "uri"):
			return true
		case s.def != nil:
			for _, typ := range s.def.Types {
				if typ.Code == "canonical" || typ.Code == "uri" {
					return true
				}
			}
		}
	}
	return false
}

// definitions are those of the types whose resources have a canonical URL.
func (r *Registry) definitions(types []string) []string {
	return slices.DeleteFunc(slices.Clone(types), func(t string) bool {
		p, ok := r.Lookup(t, "url")
		return !ok || p.Type != "uri"
	})
}

// across adds to a chain from resources of these types the references that lead
// to its targets by canonical URL, with the version of the target or none.
func (p *parser) across(at criterionAt, from []string, chain Clause) (Clause, error) {
	targets := p.r.definitions(chain.Chain.Types)
	follows := slices.ContainsFunc(from, func(t string) bool { return p.r.canonical(t, chain.Param) })
	if len(targets) == 0 || !follows || p.r.find == nil {
		return chain, nil
	}
	list, err := p.found(at, targets, chain.Chain.Where)
	if err != nil {
		return chain, err
	}
	by := Clause{Param: chain.Param}
	for _, e := range list {
		url, version := clean(e.Text("url")), clean(e.Text("version"))
		if url == "" {
			continue
		}
		by.Values = append(by.Values, Value{Raw: url, URL: url + "|"})
		if version != "" {
			by.Values = append(by.Values, Value{Raw: url + "|" + version, URL: url + "|" + version})
		}
	}
	if len(by.Values) == 0 {
		return chain, nil
	}
	return alternatives([]Clause{chain, by}), nil
}

// back adds to a reverse chain the resources of the types of at that it leads to
// by canonical URL.
func (p *parser) back(at criterionAt, has Clause) (Clause, error) {
	targets := p.r.definitions(at.types)
	if len(targets) != len(at.types) || !p.r.canonical(has.Has.Type, has.Has.Reference) || p.r.find == nil {
		return has, nil
	}
	url, _ := p.r.Lookup(targets[0], "url")
	version, ok := p.r.Lookup(targets[0], "version")
	if !ok {
		return has, nil
	}
	list, err := p.found(at, []string{has.Has.Type}, has.Has.Where)
	if err != nil {
		return has, err
	}
	out := Clause{Any: [][]Clause{{has}}}
	done := map[uriItem]bool{}
	for _, e := range list {
		x := &extraction{r: p.r, root: e}
		for _, to := range x.canonicals(has.Has.Reference) {
			if done[to] {
				continue
			}
			done[to] = true
			is := []Clause{{Param: url, Values: []Value{{Raw: to.url, URL: to.url}}}}
			if to.version != "" {
				is = append(is, Clause{Param: version, Values: []Value{{Raw: to.version, Code: to.version}}})
			}
			out.Any = append(out.Any, is)
		}
	}
	return out, nil
}

// canonicals are the canonical URLs of the resource under a parameter.
func (x *extraction) canonicals(p *Parameter) []uriItem {
	var out []uriItem
	_, nodes := x.nodesOf(p)
	for _, e := range nodes {
		for _, it := range x.references(nil, e) {
			if it.url.url != "" {
				out = append(out, it.url)
			}
		}
	}
	return out
}
