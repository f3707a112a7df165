package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// document checks a document bundle: what its Composition refers to is there,
// and every entry has to do with it.
// https://hl7.org/fhir/R4/documents.html
func (r *run) document(b *bundle) {
	if len(b.entries) == 0 || b.entries[0].resource.ResourceType() != "Composition" {
		return // bdl-11 says so
	}
	first := b.entries[0]
	r.push(first.entry, 0)
	r.push(first.resource, -1)
	r.mentioned(b, first)
	r.pop()
	r.pop()
	r.reachable(b, fhir.Error)
}

// message checks a message bundle. https://hl7.org/fhir/R4/messaging.html
func (r *run) message(b *bundle) {
	if len(b.entries) > 0 && b.entries[0].resource.ResourceType() == "MessageHeader" {
		r.reachable(b, fhir.Warning)
	}
}

// mentioned checks that each reference of the Composition has its target in
// the document.
func (r *run) mentioned(b *bundle, k bundleEntry) {
	r.eachReference(k.resource, func(ref *fhir.Element) {
		text := ref.Text("reference")
		if text == "" || strings.HasPrefix(text, "#") || len(b.find(text, k.fullURL)) > 0 {
			return
		}
		r.fail(fhir.NotFound, "document-reference", fhir.Messagef(
			"The document does not hold the target of this reference", "文書の中に参照先がありません"))
	})
}

// eachReference visits the References below the element the run stands on,
// the run standing on each, contained resources left out.
func (r *run) eachReference(e *fhir.Element, visit func(*fhir.Element)) {
	name, index := "", 0
	for _, c := range e.Children {
		if c.Name != name {
			name, index = c.Name, 0
		} else {
			index++
		}
		if c.Type == nil || c.Name == "contained" || c.Value != "" {
			continue
		}
		r.push(c, index)
		if c.Type.Name == "Reference" {
			visit(c)
		} else {
			r.eachReference(c, visit)
		}
		r.pop()
	}
}

// reachable reports the entries that no chain of references joins to the
// first one, in either direction.
func (r *run) reachable(b *bundle, sev fhir.Severity) {
	reached := b.joined()
	for i, k := range b.entries {
		if k.resource == nil || reached[i] {
			continue
		}
		r.push(k.entry, i)
		r.report(sev, fhir.Informational, "bundle-entry-unreachable", fhir.Messagef(
			"No reference joins this entry to the first one", "このエントリは先頭のエントリから参照でたどれません"))
		r.pop()
	}
}

// joined tells which entries references join to the first one.
func (b *bundle) joined() []bool {
	at := map[*fhir.Element]int{}
	for i, k := range b.entries {
		if k.resource != nil {
			at[k.resource] = i
		}
	}
	links := make([][]int, len(b.entries))
	for i, k := range b.entries {
		for _, text := range referencesIn(k.resource) {
			for _, target := range b.find(text, k.fullURL) {
				if j, ok := at[target]; ok {
					links[i] = append(links[i], j)
					links[j] = append(links[j], i)
				}
			}
		}
	}
	reached := make([]bool, len(b.entries))
	reached[0] = true
	for queue := []int{0}; len(queue) > 0; queue = queue[1:] {
		for _, j := range links[queue[0]] {
			if !reached[j] {
				reached[j] = true
				queue = append(queue, j)
			}
		}
	}
	return reached
}

// referencesIn lists the references and URIs in a resource.
func referencesIn(e *fhir.Element) []string {
	var out []string
	e.Walk(func(c *fhir.Element) bool {
		if c.Value != "" && c.Type != nil && (c.Name == "reference" || isURI(c.Type.Name)) && !strings.HasPrefix(c.Value, "#") {
			out = append(out, c.Value)
		}
		return true
	})
	return out
}
