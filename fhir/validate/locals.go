package validate

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// locals answers questions about the inside of a container, gathered in one
// walk each, so that hostile resources cannot make them expensive.
type locals struct {
	byID  map[string]*fhir.Element // contained resources, the first of each id
	refs  map[string]int           // how often "#…" is referred to, anywhere
	ids   map[string]bool          // every id
	ready bool
}

func (l *locals) gather(container *fhir.Element) {
	if l.ready {
		return
	}
	*l = locals{byID: map[string]*fhir.Element{}, refs: map[string]int{}, ids: map[string]bool{}, ready: true}
	for c := range container.All("contained") {
		if id := c.ID(); l.byID[id] == nil {
			l.byID[id] = c
		}
	}
	container.Walk(func(c *fhir.Element) bool {
		if c.Name == "id" {
			l.ids[c.Value] = true
		}
		if isLocalReference(c) {
			l.refs[c.Value]++
		}
		return true
	})
}

func (l *locals) contained(container *fhir.Element, id string) *fhir.Element {
	if container.Get("contained") == nil {
		return nil
	}
	l.gather(container)
	return l.byID[id]
}

// mentions tells whether anything outside of a contained resource refers to
// it, or it refers to its container.
func (l *locals) mentions(container, contained *fhir.Element, reference string) bool {
	l.gather(container)
	inside, back := 0, false
	contained.Walk(func(c *fhir.Element) bool {
		if isLocalReference(c) {
			if c.Value == reference {
				inside++
			}
			back = back || c.Value == "#"
		}
		return true
	})
	return back || l.refs[reference] > inside
}

// isLocalReference tells whether an element holds "#…" as a reference,
// canonical, uri or url.
func isLocalReference(c *fhir.Element) bool {
	return strings.HasPrefix(c.Value, "#") && c.Type != nil && (c.Name == "reference" || isURI(c.Type.Name))
}

func isURI(typeName string) bool {
	return typeName == "canonical" || typeName == "uri" || typeName == "url"
}
