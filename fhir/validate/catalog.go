package validate

import (
	"slices"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// coreURL is where R4 keeps its own StructureDefinitions.
const coreURL = "http://hl7.org/fhir/StructureDefinition/"

// catalog finds definitions by canonical: given ones first, then those of R4.
type catalog struct {
	byURL map[string][]*fhir.Element // "url" and "url|version", newest last
	bad   fhir.Issues
	lines recentOutlines
}

func newCatalog(resources []*fhir.Element) *catalog {
	c := &catalog{byURL: map[string][]*fhir.Element{}}
	for _, r := range resources {
		c.take(r)
	}
	return c
}

func (c *catalog) take(r *fhir.Element) {
	url := r.Text("url")
	if r.ResourceType() == "StructureDefinition" && (url == "" || r.Text("type") == "") {
		c.bad = append(c.bad, fhir.Issue{Severity: fhir.Error, Code: fhir.Invalid, ID: "definition-unusable",
			Message: fhir.Messagef("StructureDefinition '%s' has no url or no type",
				"StructureDefinition '%s' に url または type がありません", r.ID())})
		return
	}
	if url == "" {
		return
	}
	c.byURL[url] = append(c.byURL[url], r)
	if v := r.Text("version"); v != "" {
		c.byURL[url+"|"+v] = append(c.byURL[url+"|"+v], r)
	}
}

func (c *catalog) problems() error {
	if len(c.bad) == 0 {
		return nil
	}
	return c.bad
}

// find returns the resource of a canonical: the given one of just that
// version, the newest given one, or that of R4.
func (c *catalog) find(canonical string) (*fhir.Element, bool) {
	if list := c.byURL[canonical]; len(list) > 0 {
		return list[len(list)-1], true
	}
	url, version, _ := strings.Cut(canonical, "|")
	if list := c.byURL[url]; len(list) > 0 && version == "" {
		return list[len(list)-1], true
	}
	data, ok := r4.Conformance(url)
	if !ok {
		list := c.byURL[url]
		if len(list) == 0 {
			return nil, false
		}
		return list[len(list)-1], true
	}
	r, err := fhirjson.Decode(data, fhirjson.Options{MaxBytes: len(data) + 1})
	return r, err == nil
}

// has tells whether a canonical is one of a resource type, without decoding
// it: canonicals in resources may name anything.
func (c *catalog) has(kind, canonical string) bool {
	url, _, _ := strings.Cut(canonical, "|")
	for _, key := range []string{canonical, url} {
		if list := c.byURL[key]; len(list) > 0 {
			return list[len(list)-1].ResourceType() == kind
		}
	}
	_, ok := slices.BinarySearch(r4.ConformanceURLs(kind), url)
	return ok
}

// structure finds a StructureDefinition.
func (c *catalog) structure(canonical string) (*fhir.Element, bool) {
	if !c.has("StructureDefinition", canonical) {
		return nil, false
	}
	sd, ok := c.find(canonical)
	if !ok || sd.ResourceType() != "StructureDefinition" {
		return nil, false
	}
	return sd, true
}

// recentOutlines keeps the outlines used last: a package of profiles builds
// on few base definitions, and outlines are large.
type recentOutlines struct {
	mu   sync.Mutex
	kept []namedOutline
}

type namedOutline struct {
	canonical string
	root      *outline
}

const maxOutlines = 12

func (l *recentOutlines) get(canonical string) (*outline, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, k := range l.kept {
		if k.canonical == canonical {
			copy(l.kept[1:i+1], l.kept[:i])
			l.kept[0] = k
			return k.root, true
		}
	}
	return nil, false
}

func (l *recentOutlines) put(canonical string, root *outline) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.kept) >= maxOutlines {
		l.kept = l.kept[:maxOutlines-1]
	}
	l.kept = append([]namedOutline{{canonical, root}}, l.kept...)
}
