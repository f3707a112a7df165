package validate

import (
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

// extension checks an extension against its definition.
// https://hl7.org/fhir/R4/extensibility.html
func (r *run) extension(e *fhir.Element) {
	hasValue := false
	for _, c := range e.Children {
		hasValue = hasValue || c.Def != nil && c.Def.Name == "value"
	}
	if nested := e.Get("extension") != nil; nested == hasValue {
		r.fail(fhir.Invariant, "ext-1", fhir.Messagef(
			"An extension must have either a value or extensions", "拡張は値または子拡張のどちらか一方を持たなければなりません"))
	}
	url := e.Text("url")
	if url == "" {
		return
	}
	if strings.Contains(url, "|") {
		r.failAt(e.Get("url"), fhir.Extension, "extension-version", fhir.Messagef(
			"The URL of an extension must not have a version", "拡張の URL に版を付けることはできません"))
	}
	if !isAbsolute(url) {
		r.localExtension(e)
		return
	}
	p, ok := r.v.profile(url)
	if !ok || p.typ != "Extension" {
		r.unknownExtension(e, url)
		return
	}
	r.known(e, p)
}

// localExtension checks an extension with a relative URL: it is only allowed
// inside another one, whose definition says what it is.
func (r *run) localExtension(e *fhir.Element) {
	parent := r.path[len(r.path)-2].e
	if parent.Type == nil || parent.Type.Name != "Extension" {
		r.failAt(e.Get("url"), fhir.Extension, "extension-url-relative", fhir.Messagef(
			"The URL of an extension must be absolute", "拡張の URL は絶対 URL でなければなりません"))
	}
}

// exampleDomains are those that documentation uses.
var exampleDomains = []string{"example.org", "example.com", "example.net", "acme.com", "acme.org", "hl7.org/fhir/StructureDefinition/example"}

func isExample(url string) bool {
	_, rest, _ := strings.Cut(url, "://")
	return slices.ContainsFunc(exampleDomains, func(d string) bool {
		return strings.HasPrefix(rest, d) || strings.Contains(strings.SplitN(rest, "/", 2)[0], "."+d)
	})
}

func (r *run) unknownExtension(e *fhir.Element, url string) {
	if e.Name != "modifierExtension" {
		if slices.ContainsFunc(r.v.cfg.ExtensionDomains, func(d string) bool { return strings.HasPrefix(url, d) }) {
			return
		}
		if isExample(url) && !r.v.cfg.RefuseExamples {
			return
		}
	}
	sev, id := r.v.cfg.UnknownExtensions, "extension-unknown"
	if e.Name == "modifierExtension" {
		sev, id = fhir.Error, "modifier-extension-unknown"
		if isExample(url) && !r.v.cfg.RefuseExamples {
			sev = fhir.Warning
		}
	}
	r.report(sev, fhir.Extension, id, fhir.Messagef(
		"The extension %s is not known", "拡張 %s は定義が見つかりません", url))
}

// known checks an extension whose definition is at hand.
func (r *run) known(e *fhir.Element, p *profile) {
	if p.modifier != (e.Name == "modifierExtension") {
		en, ja := "The extension %s must not be a modifier", "拡張 %s は modifierExtension に置けません"
		if p.modifier {
			en, ja = "The extension %s must be a modifierExtension", "拡張 %s は modifierExtension に置かなければなりません"
		}
		r.fail(fhir.Extension, "extension-modifier", fhir.Messagef(en, ja, p.url))
	}
	if len(p.contexts) > 0 && !r.inContext(p) {
		r.fail(fhir.Extension, "extension-context", fhir.Messagef(
			"The extension %s is not allowed here", "拡張 %s はここでは使えません", p.url))
	}
	r.contextRules(e, p)
	r.against(e, p.url)
	r.subExtensions(e, p)
}

// contextRules evaluates the context invariants on the element that has the
// extension.
func (r *run) contextRules(e *fhir.Element, p *profile) {
	if len(p.contextRules) == 0 {
		return
	}
	holder := r.path[len(r.path)-2].e
	env := *r.env()
	env.Variables = map[string]fhirpath.Collection{"extension": {fhirpath.Node{Element: e}}}
	for _, rule := range p.contextRules {
		if rule.err != nil {
			continue
		}
		if value, known, err := rule.expr.EvaluateBool(&env, holder); err == nil && !(value && known) {
			r.fail(fhir.Extension, "extension-context-invariant", fhir.Messagef(
				"The extension %s is not allowed here by its rule '%s'", "拡張 %s は規則 '%s' によりここでは使えません", p.url, rule.expr.String()))
		}
	}
}

// subExtensions checks that a definition with parts knows each part.
func (r *run) subExtensions(e *fhir.Element, p *profile) {
	known := p.parts()
	if known == nil {
		return
	}
	for c := range e.All("extension") {
		url := c.Text("url")
		if url == "" || isAbsolute(url) || slices.Contains(known, url) {
			continue
		}
		r.failAt(c, fhir.Extension, "extension-part-unknown", fhir.Messagef(
			"The extension %s has no part '%s'", "拡張 %s に '%s' という部分はありません", p.url, url))
	}
}

// parts returns the URLs of the extensions inside a complex extension.
func (p *profile) parts() []string {
	if p.root == nil {
		return nil
	}
	var out []string
	for _, c := range p.root.children {
		if c.name != "extension" || c.slicing == nil {
			continue
		}
		for _, s := range c.slicing.slices {
			for _, m := range s.match {
				switch {
				case m.text != "":
					out = append(out, m.text)
				case m.fixed != nil:
					out = append(out, m.fixed.Value)
				case m.pattern != nil:
					out = append(out, m.pattern.Value)
				}
			}
		}
	}
	return out
}

// inContext tells whether the element that has the extension is one of the
// contexts of its definition.
// https://hl7.org/fhir/R4/defining-extensions.html#context
func (r *run) inContext(p *profile) bool {
	for _, c := range p.contexts {
		switch c.kind {
		case "element":
			if r.isElement(c.expression) {
				return true
			}
		case "extension":
			if r.isInExtension(c.expression) {
				return true
			}
		case "fhirpath":
			if r.isSelected(c.expression) {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// isElement tells whether the holder of the extension is an element by that
// name: a type ("HumanName", "Element") or a path ("Patient.name").
func (r *run) isElement(expression string) bool {
	if i := strings.IndexByte(expression, '#'); i >= 0 { // profile#path
		expression = expression[i+1:]
	}
	want := strings.ReplaceAll(expression, "[x]", "")
	path := r.path[:len(r.path)-1]
	for i := len(path) - 1; i >= 0; i-- {
		suffix := pathBelow(path[i+1:])
		if typeMatches(path[i].e, want, suffix) {
			return true
		}
		if path[i].e.ResourceType() != "" {
			break
		}
	}
	holder := path[len(path)-1].e
	return holder.Def != nil && strings.ReplaceAll(holder.Def.Path, "[x]", "") == want
}

// typeMatches tells whether a type, or one it specialises, with the suffix is
// the path wanted.
func typeMatches(e *fhir.Element, want, suffix string) bool {
	if e.Type == nil || !strings.HasSuffix(want, suffix) {
		return false
	}
	return isA(e.Type.Name, strings.TrimSuffix(want, suffix)) || suffix == "" && want == "Element" && e.ResourceType() == ""
}

func pathBelow(steps []step) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte('.')
		if s.e.Def != nil {
			b.WriteString(s.e.Def.Name)
		} else {
			b.WriteString(s.e.Name)
		}
	}
	return b.String()
}

// isInExtension tells whether the holder is an extension with that URL, or
// its part named after "#".
func (r *run) isInExtension(expression string) bool {
	holder := r.path[len(r.path)-2].e
	if holder.Type == nil || holder.Type.Name != "Extension" {
		return false
	}
	url := holder.Text("url")
	base, part, _ := strings.Cut(expression, "#")
	if part == "" {
		return url == base
	}
	return url == part && len(r.path) > 2 && r.path[len(r.path)-3].e.Text("url") == base
}

// isSelected tells whether a FHIRPath from the resource selects the holder.
func (r *run) isSelected(expression string) bool {
	inv := newInvariant("context", "", "", expression)
	if inv.err != nil {
		return true
	}
	found, err := inv.expr.Evaluate(r.env(), r.frame.resource)
	if err != nil {
		return true
	}
	holder := r.path[len(r.path)-2].e
	for n := range found.Nodes() {
		if n == holder {
			return true
		}
	}
	return false
}
