package terminology

import (
	"regexp"
	"strings"
)

// filter selects concepts of a code system by a property.
// https://hl7.org/fhir/R4/valueset.html#ValueSet.compose.include.filter
type filter struct {
	property, op, value string
	pattern             *regexp.Regexp  // of regex
	set                 map[string]bool // of in and not-in
}

func newFilter(property, op, value string) filter {
	f := filter{property: property, op: op, value: value}
	switch op {
	case "regex":
		// A pattern Go cannot read leaves f.pattern nil: such a filter is Unknown.
		f.pattern, _ = regexp.Compile("^(?:" + value + ")$")
	case "in", "not-in":
		f.set = map[string]bool{}
		for v := range strings.SplitSeq(value, ",") {
			f.set[strings.TrimSpace(v)] = true
		}
	}
	return f
}

// match tells whether a concept passes the filter.
func (f *filter) match(cs *codeSystem, i int32) Verdict {
	switch f.op {
	case "is-a", "descendent-of", "is-not-a", "generalizes":
		return f.matchHierarchy(cs, i)
	case "exists":
		return verdict((len(cs.values(i, f.property)) > 0) == (f.value == "true"))
	case "=", "in", "regex":
		return f.anyValue(cs.values(i, f.property))
	case "not-in":
		for _, v := range cs.values(i, f.property) {
			if f.set[v] {
				return No
			}
		}
		return Yes
	}
	return Unknown
}

// anyValue tells whether one of the values passes =, in or regex.
func (f *filter) anyValue(values []string) Verdict {
	if f.op == "regex" && f.pattern == nil {
		return Unknown
	}
	for _, v := range values {
		if f.op == "=" && v == f.value || f.op == "in" && f.set[v] || f.op == "regex" && f.pattern.MatchString(v) {
			return Yes
		}
	}
	return No
}

func (f *filter) matchHierarchy(cs *codeSystem, i int32) Verdict {
	target, ok := cs.find(f.value)
	if !ok {
		// A complete system without the target has nothing below it.
		v := cs.has(f.value)
		if f.op == "is-not-a" {
			return v.not()
		}
		return v
	}
	switch f.op {
	case "is-a":
		return verdict(cs.isA(i, target))
	case "descendent-of":
		return verdict(i != target && cs.isA(i, target))
	case "is-not-a":
		return verdict(!cs.isA(i, target))
	}
	return verdict(cs.isA(target, i))
}

// values returns the values of a property of a concept, the built-in ones
// (code, display, parent, …) included.
func (cs *codeSystem) values(i int32, property string) []string {
	c := &cs.concepts[i]
	switch property {
	case "code", "concept":
		return []string{c.code}
	case "display":
		return []string{c.display}
	case "definition":
		return []string{c.definition}
	case "parent":
		return cs.codes(c.parents)
	case "child":
		return cs.codes(c.children)
	}
	var out []string
	for _, p := range c.properties {
		if p.Code == property {
			out = append(out, p.Value)
		}
	}
	if len(out) == 0 && (property == "inactive" || property == "notSelectable" || property == "abstract") {
		out = []string{"false"}
	}
	return out
}

func (cs *codeSystem) codes(at []int32) []string {
	out := make([]string, len(at))
	for i, p := range at {
		out[i] = cs.concepts[p].code
	}
	return out
}

func verdict(b bool) Verdict {
	if b {
		return Yes
	}
	return No
}
