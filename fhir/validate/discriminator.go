package validate

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
	"github.com/kaigofhir/kaigofhir/fhir/terminology"
)

// matcher is one thing that holds for the elements of a slice: a value, a
// type, a profile or the existence of what a path leads to.
// https://hl7.org/fhir/R4/profiling.html#discriminator
type matcher struct {
	path     []pathStep
	fixed    *fhir.Element // the value exactly
	pattern  *fhir.Element // the value at least
	text     string        // the primitive value
	binding  *binding
	types    []string
	profiles []string
	exists   terminology.Verdict // Yes, No, or Unknown where not asked
}

// pathStep is one step of the restricted FHIRPath of discriminators.
type pathStep struct {
	name    string // element, "" for the functions
	url     string // of extension('url')
	resolve bool   // resolve()
	typ     string // of ofType(X)
}

// parsePath reads "code.coding", "$this", "extension('url').value",
// "resolve()", "value.ofType(Quantity)".
func parsePath(path string) []pathStep {
	var out []pathStep
	for _, part := range splitPath(path) {
		name, arg, call := strings.Cut(part, "(")
		arg = strings.Trim(strings.TrimSuffix(arg, ")"), `'"`)
		switch {
		case part == "$this" || part == "":
		case !call:
			out = append(out, pathStep{name: strings.TrimSuffix(name, "[x]")})
		case name == "extension":
			out = append(out, pathStep{url: arg})
		case name == "resolve":
			out = append(out, pathStep{resolve: true})
		case name == "ofType" || name == "as":
			out = append(out, pathStep{typ: strings.TrimPrefix(arg, "FHIR.")})
		}
	}
	return out
}

// splitPath splits at the points outside of parentheses.
func splitPath(path string) []string {
	var out []string
	depth, start := 0, 0
	for i, c := range path {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '.':
			if depth == 0 {
				out = append(out, path[start:i])
				start = i + 1
			}
		}
	}
	return append(out, path[start:])
}

// matcher compiles what a discriminator finds in a slice; ok is false where
// the slice says nothing about it.
func (c *compiler) matcher(o *outline, d discriminator, t *r4.Type) (out []matcher, ok bool) {
	path := parsePath(d.path)
	switch d.kind {
	case "value", "pattern":
		if d.path == "url" && strings.HasSuffix(strings.ToLower(o.name), "extension") {
			if p := o.def.Text("type", "profile"); p != "" {
				url, _, _ := strings.Cut(p, "|")
				return []matcher{{path: path, text: url}}, true
			}
		}
		if c.existence(o, path) == terminology.No {
			return []matcher{{path: path, exists: terminology.No}}, true
		}
		out = c.valueMatchers(o, path, path, 0)
		if len(out) == 0 {
			return c.matcher(o, discriminator{"exists", d.path}, t)
		}
		return out, true
	case "exists":
		m := matcher{path: path, exists: c.existence(o, path)}
		return []matcher{m}, m.exists != terminology.Unknown
	case "type":
		m := matcher{path: path, types: c.typesAt(o, path)}
		return []matcher{m}, m.types != nil
	case "profile":
		m := matcher{path: path, profiles: c.profilesAt(o, path)}
		return []matcher{m}, m.profiles != nil
	}
	return nil, false
}

// maxFollow bounds how deep children are searched for values.
const maxFollow = 6

// valueMatchers gathers fixed values, patterns and required bindings on the
// way along rest and at its end; full is the whole path.
func (c *compiler) valueMatchers(o *outline, full, rest []pathStep, depth int) []matcher {
	var out []matcher
	if o.def != nil {
		out = ownMatchers(o.def, full, rest)
	}
	if len(rest) > 0 {
		for _, next := range c.follow(o, rest[0]) {
			out = append(out, c.valueMatchers(next, full, rest[1:], depth)...)
		}
		return out
	}
	if b, _ := bindings(o.def, nil); len(out) == 0 && b != nil && b.strength == "required" {
		return []matcher{{path: full, binding: b}}
	}
	if len(out) == 0 && depth < maxFollow {
		for _, child := range o.children {
			below := append(slices.Clone(full), pathStep{name: strings.TrimSuffix(child.name, "[x]")})
			for _, m := range c.valueMatchers(child, below, nil, depth+1) {
				if m.binding == nil {
					out = append(out, m)
				}
			}
		}
	}
	return out
}

// ownMatchers takes the part of an element's fixed value or pattern that the
// rest of the path leads to.
func ownMatchers(def *fhir.Element, full, rest []pathStep) []matcher {
	var out []matcher
	for _, e := range def.Children {
		stem := stemOf(e)
		if stem != "fixed" && stem != "pattern" {
			continue
		}
		for _, v := range descend([]*fhir.Element{e}, rest) {
			m := matcher{path: full}
			if stem == "fixed" {
				m.fixed = v
			} else {
				m.pattern = v
			}
			out = append(out, m)
		}
	}
	return out
}

// descend follows the names of a path inside a value.
func descend(from []*fhir.Element, path []pathStep) []*fhir.Element {
	for _, s := range path {
		var next []*fhir.Element
		for _, e := range from {
			for _, c := range e.Children {
				if s.name != "" && stemOf(c) == s.name || s.url != "" && c.Name == "extension" && c.Text("url") == s.url {
					next = append(next, c)
				}
			}
			if s.typ != "" {
				next = append(next, e)
			}
		}
		from = next
	}
	return from
}

// follow goes one step along a path in the outline: to the element, to its
// slices that must exist, and into the profiles on its type.
func (c *compiler) follow(o *outline, s pathStep) []*outline {
	if s.typ != "" {
		return ofType(o, s.typ)
	}
	from := []*outline{o}
	if o.def != nil {
		from = append(from, c.profiled(o.def, s.resolve)...)
	}
	if s.resolve {
		return from[1:]
	}
	var out []*outline
	for _, f := range from {
		for _, child := range f.children {
			switch {
			case s.name != "" && (child.name == s.name || child.name == s.name+"[x]"):
				out = append(append(out, child), required(child)...)
			case s.url != "" && child.name == "extension":
				out = append(out, extensionSlices(child, s.url)...)
			}
		}
	}
	return out
}

func ofType(o *outline, typeName string) []*outline {
	out := []*outline{o}
	for _, s := range o.slices {
		if s.def.Text("type", "code") == typeName {
			out = append(out, s)
		}
	}
	return out
}

func required(o *outline) []*outline {
	var out []*outline
	for _, s := range o.slices {
		if lo, _ := limits(s.def); s.def != nil && lo > 0 {
			out = append(out, s)
		}
	}
	return out
}

func extensionSlices(o *outline, url string) []*outline {
	var out []*outline
	for _, s := range o.slices {
		profile, _, _ := strings.Cut(s.def.Text("type", "profile"), "|")
		if profile == url || s.slice == url {
			out = append(out, s)
		}
	}
	return out
}

// profiled returns the outlines of the profiles on the types of an element,
// or on the targets of its references.
func (c *compiler) profiled(def *fhir.Element, targets bool) []*outline {
	name := "profile"
	if targets {
		name = "targetProfile"
	}
	var out []*outline
	for t := range def.All("type") {
		for p := range t.All(name) {
			if o, err := c.v.catalog.outlineOf(p.Value, nil); err == nil {
				out = append(out, o)
			}
		}
	}
	return out
}

// existence tells whether what a path leads to must exist in a slice.
func (c *compiler) existence(o *outline, path []pathStep) terminology.Verdict {
	at := []*outline{o}
	for _, s := range path {
		var next []*outline
		for _, o := range at {
			next = append(next, c.follow(o, s)...)
		}
		at = next
	}
	for _, o := range at {
		if o.def == nil {
			continue
		}
		switch lo, hi := limits(o.def); {
		case hi == 0:
			return terminology.No
		case lo > 0:
			return terminology.Yes
		}
	}
	return terminology.Unknown
}

// typesAt returns the types a slice allows at the end of a path.
func (c *compiler) typesAt(o *outline, path []pathStep) []string {
	ends, last := c.ends(o, path)
	var out []string
	for _, e := range ends {
		if last.resolve {
			for t := range e.def.All("type") {
				for p := range t.All("targetProfile") {
					out = append(out, c.v.typeOf(p.Value))
				}
			}
			continue
		}
		for t := range e.def.All("type") {
			out = append(out, strings.TrimPrefix(t.Text("code"), coreURL))
		}
	}
	return out
}

// profilesAt returns the profiles a slice asks for at the end of a path.
func (c *compiler) profilesAt(o *outline, path []pathStep) []string {
	ends, last := c.ends(o, path)
	name := "profile"
	if last.resolve {
		name = "targetProfile"
	}
	var out []string
	for _, e := range ends {
		for t := range e.def.All("type") {
			out = append(out, values(t, name)...)
		}
	}
	return out
}

// ends follows a path up to a final resolve(), which it returns.
func (c *compiler) ends(o *outline, path []pathStep) ([]*outline, pathStep) {
	var last pathStep
	if n := len(path); n > 0 && path[n-1].resolve {
		last, path = path[n-1], path[:n-1]
	}
	at := []*outline{o}
	for _, s := range path {
		var next []*outline
		for _, o := range at {
			next = append(next, c.follow(o, s)...)
		}
		at = next
	}
	return slices.DeleteFunc(at, func(o *outline) bool { return o.def == nil }), last
}

// typeOf is the type a profile constrains, "" where the profile is not known.
func (v *Validator) typeOf(canonical string) string {
	if name, ok := isCore(canonical); ok {
		return name
	}
	if t, ok := v.types.Load(canonical); ok {
		return t.(string)
	}
	sd, ok := v.catalog.structure(canonical)
	if !ok {
		return ""
	}
	t := strings.TrimPrefix(sd.Text("type"), coreURL)
	v.types.Store(canonical, t)
	return t
}

// matches tells whether all matchers hold for an element.
func (r *run) matches(e *fhir.Element, all []matcher) bool {
	for i := range all {
		if !r.match(e, &all[i]) {
			return false
		}
	}
	return true
}

func (r *run) match(e *fhir.Element, m *matcher) bool {
	found := r.at(e, m)
	if m.exists != terminology.Unknown {
		return (len(found) > 0) == (m.exists == terminology.Yes)
	}
	return slices.ContainsFunc(found, func(x *fhir.Element) bool { return r.matchValue(x, m) })
}

func (r *run) matchValue(x *fhir.Element, m *matcher) bool {
	switch {
	case m.text != "":
		return x.Value == m.text
	case m.fixed != nil:
		return equal(x, m.fixed)
	case m.pattern != nil:
		return contains(x, m.pattern)
	case m.binding != nil:
		return r.inSet(x, m.binding.valueSet) == terminology.Yes
	case m.types != nil:
		return r.hasType(x, m.types)
	}
	return slices.ContainsFunc(m.profiles, func(p string) bool { return r.conforms(x, p) })
}

// at follows the path of a matcher in the instance. A reference that cannot
// be resolved stands for its target where only the type is asked.
func (r *run) at(e *fhir.Element, m *matcher) []*fhir.Element {
	from := []*fhir.Element{e}
	for i, s := range m.path {
		var next []*fhir.Element
		for _, x := range from {
			switch {
			case s.resolve:
				if target := r.resolve(x); target != nil {
					next = append(next, target)
				} else if i == len(m.path)-1 && m.types != nil {
					next = append(next, x)
				}
			case s.typ != "":
				if x.Type != nil && x.Type.Name == s.typ {
					next = append(next, x)
				}
			default:
				next = append(next, descend([]*fhir.Element{x}, []pathStep{s})...)
			}
		}
		from = next
	}
	return from
}

// hasType tells whether an element, or the target of an unresolved reference,
// is of one of the types.
func (r *run) hasType(x *fhir.Element, types []string) bool {
	if x.Type == nil {
		return false
	}
	if x.Type.Name == "Reference" && !slices.Contains(types, "Reference") {
		return anyIsA(targetType(x), types)
	}
	return slices.ContainsFunc(types, func(t string) bool { return isOfType(x.Type, t) })
}

// isA reports whether a type is another one or specialises it.
func isA(name, ancestor string) bool {
	for name != "" {
		if name == ancestor {
			return true
		}
		t, ok := r4.TypeByName(name)
		if !ok {
			return false
		}
		name = t.Base
	}
	return false
}
