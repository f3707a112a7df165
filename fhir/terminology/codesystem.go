package terminology

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// codeSystem is a CodeSystem in a form made for questions. It never changes
// once made.
// https://hl7.org/fhir/R4/codesystem.html
type codeSystem struct {
	url, version, name, language string
	valueSet                     string
	content                      string // complete, fragment, example, not-present
	fold                         bool   // codes are compared without case
	concepts                     []concept
	index                        map[string]int32
}

// concept is one code. Parents and children are positions in concepts, which
// stand in the order of the resource, parents first.
type concept struct {
	code, display, definition string
	depth                     int
	parents, children         []int32
	designations              []Designation
	properties                []Property
	abstract, inactive        bool
}

// complete reports whether a code that is not found does not exist.
func (cs *codeSystem) complete() bool { return cs.content == "complete" }

// find returns the position of a code, ok is false where there is none.
func (cs *codeSystem) find(code string) (int32, bool) {
	i, ok := cs.index[cs.key(code)]
	return i, ok
}

func (cs *codeSystem) key(code string) string {
	if cs.fold {
		return strings.ToLower(code)
	}
	return code
}

// has tells whether the system has a code.
func (cs *codeSystem) has(code string) Verdict {
	if _, ok := cs.find(code); ok {
		return Yes
	}
	if cs.complete() {
		return No
	}
	return Unknown
}

// newCodeSystem reads a CodeSystem resource.
func newCodeSystem(r *fhir.Element) *codeSystem {
	cs := &codeSystem{
		url:      r.Text("url"),
		version:  r.Text("version"),
		name:     r.Text("name"),
		language: r.Text("language"),
		valueSet: r.Text("valueSet"),
		content:  r.Text("content"),
		fold:     r.Text("caseSensitive") == "false",
		index:    map[string]int32{},
	}
	if cs.language == "" {
		cs.language = "en"
	}
	for c := range r.All("concept") {
		cs.add(c, -1, 0)
	}
	cs.linkByProperty()
	if elsewhere[cs.url] && len(cs.concepts) < manyConcepts {
		cs.content = "fragment"
	}
	return cs
}

// elsewhere are the large code systems of other publishers. Packages carry
// the few codes of them that they use and call that complete: it must not make
// all other codes wrong.
var elsewhere = map[string]bool{
	"http://loinc.org": true, "http://snomed.info/sct": true,
	"http://www.nlm.nih.gov/research/umls/rxnorm": true, "http://hl7.org/fhir/sid/icd-10": true,
	systemUCUM: true, systemLanguage: true, systemMIME: true, systemCurrency: true, systemCountry: true,
}

// manyConcepts is when such a code system is believed to be complete.
const manyConcepts = 10000

// add takes in a concept and those below it.
func (cs *codeSystem) add(e *fhir.Element, parent int32, depth int) {
	at := int32(len(cs.concepts))
	c := concept{
		code:       e.Text("code"),
		display:    e.Text("display"),
		definition: e.Text("definition"),
		depth:      depth,
	}
	for d := range e.All("designation") {
		c.designations = append(c.designations, newDesignation(d))
	}
	for p := range e.All("property") {
		c.addProperty(p)
	}
	cs.concepts = append(cs.concepts, c)
	if _, dup := cs.index[cs.key(c.code)]; !dup {
		cs.index[cs.key(c.code)] = at
	}
	if parent >= 0 {
		cs.link(parent, at)
	}
	for child := range e.All("concept") {
		cs.add(child, at, depth+1)
	}
}

// addProperty takes in a property and what FHIR reads from it.
// https://hl7.org/fhir/R4/codesystem.html#status
func (c *concept) addProperty(e *fhir.Element) {
	p := Property{Code: e.Text("code")}
	for _, v := range e.Children {
		if t, ok := strings.CutPrefix(v.Name, "value"); ok {
			p.Type, p.Value = lowerFirst(t), v.Value
			if t == "Coding" {
				p.Type, p.Value = t, v.Text("code")
			}
		}
	}
	c.properties = append(c.properties, p)
	switch {
	case p.Code == "notSelectable" || p.Code == "abstract":
		c.abstract = p.Value == "true"
	case p.Code == "inactive":
		c.inactive = p.Value == "true"
	case p.Code == "status":
		c.inactive = p.Value == "retired" || p.Value == "inactive"
	}
}

// linkByProperty adds the hierarchy that properties tell: parent and child
// are FHIR's own, subsumedBy is what HL7 v3 code systems use.
func (cs *codeSystem) linkByProperty() {
	for i := range cs.concepts {
		for _, p := range cs.concepts[i].properties {
			other, ok := cs.find(p.Value)
			switch {
			case !ok:
			case p.Code == "parent" || p.Code == "subsumedBy":
				cs.link(other, int32(i))
			case p.Code == "child":
				cs.link(int32(i), other)
			}
		}
	}
}

func (cs *codeSystem) link(parent, child int32) {
	for _, p := range cs.concepts[child].parents {
		if p == parent {
			return
		}
	}
	cs.concepts[child].parents = append(cs.concepts[child].parents, parent)
	cs.concepts[parent].children = append(cs.concepts[parent].children, child)
}

// isA reports whether a concept is another one or stands below it.
func (cs *codeSystem) isA(i, ancestor int32) bool {
	return i == ancestor || cs.below(i, ancestor, nil)
}

// below reports whether a concept stands below another one; seen guards
// against circles in bad data.
func (cs *codeSystem) below(i, ancestor int32, seen map[int32]bool) bool {
	for _, p := range cs.concepts[i].parents {
		if p == ancestor {
			return true
		}
		if seen[p] {
			continue
		}
		if seen == nil {
			seen = map[int32]bool{}
		}
		seen[p] = true
		if cs.below(p, ancestor, seen) {
			return true
		}
	}
	return false
}

// supplement returns cs with the designations and properties that a
// supplement adds.
// https://hl7.org/fhir/R4/codesystem.html#supplements
func (cs *codeSystem) supplement(with *codeSystem) *codeSystem {
	out := *cs
	out.concepts = append([]concept(nil), cs.concepts...)
	for _, add := range with.concepts {
		if i, ok := cs.find(add.code); ok {
			c := &out.concepts[i]
			c.designations = append(c.designations[:len(c.designations):len(c.designations)], add.designations...)
			if add.display != "" && add.display != c.display {
				c.designations = append(c.designations, Designation{Language: with.language, Value: add.display})
			}
			c.properties = append(c.properties[:len(c.properties):len(c.properties)], add.properties...)
		}
	}
	return &out
}

func newDesignation(e *fhir.Element) Designation {
	use := e.Get("use")
	return Designation{
		Language: e.Text("language"),
		Value:    e.Text("value"),
		Use:      Coding{System: use.Text("system"), Code: use.Text("code"), Display: use.Text("display")},
	}
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
