package terminology

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// Memory is a Service that answers from the resources of R4 and those it was
// given. Resources are taken apart on first use and kept; nothing grows with
// the number of questions.
type Memory struct {
	resources map[resourceName][]*fhir.Element // given ones, newest last
	maps      []string                         // URLs of all concept maps
	whole     map[string]string                // code system by its CodeSystem.valueSet
	limit     int
	// fresh, of a Memory made by With, tells what it holds differently from the
	// one it was made of.
	fresh map[resourceName]bool

	systems shelf[*codeSystem]
	sets    shelf[*valueSet]
	mapped  shelf[*conceptMap]
}

// resourceName is what a resource is held by; kind is its type or "supplement",
// with the code system it adds to as canonical.
type resourceName struct{ kind, canonical string }

// Config describes a Memory.
type Config struct {
	// Resources adds CodeSystem, ValueSet and ConceptMap resources; others are
	// passed over. They win over those of R4 with the same canonical. They
	// must not be changed afterwards.
	Resources []*fhir.Element
	// Limit is the largest expansion in codes; default 20000.
	Limit int
}

const defaultLimit = 20000

var _ Service = (*Memory)(nil)

// New returns a Memory. It reads no resource before a question needs it.
func New(cfg Config) *Memory {
	m := &Memory{resources: map[resourceName][]*fhir.Element{}, whole: map[string]string{}, limit: cfg.Limit}
	if m.limit <= 0 {
		m.limit = defaultLimit
	}
	m.maps = append(m.maps, r4.ConformanceURLs("ConceptMap")...)
	for _, r := range cfg.Resources {
		m.take(r)
	}
	m.systems.load = m.loadSystem
	m.sets.load = func(url string) (*valueSet, bool) { return load(m, "ValueSet", url, newValueSet) }
	m.mapped.load = func(url string) (*conceptMap, bool) { return load(m, "ConceptMap", url, newConceptMap) }
	return m
}

// With returns a Memory that knows these resources as well. Those that m was
// given win over them, those of R4 do not. It is cheap: what is not concerned is
// taken apart once, for both.
func (m *Memory) With(resources ...*fhir.Element) *Memory {
	if len(resources) == 0 {
		return m
	}
	own := New(Config{Resources: resources, Limit: m.limit})
	n := &Memory{resources: maps.Clone(m.resources), whole: maps.Clone(m.whole), limit: m.limit, fresh: map[resourceName]bool{}}
	n.maps = slices.Clone(m.maps)
	for _, url := range own.maps {
		if !slices.Contains(m.maps, url) {
			n.maps = append(n.maps, url)
		}
	}
	for key, list := range own.resources {
		n.resources[key] = slices.Concat(list, m.resources[key])
		n.fresh[key] = true
	}
	for set, system := range own.whole {
		if _, ok := n.whole[set]; !ok {
			n.whole[set] = system
		}
	}
	n.systems.load = func(url string) (*codeSystem, bool) {
		if system, _ := cutVersion(url); n.fresh[resourceName{"CodeSystem", url}] || n.fresh[resourceName{"supplement", system}] {
			return n.loadSystem(url)
		}
		return m.systems.get(url)
	}
	n.sets.load = shared(n, "ValueSet", &m.sets, newValueSet)
	n.mapped.load = shared(n, "ConceptMap", &m.mapped, newConceptMap)
	return n
}

// shared loads what is fresh in n itself, all else from the shelf below.
func shared[T any](n *Memory, kind string, below *shelf[T], read func(*fhir.Element) T) func(string) (T, bool) {
	return func(url string) (T, bool) {
		if n.fresh[resourceName{kind, url}] {
			return load(n, kind, url, read)
		}
		return below.get(url)
	}
}

// take indexes a given resource by its canonical, and a supplement by the
// code system it adds to.
func (m *Memory) take(r *fhir.Element) {
	kind, url := r.ResourceType(), r.Text("url")
	switch {
	case url == "":
		return
	case kind == "CodeSystem" && r.Text("content") == "supplement":
		system, _ := cutVersion(r.Text("supplements"))
		kind, url = "supplement", system
	case kind == "ConceptMap" && !slices.Contains(m.maps, url):
		m.maps = append(m.maps, url)
	case kind == "CodeSystem" && r.Text("valueSet") != "":
		set, _ := cutVersion(r.Text("valueSet"))
		m.whole[set] = url
	}
	key := resourceName{kind, url}
	m.resources[key] = append(m.resources[key], r)
	if v := r.Text("version"); v != "" {
		key.canonical += "|" + v
		m.resources[key] = append(m.resources[key], r)
	}
}

// held reduces a canonical to the one under which a resource is held: with
// its version where just that version was given, without in all other cases.
func (m *Memory) held(kind, canonical string) string {
	if len(m.resources[resourceName{kind, canonical}]) > 0 {
		return canonical
	}
	url, _ := cutVersion(canonical)
	return url
}

func (m *Memory) system(canonical string) (*codeSystem, bool) {
	return m.systems.get(m.held("CodeSystem", canonical))
}

// resource finds the newest given resource, then the one of R4.
func (m *Memory) resource(kind, canonical string) (*fhir.Element, bool) {
	if list := m.resources[resourceName{kind, canonical}]; len(list) > 0 {
		return list[len(list)-1], true
	}
	// The kind is looked up first: a code system URL in a resource may name
	// anything, and decoding it to find out is not free.
	if _, ok := slices.BinarySearch(r4.ConformanceURLs(kind), canonical); !ok {
		return nil, false
	}
	data, ok := r4.Conformance(canonical)
	if !ok {
		return nil, false
	}
	r, err := fhirjson.Decode(data, fhirjson.Options{MaxBytes: len(data) + 1})
	if err != nil || r.ResourceType() != kind {
		return nil, false
	}
	return r, true
}

func load[T any](m *Memory, kind, canonical string, read func(*fhir.Element) T) (T, bool) {
	r, ok := m.resource(kind, canonical)
	if !ok {
		var none T
		return none, false
	}
	return read(r), true
}

// loadSystem reads a code system with all its supplements. A system without
// content is not held.
func (m *Memory) loadSystem(canonical string) (*codeSystem, bool) {
	cs, ok := load(m, "CodeSystem", canonical, newCodeSystem)
	if !ok || len(cs.concepts) == 0 {
		return nil, false
	}
	for _, s := range m.resources[resourceName{"supplement", cs.url}] {
		cs = cs.supplement(newCodeSystem(s))
	}
	return cs, true
}

// set finds the value set of a request.
func (m *Memory) set(canonical string, resource *fhir.Element) (*valueSet, error) {
	if resource != nil {
		return newValueSet(resource), nil
	}
	if vs, ok := m.sets.get(m.held("ValueSet", canonical)); ok {
		return vs, nil
	}
	if vs, ok := m.wholeSystem(canonical); ok {
		return vs, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknownValueSet, canonical)
}

// wholeSystem makes the value set of all codes that a given code system names
// in CodeSystem.valueSet.
func (m *Memory) wholeSystem(canonical string) (*valueSet, bool) {
	url, _ := cutVersion(canonical)
	system, ok := m.whole[url]
	return &valueSet{url: url, include: []clause{{system: system}}}, ok
}

// shelf keeps what was loaded, by held canonical. Absent ones are not
// remembered, so that questions about unknown canonicals cannot fill the memory.
type shelf[T any] struct {
	mu   sync.RWMutex
	kept map[string]T
	load func(canonical string) (T, bool)
}

func (h *shelf[T]) get(canonical string) (T, bool) {
	h.mu.RLock()
	v, ok := h.kept[canonical]
	h.mu.RUnlock()
	if ok {
		return v, true
	}
	v, ok = h.load(canonical)
	if !ok {
		return v, false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if first, ok := h.kept[canonical]; ok {
		return first, true
	}
	if h.kept == nil {
		h.kept = map[string]T{}
	}
	h.kept[canonical] = v
	return v, true
}
