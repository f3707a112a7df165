package search

import (
	"bytes"
	"slices"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// referenceItem is one reference found in a resource: local (Type and ID), or
// a URL, and the logical identifier beside it.
// https://hl7.org/fhir/R4/search.html#reference
type referenceItem struct {
	Reference
	version    string // of a version-specific local reference
	url        uriItem
	system     string // identifier
	value      string
	unresolved bool // to a contained resource, or only a display: not missing, but not found
}

// references appends the references of an element.
func (x *extraction) references(dst []referenceItem, e *fhir.Element) []referenceItem {
	it := referenceItem{}
	switch e.Type.Name {
	case "Reference":
		for _, c := range e.Children {
			switch c.Name {
			case "reference":
				it.point(x.base(), c.Value)
			case "identifier":
				it.system, it.value = clean(c.Text("system")), clean(c.Text("value"))
			case "display":
				it.unresolved = true
			}
		}
	case "canonical":
		if e.Value == "" {
			return dst
		}
		it.url = canonical(e.Value)
		if ref, version, ok := parseLocal(x.base(), it.url.url); ok && it.url.version == "" {
			it.Reference, it.version, it.url = ref, version, uriItem{}
		}
	default:
		if e.Kind == fhir.None {
			if e.ResourceType() != "" { // Bundle.entry[0].resource
				it.unresolved = true
				return append(dst, it)
			}
			return dst
		}
		it.point(x.base(), e.Value)
	}
	if it == (referenceItem{}) {
		return dst
	}
	return append(dst, it)
}

// point sets where the reference points.
func (it *referenceItem) point(base, s string) {
	s = clean(s)
	if ref, version, ok := parseLocal(base, s); ok {
		it.Reference, it.version = ref, version
		return
	}
	if s == "" || s[0] == '#' {
		it.unresolved = true
		return
	}
	it.url = uriItem{url: s}
}

// parseLocal reads Type/id or Type/id/_history/version, relative or below the
// server's own base.
func parseLocal(base, s string) (ref Reference, version string, ok bool) {
	if base != "" {
		if rest, own := strings.CutPrefix(s, base); own && strings.HasPrefix(rest, "/") {
			s = rest[1:]
		}
	}
	typ, rest, ok := strings.Cut(s, "/")
	if !ok || !isResourceType(typ) {
		return ref, "", false
	}
	id, history, versioned := strings.Cut(rest, "/")
	if !validID(id) {
		return ref, "", false
	}
	if versioned {
		version, ok = strings.CutPrefix(history, "_history/")
		if !ok || !validID(version) {
			return ref, "", false
		}
	}
	return Reference{typ, id}, version, true
}

func isResourceType(name string) bool {
	t, ok := r4.TypeByName(name)
	return ok && t.Kind == r4.Resource && !t.Abstract
}

// validID reports whether s is a FHIR id.
// https://hl7.org/fhir/R4/datatypes.html#id
func validID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.') {
			return false
		}
	}
	return true
}

func (it *referenceItem) keys(k *keys) {
	if it.Type != "" {
		k.begin(kindReference)
		k.text(it.ID).sep().text(it.Type).end()
		if it.version != "" {
			k.begin(kindVersioned)
			k.text(it.ID).sep().text(it.Type).sep().text(it.version).end()
		}
	}
	if it.url.url != "" {
		it.url.keys(k)
	}
	if !k.atoms && (it.system != "" || it.value != "") {
		k.begin(kindIdentifier)
		k.text(foldCode(it.value)).sep().text(it.system).end()
	}
}

func (it *referenceItem) matches(v *Value, m Modifier) bool {
	switch {
	case m == ModifierUnequal:
		return (it.Type != "" || it.url.url != "") && !it.matches(v, ModifierNone)
	case m == ModifierIdentifier:
		return (it.system != "" || it.value != "") && tokenMatches(it.system, it.value, v)
	case v.ID == "" && (m == ModifierBelow || m == ModifierAbove):
		return it.url.versionMatches(v, m)
	case v.ID == "":
		return it.url.url != "" && it.url.matches(v, ModifierNone)
	case v.URL != "": // a version was asked for
		return it.Type == v.Type && it.ID == v.ID && it.version == v.URL
	case v.Type == "":
		return it.Type != "" && it.ID == v.ID
	}
	return it.Type == v.Type && it.ID == v.ID
}

func referenceRanges(v *Value, m Modifier) []Range {
	if m == ModifierIdentifier {
		return tokenRanges(kindIdentifier, v, ModifierNone)
	}
	if m == ModifierUnequal {
		return othersThan(referenceRanges(v, ModifierNone), kindReference, kindURL)
	}
	if v.ID == "" {
		if m == ModifierBelow || m == ModifierAbove {
			return versionRanges(v, m)
		}
		return uriRanges(v, ModifierNone)
	}
	key := append(append([]byte{kindReference}, v.ID...), 0)
	switch {
	case v.URL != "":
		key[0] = kindVersioned
		key = append(append(key, v.Type...), 0)
		return []Range{exactly(append(key, v.URL...))}
	case v.Type == "":
		return []Range{startingWith(key)}
	}
	return []Range{exactly(append(key, v.Type...))}
}

// parseReference reads id, Type/id, Type/id/_history/version, url or
// url|version. With a version, Value.URL is that version.
func (r *Registry) parseReference(p *Parameter, raw string, typ string) (Value, string) {
	v := Value{Raw: unescape(raw)}
	if ref, version, ok := parseLocal(r.opts.BaseURL, v.Raw); ok {
		if typ != "" && typ != ref.Type {
			return v, "the type of the reference contradicts the modifier"
		}
		v.Type, v.ID, v.URL = ref.Type, ref.ID, version
		return v, ""
	}
	if validID(v.Raw) {
		v.ID, v.Type = v.Raw, typ
		if typ == "" && len(p.Target) == 1 {
			v.Type = p.Target[0]
		}
		return v, ""
	}
	if typ != "" || !strings.Contains(v.Raw, ":") {
		return v, "the value is not a reference"
	}
	v.URL = v.Raw
	return v, ""
}

// ReferenceKey returns the key under which a resource that refers by the
// parameter to a local resource is found; chains and includes are made of it.
func ReferenceKey(p *Parameter, targetType, targetID string) []byte {
	key := make([]byte, 0, len(p.Code)+len(targetType)+len(targetID)+3)
	key = append(append(key, p.Code...), 0, kindReference)
	key = append(append(key, targetID...), 0)
	return append(key, targetType...)
}

// References returns the local references ("Patient", "1") among the keys of
// a resource under a parameter; it is the reverse of ReferenceKey. The keys
// must be sorted, as Keys returns them.
func References(p *Parameter, keys [][]byte) []Reference {
	prefix := append(keyPrefix(p.Code), kindReference)
	from, _ := slices.BinarySearchFunc(keys, prefix, bytes.Compare)
	var refs []Reference
	for _, key := range keys[from:] {
		rest, ok := bytes.CutPrefix(key, prefix)
		if !ok {
			break
		}
		id, typ := field(rest)
		refs = append(refs, Reference{string(typ), string(id)})
	}
	return refs
}
