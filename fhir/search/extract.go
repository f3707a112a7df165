package search

import (
	"errors"
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirpath"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// extraction reads the search values of one resource. It keeps its slices
// between uses.
type extraction struct {
	r    *Registry
	root *fhir.Element
	// container is the resource that contains root, nil for most.
	container *fhir.Element

	nodes      []*fhir.Element
	partNodes  []*fhir.Element // of a part of a composite
	parts      []keys
	groups     []int
	size       int // of the last resource's keys: a guess for the next
	tokenItems []tokenItem
	strItems   []stringItem
	uriItems   []uriItem
	refItems   []referenceItem
	dateItems  []dateItem
	numItems   []numberItem
	qtyItems   []quantityItem
}

func (x *extraction) base() string         { return x.r.opts.BaseURL }
func (x *extraction) zone() *time.Location { return x.r.opts.Zone }
func (x *extraction) units() *units        { return x.r.units }

// outermost is the resource that is in no other.
func (x *extraction) outermost() *fhir.Element {
	if x.container != nil {
		return x.container
	}
	return x.root
}

// systemOf returns the system a code element implies.
func (x *extraction) systemOf(e *fhir.Element) string {
	if e.Def == nil {
		return ""
	}
	return x.r.systems.of(e.Def.Binding, e.Value)
}

// extract begins work on a resource; release ends it.
func (r *Registry) extract(resource *fhir.Element) *extraction {
	x := r.scratch.Get().(*extraction)
	x.root = resource
	return x
}

func (x *extraction) release() {
	x.root, x.container = nil, nil
	clear(x.nodes[:cap(x.nodes)])
	clear(x.partNodes[:cap(x.partNodes)])
	x.r.scratch.Put(x)
}

var errNoResource = errors.New("search: the element is not a resource")

// Keys returns the index keys of a resource, sorted, without duplicates. A
// key is the parameter's code, 0x00, a kind byte and bytes that sort as the
// value does; those of contained resources are wrapped (see ContainedKeys).
// Engines store keys as they are and never look inside.
func (r *Registry) Keys(resource *fhir.Element) ([][]byte, error) {
	t := r.table(resource.ResourceType())
	if t == nil {
		return nil, errNoResource
	}
	x := r.extract(resource)
	defer x.release()
	k := &keys{buf: make([]byte, 0, max(1024, x.size+x.size/8)), ends: make([]int, 0, 64)}
	x.groups = x.groups[:0]
	for _, b := range t.params {
		x.groups = append(x.groups, len(k.ends))
		x.parameterKeys(k, b)
	}
	if resource.Get("contained") != nil {
		x.containedKeys(k)
		x.groups = append(x.groups[:0], 0) // their place is among the others
	}
	x.size = len(k.buf)
	return k.sorted(x.groups), nil
}

// parameterKeys adds the keys of a parameter, or the mark that it has a value
// of which there are none.
func (x *extraction) parameterKeys(k *keys, b *bound) {
	if fullText(b.Code) {
		x.fullTextKeys(k, b.Code)
		return
	}
	if b.Parameter == x.r.typeParam {
		k.prefix = append(append(k.prefix[:0], b.Code...), 0)
		it := tokenItem{code: x.root.ResourceType()}
		it.keys(k)
		return
	}
	x.nodes = b.path.eval(x.nodes[:0], x.root, x)
	if len(x.nodes) == 0 {
		return
	}
	k.prefix = append(append(k.prefix[:0], b.Code...), 0)
	before := len(k.ends)
	for _, e := range x.nodes {
		if b.Type == "composite" {
			x.compositeKeys(k, b, e)
		} else {
			x.keysOf(k, b, e)
		}
	}
	if len(k.ends) == before && b.Type != "composite" && (b.Type != "special" || isNear(b.Parameter)) && anyPresent(x.nodes) {
		k.begin(kindPresent)
		k.end()
	}
}

// keysOf adds the keys of one element.
func (x *extraction) keysOf(k *keys, b *bound, e *fhir.Element) {
	if e.Type == nil {
		return
	}
	switch b.Type {
	case "token":
		x.tokenItems = x.tokens(x.tokenItems[:0], e)
		for i := range x.tokenItems {
			x.tokenItems[i].keys(k)
		}
	case "string":
		x.strItems = x.strings(x.strItems[:0], e)
		for i := range x.strItems {
			x.strItems[i].keys(k)
		}
	case "reference":
		x.refItems = x.references(x.refItems[:0], e)
		for i := range x.refItems {
			x.refItems[i].keys(k)
		}
	case "date":
		x.dateItems = x.dates(x.dateItems[:0], e)
		for i := range x.dateItems {
			x.dateItems[i].keys(k)
		}
	case "number":
		x.numItems = x.numbers(x.numItems[:0], e)
		for i := range x.numItems {
			x.numItems[i].keys(k)
		}
	case "quantity":
		x.qtyItems = x.quantities(x.qtyItems[:0], e)
		for i := range x.qtyItems {
			x.qtyItems[i].keys(k)
		}
	case "uri":
		x.uriItems = x.uris(x.uriItems[:0], e)
		for i := range x.uriItems {
			x.uriItems[i].keys(k)
		}
	case "special":
		if isNear(b.Parameter) {
			for _, p := range x.places(nil, e) {
				p.keys(k)
			}
		}
	}
}

// anyPresent reports whether an element has a value, and not only an id or
// extensions that say why it has none.
func anyPresent(nodes []*fhir.Element) bool {
	for _, e := range nodes {
		if e.Kind != fhir.None {
			return true
		}
		for _, c := range e.Children {
			if c.Name != "id" && c.Name != "extension" {
				return true
			}
		}
	}
	return false
}

// evaluate runs an expression that the walker cannot read. References resolve
// to an empty resource of their type: an index must not depend on others. Where
// the expression fails on a resource, as that of a custom parameter may, the
// parameter has no value there: it must not keep the resource from being stored.
func (x *extraction) evaluate(dst []*fhir.Element, general *fhirpath.Expression, focus *fhir.Element) []*fhir.Element {
	env := &fhirpath.Env{Resource: x.root, RootResource: x.outermost(), Resolve: x.resolveType}
	found, err := general.Evaluate(env, focus)
	if err != nil {
		return dst
	}
	for _, v := range found {
		if e := asElement(v); e != nil {
			dst = append(dst, e)
		}
	}
	return dst
}

func (x *extraction) resolveType(reference string) (*fhir.Element, bool) {
	ref, _, ok := parseLocal(x.base(), reference)
	if !ok {
		return nil, false
	}
	t, ok := r4.TypeByName(ref.Type)
	return &fhir.Element{Type: t}, ok
}

// asElement makes a System value an element of the primitive type that is
// closest; a quantity and the like are no results of search expressions.
func asElement(v fhirpath.Value) *fhir.Element {
	name := ""
	switch v := v.(type) {
	case fhirpath.Node:
		return v.Element
	case fhirpath.Boolean:
		name = "boolean"
	case fhirpath.String:
		name = "string"
	case fhirpath.Integer:
		name = "integer"
	case *fhirpath.Decimal:
		name = "decimal"
	case *fhirpath.Date, *fhirpath.DateTime:
		name = "dateTime"
	default:
		return nil
	}
	t, ok := r4.TypeByName(name)
	if !ok {
		return nil
	}
	e := &fhir.Element{Type: t, Offset: -1}
	e.SetValue(v.String())
	return e
}

// elementMatches compares one element with a value, without keys.
func (x *extraction) elementMatches(b *bound, e *fhir.Element, v *Value, m Modifier) bool {
	if e.Type == nil {
		return false
	}
	switch b.Type {
	case "token":
		return anyItem(x.tokens(nil, e), func(it *tokenItem) bool { return it.matches(v, m) })
	case "string":
		return anyItem(x.strings(nil, e), func(it *stringItem) bool { return it.matches(v, m) })
	case "reference":
		return anyItem(x.references(nil, e), func(it *referenceItem) bool { return it.matches(v, m) })
	case "date":
		return anyItem(x.dates(nil, e), func(it *dateItem) bool { return it.matches(v) })
	case "number":
		w := v.wanted()
		return anyItem(x.numbers(nil, e), func(it *numberItem) bool { return it.matches(&w) })
	case "quantity":
		return anyItem(x.quantities(nil, e), func(it *quantityItem) bool { return it.matches(v) })
	case "uri":
		return anyItem(x.uris(nil, e), func(it *uriItem) bool { return it.matches(v, m) })
	case "composite":
		return x.compositeMatches(b, e, v)
	case "special":
		return v.Near != nil && slices.ContainsFunc(x.places(nil, e), v.Near.contains)
	}
	return false
}

func anyItem[T any](items []T, ok func(*T) bool) bool {
	for i := range items {
		if ok(&items[i]) {
			return true
		}
	}
	return false
}
