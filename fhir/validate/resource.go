package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
)

// placement says where a resource stands.
type placement struct {
	slot     string   // "contained", "resource", …; "" for the root
	profiles []string // canonicals asked for
	entries  []EntryProfile
}

// frame is a resource being checked, with what can be reached from it.
type frame struct {
	resource  *fhir.Element
	container *fhir.Element // the resource itself, or the one that contains it
	outer     *frame
	bundle    *bundle // the innermost bundle around it, nil for none
	fullURL   string  // of its entry
	env       *fhirpath.Env
	local     *locals // shared by a container and what it contains
}

// resource checks a resource, on which the run stands unless it is the root,
// against R4, its own profiles and those asked for.
func (r *run) resource(e *fhir.Element, p placement) {
	root := p.slot == ""
	if root {
		r.push(e, -1)
		defer r.pop()
	}
	if e.ResourceType() == "" || e.Type.Abstract {
		r.fail(fhir.Structure, "resource-type-unknown", fhir.Messagef(
			"A resource of a concrete type is needed here", "具体的な型のリソースが必要です"))
		return
	}
	if r.ctx.Err() != nil {
		r.report(fhir.Fatal, fhir.Processing, "cancelled", fhir.Messagef(
			"The validation was stopped", "検査が中断されました"))
		return
	}
	r.enter(e, p)
	defer r.leave()
	r.object(e, r.v.plan(e.Type))
	r.contents(e, p)
	r.special(e)
	r.entryProfiles(p.entries)
	for m := range e.Get("meta").All("profile") {
		r.claimed(e, m)
	}
	for _, canonical := range p.profiles {
		r.against(e, canonical)
	}
}

// enter makes the frame of a resource.
func (r *run) enter(e *fhir.Element, p placement) {
	f := &frame{resource: e, container: e, outer: r.frame, local: &locals{}}
	if r.frame != nil {
		f.bundle, f.fullURL = r.frame.bundle, r.frame.fullURL
		if p.slot == "contained" {
			f.container, f.local = r.frame.container, r.frame.local
		}
	}
	if p.slot == "resource" && len(r.path) > 1 {
		f.fullURL = r.path[len(r.path)-2].e.Text("fullUrl")
	}
	if e.Type.Name == "Bundle" {
		f.bundle = newBundle(e, f.bundle)
	}
	r.frame = f
}

func (r *run) leave() { r.frame = r.frame.outer }

// inFrameOf runs a check on another resource, found by reference.
func (r *run) inFrameOf(e *fhir.Element, check func()) {
	outer, path := r.frame, r.path
	f := &frame{resource: e, container: e, outer: outer, local: &locals{}}
	if outer != nil {
		f.bundle = outer.bundle
		if id := e.ID(); id != "" && outer.local.contained(outer.container, id) == e {
			f.container, f.local = outer.container, outer.local
		}
		if f.bundle != nil {
			f.fullURL = f.bundle.urls[e]
		}
	}
	r.frame, r.path = f, append(path[:len(path):len(path)], step{e, -1})
	check()
	r.frame, r.path = outer, path
}

// claimed checks a resource against a profile it names in meta.profile.
func (r *run) claimed(e, canonical *fhir.Element) {
	if canonical.Value == "" {
		return
	}
	if _, ok := r.v.profile(canonical.Value); !ok {
		r.push(e.Get("meta"), -1)
		r.push(canonical, r.indexOf(canonical))
		r.warn(fhir.NotFound, "meta-profile-unknown", fhir.Messagef(
			"The profile %s was not checked: it is not known", "プロファイル %s は手元にないため検査していません", canonical.Value))
		r.pop()
		r.pop()
		return
	}
	r.against(e, canonical.Value)
}

// contents checks what holds for all resources: contained ones, narrative, ids.
func (r *run) contents(e *fhir.Element, p placement) {
	r.uniqueIDs(e)
	if p.slot == "contained" {
		r.asContained(e)
		return
	}
	r.uniqueContained(e)
	if isA(e.Type.Name, "DomainResource") && e.Get("text", "div") == nil {
		r.warn(fhir.Invariant, "dom-6", fhir.Messagef(
			"A resource should have narrative for robust management", "リソースには説明文(narrative)を付けることが推奨されます"))
	}
}

// asContained checks a contained resource. https://hl7.org/fhir/R4/references.html#contained
func (r *run) asContained(e *fhir.Element) {
	if e.Get("contained") != nil {
		r.fail(fhir.Invariant, "dom-2", fhir.Messagef(
			"A contained resource must not contain others", "contained の中に contained を置くことはできません"))
	}
	if e.Text("meta", "versionId") != "" || e.Text("meta", "lastUpdated") != "" {
		r.fail(fhir.Invariant, "dom-4", fhir.Messagef(
			"A contained resource must not have meta.versionId or meta.lastUpdated", "contained リソースは meta.versionId と meta.lastUpdated を持てません"))
	}
	if e.Get("meta", "security") != nil {
		r.fail(fhir.Invariant, "dom-5", fhir.Messagef(
			"A contained resource must not have a security label", "contained リソースはセキュリティラベルを持てません"))
	}
	id := e.ID()
	if id == "" {
		r.fail(fhir.Required, "contained-id", fhir.Messagef(
			"A contained resource needs an id", "contained リソースには id が必要です"))
		return
	}
	if !r.frame.local.mentions(r.frame.container, e, "#"+id) {
		r.fail(fhir.Invariant, "dom-3", fhir.Messagef(
			"The contained resource '%s' is not referred to", "contained リソース '%s' はどこからも参照されていません", id))
	}
}

// uniqueContained checks that contained resources have different ids.
func (r *run) uniqueContained(e *fhir.Element) {
	var seen map[string]bool
	for c := range e.All("contained") {
		id := c.ID()
		if seen[id] && id != "" {
			r.failAt(c, fhir.Duplicate, "contained-duplicate", fhir.Messagef(
				"Two contained resources have the id '%s'", "id '%s' の contained リソースが二つあります", id))
		}
		if seen == nil {
			seen = map[string]bool{}
		}
		seen[id] = true
	}
}

// uniqueIDs checks that no two elements of a resource have the same id.
// https://hl7.org/fhir/R4/element-definitions.html#Element.id
func (r *run) uniqueIDs(e *fhir.Element) {
	if e.Type.Name == "StructureDefinition" {
		return // snapshot and differential share the ids of their elements
	}
	var seen map[string]bool
	e.Walk(func(c *fhir.Element) bool {
		if c != e && c.ResourceType() != "" {
			return false
		}
		for _, id := range c.Children {
			if id.Name != "id" || c == e || id.Value == "" {
				continue
			}
			if seen[id.Value] {
				r.fail(fhir.Duplicate, "element-id-duplicate", fhir.Messagef(
					"Two elements have the id '%s'", "id '%s' の要素が二つあります", fhir.Clip(id.Value)))
			}
			if seen == nil {
				seen = map[string]bool{}
			}
			seen[id.Value] = true
		}
		return true
	})
}

// contained finds a contained resource of the container by its id.
func (r *run) contained(id string) *fhir.Element {
	if r.frame == nil {
		return nil
	}
	return r.frame.local.contained(r.frame.container, id)
}

// cutFragment returns the id in "#id".
func cutFragment(reference string) (id string, ok bool) { return strings.CutPrefix(reference, "#") }

// special checks what single resource types ask.
func (r *run) special(e *fhir.Element) {
	switch e.Type.Name {
	case "Bundle":
		r.bundle(e)
	case "Questionnaire":
		r.questionnaire(e)
	case "QuestionnaireResponse":
		r.questionnaireResponse(e)
	case "Observation":
		r.vitalSign(e)
	case "StructureDefinition":
		r.derivation(e)
	}
}

// derivation checks that a profile does not derive from itself.
// https://hl7.org/fhir/R4/structuredefinition-definitions.html#StructureDefinition.baseDefinition
func (r *run) derivation(e *fhir.Element) {
	url, seen := e.Text("url"), map[string]bool{}
	for base := e.Text("baseDefinition"); base != "" && !seen[base]; {
		if seen[base] = true; strings.HasPrefix(base+"|", url+"|") {
			r.failAt(e.Get("baseDefinition"), fhir.Invalid, "profile-circular", fhir.Messagef(
				"The structure derives from itself", "自身を継承しています"))
			return
		}
		sd, ok := r.v.catalog.structure(base)
		if !ok {
			return
		}
		base = sd.Text("baseDefinition")
	}
}
