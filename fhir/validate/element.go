package validate

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// element checks the element the run stands on, and what lies below it,
// against a node of a profile.
func (r *run) element(e *fhir.Element, n *node) {
	if n.types != nil && !r.allowed(e, n) {
		return
	}
	r.value(e, n)
	if n.binding != nil {
		r.bind(e, n.binding)
	}
	for _, b := range n.additional {
		r.bind(e, b)
	}
	r.invariants(e, n.invariants)
	for _, rule := range n.narrative {
		r.narrative(e, rule)
	}
	for _, c := range n.children {
		r.child(e, c)
	}
}

// child checks the elements of one name below the element the run stands on.
func (r *run) child(e *fhir.Element, n *node) {
	count, index := 0, 0
	var group []step
	name := ""
	for _, c := range e.Children {
		if c.Def == nil || c.Def.Name != n.name {
			continue
		}
		if c.Name != name {
			name, index = c.Name, 0
		}
		count++
		r.push(c, index)
		r.element(c, n)
		r.pop()
		if n.slicing != nil {
			group = append(group, step{c, index})
		}
		index++
	}
	r.count(n, count)
	if n.slicing != nil {
		r.slices(group, n.slicing, n.id)
	}
}

// count checks how often an element occurs.
func (r *run) count(n *node, count int) {
	if count < n.min {
		r.fail(fhir.Required, "profile-min", fhir.Messagef(
			"%s is needed at least %d time(s) but occurs %d time(s)", "%s は %d 個以上必要ですが %d 個です", n.id, n.min, count))
	}
	if n.max != r4.Unbounded && count > n.max {
		r.fail(fhir.Structure, "profile-max", fhir.Messagef(
			"%s is allowed at most %d time(s) but occurs %d time(s)", "%s は %d 個までですが %d 個あります", n.id, n.max, count))
	}
}

// allowed checks the type of an element, and the profiles on that type.
func (r *run) allowed(e *fhir.Element, n *node) bool {
	if e.Type == nil {
		return false
	}
	var fits []*typeRule
	for i := range n.types {
		if isOfType(e.Type, n.types[i].code) {
			fits = append(fits, &n.types[i])
		}
	}
	if len(fits) == 0 {
		var names []string
		for _, t := range n.types {
			names = append(names, t.code)
		}
		r.fail(fhir.Structure, "type-not-allowed", fhir.Messagef(
			"The type %s is not allowed for %s (allowed: %s)", "型 %s は %s に許されません(許される型: %s)", e.Type.Name, n.id, strings.Join(names, ", ")))
		return false
	}
	var profiles []string
	for _, t := range fits {
		if len(t.profiles) == 0 {
			profiles = nil
			break
		}
		profiles = append(profiles, t.profiles...)
	}
	r.oneOf(e, profiles)
	if e.Type.Name == "Reference" || e.Type.Name == "canonical" {
		r.targets(e, fits)
	}
	return true
}

// isOfType tells whether a type fits the code of an ElementDefinition: a
// resource also by a type it specialises, all others by just that type (a
// code is not allowed where a string is).
func isOfType(t *r4.Type, code string) bool {
	switch t.Kind {
	case r4.Backbone:
		return true
	case r4.Resource:
		return isA(t.Name, code)
	}
	return t.Name == code
}

// oneOf checks that an element conforms to at least one of the profiles. What
// an extension is by its url is checked with base.
func (r *run) oneOf(e *fhir.Element, profiles []string) {
	profiles = slices.DeleteFunc(slices.Clone(profiles), func(p string) bool { return p == extensionURL(e) })
	if len(profiles) == 1 {
		r.against(e, profiles[0])
		return
	}
	if len(profiles) > 1 && !slices.ContainsFunc(profiles, func(p string) bool { return r.conforms(e, p) }) {
		r.fail(fhir.Structure, "profile-no-match", fhir.Messagef(
			"The element conforms to none of the profiles %s", "どのプロファイルにも適合しません: %s", strings.Join(profiles, ", ")))
	}
}

// against checks an element against a profile by its canonical.
func (r *run) against(e *fhir.Element, canonical string) {
	p, ok := r.v.profile(canonical)
	switch {
	case !ok:
		r.fail(fhir.NotFound, "profile-unknown", fhir.Messagef(
			"The profile %s is not known", "プロファイル %s が見つかりません", canonical))
	case p.broken != nil:
		r.fail(fhir.NotSupported, "profile-unusable", fhir.Messagef(
			"The profile %s cannot be used: %v", "プロファイル %s は使えません: %v", canonical, plain(p.broken)))
	case e.Type == nil || !isA(e.Type.Name, p.typ):
		r.fail(fhir.Invalid, "profile-wrong-type", fhir.Messagef(
			"The profile %s is for %s", "プロファイル %s は %s 用です", canonical, p.typ))
	case p.root != nil && len(r.path) < maxDepth:
		r.element(e, p.root)
	}
}

// maxDepth bounds the way from the root.
const maxDepth = 400

// conforms tells whether an element conforms to a profile. A question that is
// being answered already, in a circle of references, is taken as yes.
func (r *run) conforms(e *fhir.Element, canonical string) bool {
	if name, ok := isCore(canonical); ok && (name == "Resource" || e.Type != nil && isA(e.Type.Name, name)) {
		if p, ok := r.v.profile(canonical); !ok || p.root == nil {
			return true
		}
	}
	key := tryKey{e, canonical}
	if known, ok := r.tries[key]; ok {
		return known
	}
	if r.nested >= maxTries {
		return true
	}
	r.tries[key] = true
	ok := r.try(func() {
		if e.ResourceType() != "" && e != r.path[len(r.path)-1].e {
			r.inFrameOf(e, func() { r.against(e, canonical) })
			return
		}
		r.push(e, -1)
		r.against(e, canonical)
	})
	r.tries[key] = ok
	return ok
}

// value checks fixed values, patterns, ranges and lengths.
func (r *run) value(e *fhir.Element, n *node) {
	if n.fixed != nil && !equal(e, n.fixed) {
		r.fail(fhir.Value, "fixed-value", fhir.Messagef(
			"The value of %s is not the fixed value%s", "%s の値が固定値%sと異なります", n.id, quoted(n.fixed)))
	}
	if n.pattern != nil && !contains(e, n.pattern) {
		r.fail(fhir.Value, "pattern-value", fhir.Messagef(
			"The value of %s does not have the pattern%s", "%s の値がパターン%sに合いません", n.id, quoted(n.pattern)))
	}
	if n.maxLength > 0 && utf8.RuneCountInString(e.Value) > n.maxLength {
		r.fail(fhir.TooLong, "max-length", fhir.Messagef(
			"The value is longer than %d characters", "値が %d 文字を超えています", n.maxLength))
	}
	if n.minLength > 0 && utf8.RuneCountInString(e.Value) < n.minLength {
		r.fail(fhir.Value, "min-length", fhir.Messagef(
			"The value is shorter than %d characters", "値が %d 文字に足りません", n.minLength))
	}
	if n.minValue != nil {
		r.limit(e, n.minValue, -1, "min-value", "The value is less than the minimum%s", "値が最小値%sより小さいです")
	}
	if n.maxValue != nil {
		r.limit(e, n.maxValue, 1, "max-value", "The value is greater than the maximum%s", "値が最大値%sより大きいです")
	}
}

// limit reports a value that lies beyond a limit on the side of sign.
func (r *run) limit(e, limit *fhir.Element, sign int, id, en, ja string) {
	if c, ok := compare(e, limit); ok && c == sign {
		r.fail(fhir.Value, id, fhir.Messagef(en, ja, quoted(limit)))
	}
}

// quoted shows a value of a definition, if it is a short one.
func quoted(e *fhir.Element) string {
	v := e.Value
	if e.Type != nil && isA(e.Type.Name, "Quantity") {
		v = strings.TrimSpace(e.Text("value") + " " + e.Text("code"))
	}
	if v == "" || len(v) > 80 {
		return ""
	}
	return " '" + v + "'"
}
