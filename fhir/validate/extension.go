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

// isExample reports whether a URL is of a domain that the examples of the
// specification use.
func isExample(url string) bool {
	return strings.Contains(url, "example.org") || strings.Contains(url, "acme.com")
}

// unseenDomains publish no definitions, or only for tools; their extensions
// are accepted unseen as the reference validator does.
var unseenDomains = []string{"http://nema.org/", "http://hl7.org/fhir/tools/StructureDefinition/"}

func (r *run) unknownExtension(e *fhir.Element, url string) {
	if e.Name != "modifierExtension" {
		of := func(domain string) bool { return strings.HasPrefix(url, domain) }
		if slices.ContainsFunc(unseenDomains, of) || slices.ContainsFunc(r.v.cfg.ExtensionDomains, of) {
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
		if value, known, err := rule.expr.EvaluateBool(&env, holder); err == nil && known && !value {
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
	for _, expression := range alsoAllowed[p.url] {
		if r.isElement(expression) {
			return true
		}
	}
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

// alsoAllowed are contexts in which R4 itself uses extensions whose
// definitions do not name them: every snapshot of R4 has the first.
var alsoAllowed = map[string][]string{
	coreURL + "structuredefinition-fhir-type":         {"ElementDefinition.type"},
	coreURL + "structuredefinition-normative-version": {"DomainResource", "ElementDefinition"},
	coreURL + "regex":                     {"ElementDefinition.type"},
	coreURL + "valueset-concept-comments": {"CodeSystem.concept", "ValueSet.compose.include.concept"},
}

// isElement tells whether the holder of the extension is an element by that
// name: a type ("HumanName", "Element") or a path ("Patient.name").
func (r *run) isElement(expression string) bool {
	if i := strings.IndexByte(expression, '#'); i >= 0 { // profile#path
		expression = expression[i+1:]
	}
	want := strings.ReplaceAll(expression, "[x]", "")
	if want == "Element" {
		return true // HL7's own extensions say so and stand on resources, too
	}
	path := r.path[:len(r.path)-1]
	for i := len(path) - 1; i >= 0; i-- {
		suffix := pathBelow(path[i+1:])
		if typeMatches(path[i].e, want, suffix) || suffix == "" && isLaterAncestor(path[i].e, want) {
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
	return isA(e.Type.Name, strings.TrimSuffix(want, suffix))
}

// isLaterAncestor tells whether a resource is of one of the abstract types
// that R5 put above R4's, which newer extensions name as their context.
func isLaterAncestor(e *fhir.Element, want string) bool {
	if want != "CanonicalResource" && want != "MetadataResource" || e.ResourceType() == "" {
		return false
	}
	_, canonical := e.Type.Property("url")
	_, status := e.Type.Property("status")
	return canonical && status
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

// isInExtension tells whether the holder is an extension with that URL, its
// part named after "#", or its value.
func (r *run) isInExtension(expression string) bool {
	at := len(r.path) - 2
	if d := r.path[at].e.Def; d != nil && d.Path == "Extension.value[x]" {
		at--
	}
	base, part, _ := strings.Cut(expression, "#")
	url := extensionURL(r.path[at].e)
	if part == "" {
		return url == base
	}
	return url == part && at > 0 && extensionURL(r.path[at-1].e) == base
}

// extensionURL is the url of an extension, "" for any other element.
func extensionURL(e *fhir.Element) string {
	if e.Type == nil || e.Type.Name != "Extension" {
		return ""
	}
	return e.Text("url")
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
