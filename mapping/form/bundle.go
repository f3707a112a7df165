package form

import (
	"net/url"
	"strings"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Ref points to a resource of the transaction.
type Ref struct {
	URN     string // fullUrl
	Display string // name of an organisation; never of a person
}

// Bundle builds a transaction whose entries are known by business identifiers,
// so that the same file sent again updates what it made before.
// https://hl7.org/fhir/R4/http.html#transaction
type Bundle struct {
	newID   func() string
	root    *fhir.Element
	entries map[string]*entry
}

type entry struct {
	ref      Ref
	resource *fhir.Element
	request  *fhir.Element
}

// NewBundle returns an empty transaction made at that time; the zero time says
// nothing. newID gives a fresh UUID, without the "urn:uuid:".
func NewBundle(newID func() string, now time.Time) *Bundle {
	root := fhir.NewResource("Bundle")
	root.Set("type", "transaction")
	if !now.IsZero() {
		root.Set("timestamp", now.Format(time.RFC3339))
	}
	return &Bundle{newID: newID, root: root, entries: map[string]*entry{}}
}

// Resource returns the transaction, nil while it is empty.
func (b *Bundle) Resource() *fhir.Element {
	if len(b.entries) == 0 {
		return nil
	}
	return b.root
}

// NewID returns a fresh UUID.
func (b *Bundle) NewID() string { return b.newID() }

// NewURN returns a fresh urn:uuid.
func (b *Bundle) NewURN() string { return "urn:uuid:" + b.newID() }

// Find returns the reference of an entry that is already in the transaction.
func (b *Bundle) Find(resourceType, system, value string) (Ref, *fhir.Element, bool) {
	e, ok := b.entries[key(resourceType, system, value)]
	if !ok {
		return Ref{}, nil, false
	}
	return e.ref, e.resource, true
}

// Create adds a resource that is to be created unless one with its identifier
// exists. What is in the transaction already stays as it is.
func (b *Bundle) Create(resource *fhir.Element, system, value, display string) Ref {
	k := key(resource.ResourceType(), system, value)
	if e, ok := b.entries[k]; ok {
		return e.ref
	}
	e := b.add(k, resource, display)
	e.request.Set("method", "POST").Set("url", resource.ResourceType()).Set("ifNoneExist", Query(system, value))
	return e.ref
}

// Put adds a resource that is to be created or, where one with its identifier
// exists, updated. It replaces an entry that Create made for the same
// identifier.
func (b *Bundle) Put(resource *fhir.Element, system, value, display string) Ref {
	k := key(resource.ResourceType(), system, value)
	e, ok := b.entries[k]
	if ok {
		*e.resource = *withSlot(resource, e.resource)
		e.request.Remove("ifNoneExist")
	} else {
		e = b.add(k, resource, display)
	}
	e.request.Set("method", "PUT").Set("url", resource.ResourceType()+"?"+Query(system, value))
	return e.ref
}

// withSlot gives resource the place in the tree that old has.
func withSlot(resource, old *fhir.Element) *fhir.Element {
	resource.Name, resource.Def, resource.List = old.Name, old.Def, old.List
	return resource
}

func (b *Bundle) add(k string, resource *fhir.Element, display string) *entry {
	el := b.root.Add("entry")
	e := &entry{ref: Ref{URN: b.NewURN(), Display: display}, resource: resource}
	el.Set("fullUrl", e.ref.URN)
	el.AddResource("resource", resource)
	e.request = el.Add("request")
	b.entries[k] = e
	return e
}

func key(resourceType, system, value string) string {
	return resourceType + "\x00" + system + "\x00" + value
}

var tokenEscape = strings.NewReplacer(`\`, `\\`, `|`, `\|`, `,`, `\,`, `$`, `\$`)

// Query is the search that finds a resource by its identifier.
// https://hl7.org/fhir/R4/search.html#escaping
func Query(system, value string) string {
	escaped := strings.ReplaceAll(url.QueryEscape(tokenEscape.Replace(value)), "%3A", ":")
	return "identifier=" + system + "|" + escaped
}
