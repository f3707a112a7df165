package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// profile is a StructureDefinition made ready to check with: only what it
// asks beyond base R4. It does not change once made.
type profile struct {
	url, version string
	typ          string // the type it constrains: "Patient", "Extension"
	base         string // canonical
	root         *node  // nil where it asks nothing
	modifier     bool   // an extension that must be a modifierExtension
	contexts     []context_
	contextRules []*invariant
	broken       error // why it cannot be used
}

// context_ is a place an extension may stand in.
type context_ struct{ kind, expression string }

// node is what a profile asks of one element, beyond base R4.
type node struct {
	name       string // stem of the element: "component", "value"
	id         string // id in the profile, for messages
	min, max   int    // max is r4.Unbounded where not narrowed
	types      []typeRule
	fixed      *fhir.Element
	pattern    *fhir.Element
	minValue   *fhir.Element
	maxValue   *fhir.Element
	minLength  int
	maxLength  int
	binding    *binding
	additional []*binding
	invariants []*invariant
	narrative  []narrativeRule
	children   []*node
	slicing    *slicing
}

// typeRule is a type an element may have here.
type typeRule struct {
	code        string
	profiles    []string
	targets     []string
	aggregation []string
}

// slicing divides the repetitions of an element.
// https://hl7.org/fhir/R4/profiling.html#slicing
type slicing struct {
	rules   string // open, closed, openAtEnd
	ordered bool
	slices  []*slice
	// unclear is the discriminator that cannot be evaluated, "" for none.
	unclear string
}

// slice is one group of repetitions.
type slice struct {
	name     string
	min, max int
	match    []matcher // all must hold
	node     *node     // what is asked of its elements, nil for nothing more
	isOther  bool      // "@default": what no other slice takes
	reslices *slicing
}

// profile returns the compiled profile of a canonical. ok is false where no
// such StructureDefinition is known.
func (v *Validator) profile(canonical string) (*profile, bool) {
	if p, ok := v.profiles.Load(canonical); ok {
		return p.(*profile), true
	}
	sd, ok := v.catalog.structure(canonical)
	if !ok {
		return nil, false
	}
	key := canonical
	if url, version, _ := strings.Cut(canonical, "|"); version != "" && sd.Text("version") != version {
		key = url // versions nobody holds must not fill the memory
		if p, ok := v.profiles.Load(key); ok {
			return p.(*profile), true
		}
	}
	v.compile.Lock()
	defer v.compile.Unlock()
	if p, ok := v.profiles.Load(key); ok {
		return p.(*profile), true
	}
	p := v.newProfile(sd, canonical)
	v.profiles.Store(key, p)
	return p, true
}

func (v *Validator) newProfile(sd *fhir.Element, canonical string) *profile {
	p := &profile{
		url:     sd.Text("url"),
		version: sd.Text("version"),
		typ:     strings.TrimPrefix(sd.Text("type"), coreURL),
		base:    sd.Text("baseDefinition"),
	}
	for c := range sd.All("context") {
		p.contexts = append(p.contexts, context_{c.Text("type"), c.Text("expression")})
	}
	for c := range sd.All("contextInvariant") {
		p.contextRules = append(p.contextRules, newInvariant("context", "error", "", c.Value))
	}
	if sd.Text("derivation") != "constraint" && strings.HasPrefix(p.url, coreURL) {
		return p // base R4 itself asks nothing more
	}
	o, err := v.catalog.outline(sd, []string{canonical})
	if err != nil {
		p.broken = err
		return p
	}
	p.modifier = o.def.Text("isModifier") == "true"
	t, _ := r4.TypeByName(p.typ)
	c := &compiler{v: v}
	p.root = c.root(o, t)
	return p
}

// isCore returns the type that a canonical of R4's own definitions names.
func isCore(canonical string) (typeName string, ok bool) {
	name, ok := strings.CutPrefix(canonical, coreURL)
	if !ok {
		return "", false
	}
	name, _, _ = strings.Cut(name, "|")
	_, known := r4.TypeByName(name)
	return name, known
}
