package terminology

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// valueSet is a ValueSet in a form made for questions. It never changes once
// made.
// https://hl7.org/fhir/R4/valueset.html
type valueSet struct {
	url, version, name string
	include, exclude   []clause
	// expansion holds the codes of a resource that has an expansion and no
	// compose.
	expansion map[Coding]string
	listed    []Contained
}

// clause is one include or exclude: what all of its parts have in common.
type clause struct {
	system, version string
	codes           map[string]int // position in concepts; nil where none are listed
	concepts        []listed
	filters         []filter
	imports         []string
}

// listed is a code a value set names itself.
type listed struct {
	code, display string
	designations  []Designation
}

// newValueSet reads a ValueSet resource.
func newValueSet(r *fhir.Element) *valueSet {
	vs := &valueSet{url: r.Text("url"), version: r.Text("version"), name: r.Text("name")}
	compose := r.Get("compose")
	for e := range compose.All("include") {
		vs.include = append(vs.include, newClause(e))
	}
	for e := range compose.All("exclude") {
		vs.exclude = append(vs.exclude, newClause(e))
	}
	if compose == nil && r.Get("expansion") != nil {
		vs.expansion = map[Coding]string{}
		vs.listed = vs.addExpansion(r.Get("expansion"))
	}
	return vs
}

func newClause(e *fhir.Element) clause {
	c := clause{system: e.Text("system"), version: e.Text("version")}
	for f := range e.All("filter") {
		c.filters = append(c.filters, newFilter(f.Text("property"), f.Text("op"), f.Text("value")))
	}
	for v := range e.All("valueSet") {
		c.imports = append(c.imports, v.Value)
	}
	for code := range e.All("concept") {
		if c.codes == nil {
			c.codes = map[string]int{}
		}
		l := listed{code: code.Text("code"), display: code.Text("display")}
		for d := range code.All("designation") {
			l.designations = append(l.designations, newDesignation(d))
		}
		c.codes[l.code] = len(c.concepts)
		c.concepts = append(c.concepts, l)
	}
	return c
}

// addExpansion takes in the codes of an expansion, nested ones included.
func (vs *valueSet) addExpansion(e *fhir.Element) []Contained {
	var out []Contained
	for c := range e.All("contains") {
		k := Contained{
			Coding:   Coding{System: c.Text("system"), Version: c.Text("version"), Code: c.Text("code"), Display: c.Text("display")},
			Abstract: c.Text("abstract") == "true",
			Inactive: c.Text("inactive") == "true",
		}
		for d := range c.All("designation") {
			k.Designations = append(k.Designations, newDesignation(d))
		}
		if k.Code != "" && !k.Abstract {
			vs.expansion[Coding{System: k.System, Code: k.Code}] = k.Display
		}
		k.Contains = vs.addExpansion(c)
		out = append(out, k)
	}
	return out
}

// systems returns the code systems a bare code of this set may belong to, in
// the order of the set, imports left out.
func (vs *valueSet) systems() []string {
	var out []string
	seen := map[string]bool{"": true}
	for i := range vs.include {
		if s := vs.include[i].system; !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	for k := range vs.expansion {
		if !seen[k.System] {
			seen[k.System] = true
			out = append(out, k.System)
		}
	}
	return out
}

// cutVersion splits "url|version".
func cutVersion(canonical string) (url, version string) {
	url, version, _ = strings.Cut(canonical, "|")
	return url, version
}
