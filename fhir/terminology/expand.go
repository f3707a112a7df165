package terminology

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Expand implements Service.
func (m *Memory) Expand(_ context.Context, req ExpandRequest) (Expansion, error) {
	vs, err := m.set(req.ValueSet, req.Resource)
	if err != nil {
		return Expansion{}, err
	}
	out := Expansion{URL: vs.url, Version: vs.version, Offset: req.Offset}
	x := &expander{m: m, lang: req.Language, limit: m.limit}
	if tree, ok := x.tree(vs, req); ok {
		out.Contains, out.Total, out.Systems = tree, x.count, x.systems
		return out, nil
	}
	x.within = []string{vs.url}
	codes, err := x.set(vs)
	if err != nil {
		return Expansion{}, err
	}
	codes = keep(codes, req)
	out.Total, out.Systems = len(codes), x.systems
	out.Contains = page(codes, req.Offset, req.Count)
	if !req.Designations {
		for i := range out.Contains {
			out.Contains[i].Designations = nil
		}
	}
	return out, nil
}

// keep applies the text filter and ActiveOnly.
func keep(codes []Contained, req ExpandRequest) []Contained {
	words := strings.Fields(strings.ToLower(req.Filter))
	return slices.DeleteFunc(codes, func(c Contained) bool {
		return req.ActiveOnly && c.Inactive || !c.matchesText(words)
	})
}

func page(codes []Contained, offset, count int) []Contained {
	codes = codes[min(max(offset, 0), len(codes)):]
	if count > 0 {
		codes = codes[:min(count, len(codes))]
	}
	return codes
}

// expander makes one expansion.
type expander struct {
	m       *Memory
	lang    string
	limit   int
	count   int
	within  []string
	systems []string
}

// set lists a value set: its includes in order, without doubles and excludes.
func (x *expander) set(vs *valueSet) ([]Contained, error) {
	if vs.expansion != nil {
		return flatten(vs.listed), nil
	}
	var out []Contained
	seen := map[Coding]bool{}
	for i := range vs.include {
		codes, err := x.clause(&vs.include[i])
		if err != nil {
			return nil, err
		}
		for _, c := range codes {
			k := Coding{System: c.System, Code: c.Code}
			if seen[k] {
				continue
			}
			seen[k] = true
			out = append(out, c)
		}
		if len(out) > x.limit {
			return nil, fmt.Errorf("%w: more than %d codes", ErrTooCostly, x.limit)
		}
	}
	return x.without(vs, out)
}

// without takes out the codes of the excludes. What cannot be decided is an
// error: an expansion must not hold more than its value set.
func (x *expander) without(vs *valueSet, codes []Contained) ([]Contained, error) {
	if len(vs.exclude) == 0 {
		return codes, nil
	}
	q := &member{m: x.m, within: x.within}
	out := codes[:0]
	for _, c := range codes {
		v := No
		for i := range vs.exclude {
			v = v.or(q.clauseHas(&vs.exclude[i], c.Coding))
		}
		if v == Unknown {
			return nil, q.why
		}
		if v == No {
			out = append(out, c)
		}
	}
	return out, nil
}

// clause lists an include: the codes of its system part, or of its first
// import, that are in all (other) imports.
func (x *expander) clause(cl *clause) ([]Contained, error) {
	imports := cl.imports
	var codes []Contained
	var err error
	switch {
	case cl.system != "":
		codes, err = x.systemPart(cl)
	case len(imports) > 0:
		codes, err = x.imported(imports[0])
		imports = imports[1:]
	}
	if err != nil {
		return nil, err
	}
	for _, url := range imports {
		if codes, err = x.intersect(codes, url); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

func (x *expander) imported(url string) ([]Contained, error) {
	if slices.Contains(x.within, url) {
		return nil, fmt.Errorf("%w: %s", ErrCircular, url)
	}
	vs, err := x.m.set(url, nil)
	if err != nil {
		return nil, err
	}
	x.within = append(x.within, url)
	defer func() { x.within = x.within[:len(x.within)-1] }()
	return x.set(vs)
}

func (x *expander) intersect(codes []Contained, url string) ([]Contained, error) {
	vs, err := x.m.set(url, nil)
	if err != nil {
		return nil, err
	}
	q := &member{m: x.m, within: append(slices.Clone(x.within), url)}
	out := codes[:0]
	for _, c := range codes {
		switch q.setHas(vs, c.Coding) {
		case Unknown:
			return nil, q.why
		case Yes:
			out = append(out, c)
		}
	}
	return out, nil
}

// systemPart lists the concepts named, or those of the system that pass the
// filters.
func (x *expander) systemPart(cl *clause) ([]Contained, error) {
	cs, ok := x.m.system(withVersion(cl.system, cl.version))
	if ok {
		x.used(withVersion(cs.url, cs.version))
	}
	if cl.codes != nil {
		return x.listed(cl, cs), nil
	}
	if !ok || !cs.complete() {
		return nil, fmt.Errorf("%w: %s cannot be listed", ErrUnknownSystem, cl.system)
	}
	var out []Contained
	for i := range cs.concepts {
		in := Yes
		for k := range cl.filters {
			in = in.and(cl.filters[k].match(cs, int32(i)))
		}
		if in == Unknown {
			return nil, fmt.Errorf("%w: a filter on %s", ErrUnknownSystem, cl.system)
		}
		if in == Yes {
			out = append(out, x.contained(cs, int32(i)))
		}
	}
	return out, nil
}

// listed gives the concepts a value set names, with what the system says of
// them; cs may be nil.
func (x *expander) listed(cl *clause, cs *codeSystem) []Contained {
	out := make([]Contained, 0, len(cl.concepts))
	for _, l := range cl.concepts {
		c := Contained{Coding: Coding{System: cl.system, Version: cl.version, Code: l.code, Display: l.display}}
		if cs != nil {
			if i, ok := cs.find(l.code); ok {
				c = x.contained(cs, i)
				c.Code = l.code
			}
		}
		own := concept{designations: l.designations}
		if d := own.displayIn("", x.lang); d != "" {
			c.Display = d
		} else if l.display != "" && (x.lang == "" || c.Display == "") {
			c.Display = l.display
		}
		c.Designations = append(slices.Clone(l.designations), c.Designations...)
		out = append(out, c)
	}
	return out
}

func (x *expander) contained(cs *codeSystem, i int32) Contained {
	c := &cs.concepts[i]
	return Contained{
		Coding:       Coding{System: cs.url, Version: cs.version, Code: c.code, Display: c.displayIn(cs.language, x.lang)},
		Abstract:     c.abstract,
		Inactive:     c.inactive,
		Designations: c.designations,
	}
}

func (x *expander) used(system string) {
	if !slices.Contains(x.systems, system) {
		x.systems = append(x.systems, system)
	}
}

// tree lists a value set that is one whole code system with its hierarchy.
func (x *expander) tree(vs *valueSet, req ExpandRequest) ([]Contained, bool) {
	if !req.Nested || req.Filter != "" || req.Offset != 0 || req.Count != 0 || req.ActiveOnly ||
		len(vs.include) != 1 || len(vs.exclude) != 0 {
		return nil, false
	}
	cl := &vs.include[0]
	cs, ok := x.m.system(withVersion(cl.system, cl.version))
	if !ok || cl.codes != nil || len(cl.filters)+len(cl.imports) > 0 || !cs.complete() || len(cs.concepts) > x.limit {
		return nil, false
	}
	x.used(withVersion(cs.url, cs.version))
	x.count = len(cs.concepts)
	at := 0
	return x.level(cs, &at, 0, req.Designations), true
}

// level takes the concepts of one depth, each with those that follow deeper.
func (x *expander) level(cs *codeSystem, at *int, depth int, designations bool) []Contained {
	var out []Contained
	for *at < len(cs.concepts) && cs.concepts[*at].depth == depth {
		c := x.contained(cs, int32(*at))
		if !designations {
			c.Designations = nil
		}
		*at++
		c.Contains = x.level(cs, at, depth+1, designations)
		out = append(out, c)
	}
	return out
}

func flatten(in []Contained) []Contained {
	var out []Contained
	for _, c := range in {
		below := c.Contains
		c.Contains = nil
		if c.Code != "" {
			out = append(out, c)
		}
		out = append(out, flatten(below)...)
	}
	return out
}
