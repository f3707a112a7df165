package fhirpath

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// resolve finds the targets of references, canonicals and URIs: contained in
// the resource, in an entry of the Bundle, or where Env.Resolve knows. What is
// not found is left out.
// https://hl7.org/fhir/R4/fhirpath.html#fn-resolve
func resolve(ev *evaluation, _ *call, in, dst Collection) (Collection, error) {
	for _, v := range in {
		reference, ok := referenceOf(v)
		if !ok || reference == "" {
			continue
		}
		if err := ev.step(1); err != nil {
			return dst, err
		}
		if e := ev.target(reference); e != nil {
			dst = append(dst, Node{e})
		}
	}
	return dst, nil
}

func referenceOf(v Value) (string, bool) {
	if n, ok := v.(Node); ok && n.Element != nil && n.Type != nil && n.Type.Name == "Reference" {
		return n.Text("reference"), true
	}
	return text(v)
}

func (ev *evaluation) target(reference string) *fhir.Element {
	var focus *fhir.Element
	if n, ok := ev.focus.(Node); ok && n.ResourceType() != "" {
		focus = n.Element
	}
	for _, holder := range [...]*fhir.Element{ev.env.Resource, ev.env.RootResource, focus} {
		if holder == nil {
			continue
		}
		if id, local := strings.CutPrefix(reference, "#"); local {
			if e := containedIn(holder, id); e != nil {
				return e
			}
			continue
		}
		if holder.ResourceType() == "Bundle" {
			if e := entryOf(holder, reference); e != nil {
				return e
			}
		}
	}
	if ev.env.Resolve == nil || strings.HasPrefix(reference, "#") {
		return nil
	}
	if e, ok := ev.env.Resolve(reference); ok {
		return e
	}
	return nil
}

// containedIn finds a contained resource; "#" alone is the container.
// https://hl7.org/fhir/R4/references.html#contained
func containedIn(holder *fhir.Element, id string) *fhir.Element {
	if id == "" {
		return holder
	}
	for e := range holder.All("contained") {
		if e.ID() == id {
			return e
		}
	}
	return nil
}

// entryOf finds the resource of an entry by its fullUrl; a relative reference
// matches the end of a RESTful one.
// https://hl7.org/fhir/R4/bundle.html#references
func entryOf(bundle *fhir.Element, reference string) *fhir.Element {
	reference, _, _ = strings.Cut(reference, "/_history/")
	relative := strings.Count(reference, "/") == 1
	for entry := range bundle.All("entry") {
		url := entry.Text("fullUrl")
		if url == reference || relative && strings.HasPrefix(url, "http") && strings.HasSuffix(url, "/"+reference) {
			if e := entry.Get("resource"); e != nil {
				return e
			}
		}
	}
	return nil
}
