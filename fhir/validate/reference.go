package validate

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// reference checks a Reference against base R4: local ones resolve, and the
// target is of an allowed type, as far as the reference or the bundle tells.
// https://hl7.org/fhir/R4/references.html
func (r *run) reference(e *fhir.Element) {
	text := e.Text("reference")
	if strings.ContainsAny(text, " \t\r\n") {
		r.failAt(e.Get("reference"), fhir.Value, "reference-format", fhir.Messagef(
			"A reference must not have blanks", "参照に空白を含めることはできません"))
		return
	}
	if r.frame.bundle != nil && !r.frame.bundle.allows(text) {
		r.failAt(e.Get("reference"), fhir.Value, "reference-format", fhir.Messagef(
			"A relative reference must have the form Type/id", "相対参照は 型/id の形でなければなりません"))
		return
	}
	target := r.resolveAt(e)
	if id, ok := cutFragment(text); ok && target == nil {
		r.fail(fhir.Invariant, "ref-1", fhir.Messagef(
			"Nothing contained here has the id '%s'", "id '%s' の contained リソースがありません", id))
		return
	}
	actual := r.actualType(e, target)
	r.sameType(e, text, target)
	if allowed := targetTypes(e.Def); actual != "" && len(allowed) > 0 && !anyIsA(actual, allowed) {
		r.fail(fhir.Structure, "reference-type", fhir.Messagef(
			"A %s must not be referred to here (allowed: %s)", "%s はここで参照できません(許される型: %s)", actual, strings.Join(allowed, ", ")))
	}
}

// sameType checks that what a reference says of the type of its target is so.
func (r *run) sameType(e *fhir.Element, text string, target *fhir.Element) {
	said := typeInURL(text)
	if target != nil && said != "" && target.Type.Name != said {
		r.fail(fhir.Structure, "reference-mismatch", fhir.Messagef(
			"The reference is to a %s but its target is a %s", "参照は %s を指していますが、参照先は %s です", said, target.Type.Name))
	}
	if t := e.Text("type"); t != "" {
		if target != nil {
			said = target.Type.Name
		}
		if t = strings.TrimPrefix(t, coreURL); said != "" && t != said {
			r.fail(fhir.Structure, "reference-type-said", fhir.Messagef(
				"Reference.type is %s but the target is a %s", "Reference.type は %s ですが参照先は %s です", t, said))
		}
	}
}

// resolveAt finds the target of a reference and reports one with several.
func (r *run) resolveAt(e *fhir.Element) *fhir.Element {
	text := e.Text("reference")
	if text == "" {
		return nil
	}
	if f := r.frame; f.bundle != nil && !strings.HasPrefix(text, "#") {
		if found := f.bundle.find(text, f.fullURL); len(found) > 1 {
			r.fail(fhir.MultipleMatch, "reference-ambiguous", fhir.Messagef(
				"The bundle has several entries for this reference", "Bundle 内にこの参照に当たるエントリが複数あります"))
			return nil
		}
	}
	return r.resolveText(text)
}

// resolve finds the target of a Reference, or of a uri that is one.
func (r *run) resolve(e *fhir.Element) *fhir.Element {
	if e.ResourceType() != "" {
		return e
	}
	if text := e.Text("reference"); text != "" {
		return r.resolveText(text)
	}
	return r.resolveText(e.Value)
}

// resolveText finds a target in the container, in the bundle and by the hook.
func (r *run) resolveText(text string) *fhir.Element {
	if text == "" || r.frame == nil {
		return nil
	}
	if id, ok := cutFragment(text); ok {
		if id == "" {
			return r.frame.container
		}
		return r.contained(id)
	}
	if f := r.frame; f.bundle != nil {
		if found := f.bundle.find(text, f.fullURL); len(found) > 0 {
			return found[0]
		}
	}
	if r.v.cfg.Resolve != nil {
		if target, ok := r.v.cfg.Resolve(r.ctx, text); ok && target.ResourceType() != "" {
			return target
		}
	}
	return nil
}

// actualType is the type of the target as far as it is known.
func (r *run) actualType(e, target *fhir.Element) string {
	if target != nil {
		return target.Type.Name
	}
	return targetType(e)
}

// targetType is the type of the target that a Reference tells.
func targetType(e *fhir.Element) string {
	if t := typeInURL(e.Text("reference")); t != "" {
		return t
	}
	t := strings.TrimPrefix(e.Text("type"), coreURL)
	if rt, ok := r4.TypeByName(t); ok && rt.Kind == r4.Resource {
		return t
	}
	return ""
}

// typeInURL returns the resource type in "…/Type/id" or "…/Type/id/_history/1".
func typeInURL(text string) string {
	t, _ := typeAndID(text)
	return t
}

// typeAndID takes the type and id from the end of a RESTful URL.
func typeAndID(text string) (typeName, id string) {
	text, _, _ = strings.Cut(text, "/_history/")
	i := strings.LastIndexByte(text, '/')
	if i <= 0 || strings.HasPrefix(text, "urn:") {
		return "", ""
	}
	name := text[strings.LastIndexByte(text[:i], '/')+1 : i]
	if t, ok := r4.TypeByName(name); !ok || t.Kind != r4.Resource {
		return "", ""
	}
	return name, text[i+1:]
}

// targetTypes returns the resource types that base R4 allows.
func targetTypes(def *r4.Element) []string {
	var out []string
	if def == nil {
		return nil
	}
	for _, t := range def.Types {
		if t.Code != "Reference" && t.Code != "canonical" {
			continue
		}
		for _, p := range t.TargetProfiles {
			out = append(out, strings.TrimPrefix(p, coreURL))
		}
	}
	return out
}

func anyIsA(name string, ancestors []string) bool {
	return slices.ContainsFunc(ancestors, func(a string) bool { return isA(name, a) })
}

// targets checks a Reference or canonical against the target profiles and the
// aggregation of a profile.
func (r *run) targets(e *fhir.Element, rules []*typeRule) {
	var profiles, modes []string
	for _, t := range rules {
		if len(t.targets) == 0 {
			profiles = nil
			break
		}
		profiles = append(profiles, t.targets...)
		modes = append(modes, t.aggregation...)
	}
	if e.Type.Name == "canonical" {
		r.canonicalTarget(e, profiles)
		return
	}
	target := r.resolve(e)
	r.aggregated(e, target, modes)
	if len(profiles) == 0 {
		return
	}
	actual := r.actualType(e, target)
	if actual == "" {
		return
	}
	r.targetProfiles(target, actual, profiles)
}

// targetProfiles checks the type of a target, and the target itself where it
// is at hand.
func (r *run) targetProfiles(target *fhir.Element, actual string, profiles []string) {
	var fits, types []string
	for _, p := range profiles {
		t := r.v.typeOf(p)
		if types = append(types, t); t == "" || isA(actual, t) {
			fits = append(fits, p)
		}
	}
	if len(fits) == 0 {
		r.fail(fhir.Structure, "reference-type", fhir.Messagef(
			"A %s must not be referred to here (allowed: %s)", "%s はここで参照できません(許される型: %s)", actual, strings.Join(types, ", ")))
		return
	}
	if target == nil || slices.ContainsFunc(fits, func(p string) bool { return r.conforms(target, p) }) {
		return
	}
	r.fail(fhir.Structure, "reference-profile", fhir.Messagef(
		"The target conforms to none of the profiles %s", "参照先がどのプロファイルにも適合しません: %s", strings.Join(fits, ", ")))
}

// aggregated checks how a target is held.
// https://hl7.org/fhir/R4/valueset-resource-aggregation-mode.html
func (r *run) aggregated(e, target *fhir.Element, modes []string) {
	text := e.Text("reference")
	if len(modes) == 0 || text == "" {
		return
	}
	mode := "referenced"
	switch {
	case strings.HasPrefix(text, "#"):
		mode = "contained"
	case target != nil && r.frame.bundle != nil && len(r.frame.bundle.find(text, r.frame.fullURL)) > 0:
		mode = "bundled"
	}
	if !slices.Contains(modes, mode) {
		r.fail(fhir.Structure, "reference-aggregation", fhir.Messagef(
			"The target is %s, which is not allowed here (allowed: %s)", "参照先の持ち方 %s はここでは許されません(許されるもの: %s)", mode, strings.Join(modes, ", ")))
	}
}

// canonicalTarget checks the type of the resource a canonical names.
func (r *run) canonicalTarget(e *fhir.Element, profiles []string) {
	if e.Value == "" || len(profiles) == 0 {
		return
	}
	target, ok := r.v.catalog.find(e.Value)
	if id, local := cutFragment(e.Value); local {
		target, ok = r.contained(id), r.contained(id) != nil
	}
	if !ok {
		return
	}
	var types []string
	for _, p := range profiles {
		types = append(types, r.v.typeOf(p))
	}
	if !anyIsA(target.ResourceType(), types) && !slices.Contains(types, "") {
		r.fail(fhir.Structure, "canonical-type", fhir.Messagef(
			"The canonical is that of a %s (allowed: %s)", "この canonical は %s を指しています(許される型: %s)", target.ResourceType(), strings.Join(types, ", ")))
	}
}
