package terminology

import (
	"errors"
	"fmt"
	"slices"
)

// member decides whether a coding is in a value set without expanding it.
type member struct {
	m *Memory
	// within are the value sets being asked, to notice circles.
	within []string
	// why is the first reason for an Unknown verdict.
	why error
}

// setHas tells whether a coding with a system is in a value set.
func (q *member) setHas(vs *valueSet, c Coding) Verdict {
	if vs.expansion != nil {
		_, ok := vs.expansion[Coding{System: c.System, Code: c.Code}]
		return verdict(ok)
	}
	in := No
	for i := range vs.include {
		if in = in.or(q.clauseHas(&vs.include[i], c)); in == Yes {
			break
		}
	}
	for i := range vs.exclude {
		if in == No {
			return No
		}
		in = in.and(q.clauseHas(&vs.exclude[i], c).not())
	}
	return in
}

// clauseHas tells whether a coding is in an include or exclude: in its system
// part and in every imported value set.
func (q *member) clauseHas(cl *clause, c Coding) Verdict {
	v := Yes
	if cl.system != "" {
		if v = q.systemPartHas(cl, c); v == No {
			return No
		}
	}
	for _, url := range cl.imports {
		v = v.and(q.importHas(url, c))
	}
	if cl.system == "" && len(cl.imports) == 0 {
		return No
	}
	return v
}

func (q *member) importHas(url string, c Coding) Verdict {
	if slices.Contains(q.within, url) {
		return q.unknown(fmt.Errorf("%w: %s", ErrCircular, url))
	}
	vs, err := q.m.set(url, nil)
	if err != nil {
		return q.unknown(err)
	}
	q.within = append(q.within, url)
	defer func() { q.within = q.within[:len(q.within)-1] }()
	return q.setHas(vs, c)
}

func (q *member) systemPartHas(cl *clause, c Coding) Verdict {
	if cl.system != c.System {
		return No
	}
	if cl.codes != nil {
		if _, ok := cl.codes[c.Code]; ok {
			return Yes
		}
		return q.listedFolded(cl, c)
	}
	cs, ok := q.m.system(withVersion(cl.system, cl.version))
	if !ok {
		return q.grammarHas(cl, c)
	}
	i, ok := cs.find(c.Code)
	if !ok {
		if _, ok := grammars()[cl.system]; ok && !cs.complete() {
			return q.grammarHas(cl, c)
		}
		return q.lacking(cs, c)
	}
	v := Yes
	for k := range cl.filters {
		v = v.and(cl.filters[k].match(cs, i))
	}
	if v == Unknown {
		q.unknown(fmt.Errorf("%w: a filter on %s", ErrUnknownSystem, cl.system))
	}
	return v
}

// listedFolded compares with the listed codes by the code system's rule of case.
func (q *member) listedFolded(cl *clause, c Coding) Verdict {
	cs, ok := q.m.system(cl.system)
	if !ok || !cs.fold {
		return No
	}
	for code := range cl.codes {
		if cs.key(code) == cs.key(c.Code) {
			return Yes
		}
	}
	return No
}

// grammarHas decides about systems without a CodeSystem resource.
func (q *member) grammarHas(cl *clause, c Coding) Verdict {
	g, ok := grammars()[cl.system]
	if !ok {
		return q.unknown(fmt.Errorf("%w: %s", ErrUnknownSystem, cl.system))
	}
	if _, ok := g(c.Code); !ok {
		return No
	}
	v := Yes
	for i := range cl.filters {
		if f := &cl.filters[i]; f.property == "code" || f.property == "concept" {
			v = v.and(f.anyValue([]string{c.Code}))
		} else {
			v = v.and(q.unknown(fmt.Errorf("%w: filters on %s", ErrUnknownSystem, cl.system)))
		}
	}
	return v
}

// lacking is the verdict on a code that a held system does not list.
func (q *member) lacking(cs *codeSystem, c Coding) Verdict {
	v := cs.has(c.Code)
	if v == Unknown {
		q.unknown(fmt.Errorf("%w: only a part of %s is held", ErrUnknownSystem, cs.url))
	}
	return v
}

func (q *member) unknown(why error) Verdict {
	q.why = errors.Join(q.why, why)
	return Unknown
}

// infer finds the system of a bare code: the first system of the set, or of
// a set it imports, in which the coding is a member.
func (q *member) infer(vs *valueSet, code string) (Coding, Verdict) {
	result := No
	for _, system := range q.systems(vs) {
		c := Coding{System: system, Code: code}
		v := q.setHas(vs, c)
		if v == Yes {
			return c, Yes
		}
		result = result.or(v)
	}
	return Coding{Code: code}, result
}

// systems lists the systems of a set and of those it imports.
func (q *member) systems(vs *valueSet) []string {
	out := vs.systems()
	for i := range vs.include {
		for _, url := range vs.include[i].imports {
			if slices.Contains(q.within, url) {
				continue
			}
			imported, err := q.m.set(url, nil)
			if err != nil {
				q.unknown(err)
				continue
			}
			q.within = append(q.within, url)
			out = append(out, q.systems(imported)...)
			q.within = q.within[:len(q.within)-1]
		}
	}
	return out
}

func withVersion(url, version string) string {
	if version == "" {
		return url
	}
	return url + "|" + version
}
