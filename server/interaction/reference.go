package interaction

import (
	"context"
	"maps"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// localizer makes the references of one resource local: full URLs of entries
// of the same transaction and absolute URLs below the server's base become
// "Type/id", conditional references are resolved.
// https://hl7.org/fhir/R4/bundle.html#references
type localizer struct {
	ctx   context.Context //nolint:containedctx // lives for one call
	p     *plan
	local map[string]string
	root  string // of the entry's full URL: "https://example.org/fhir/", or ""
	err   error
}

func (p *plan) localize(ctx context.Context, st *step, content *fhir.Element) error {
	l := &localizer{ctx: ctx, p: p, local: p.local}
	if st.fullURL != "" && st.entry >= 0 {
		l.root = rootOf(st.fullURL)
	}
	l.resource(content)
	return l.err
}

// rootOf returns the base in a full URL of the form base/Type/id.
func rootOf(fullURL string) string {
	if !strings.HasPrefix(fullURL, "http://") && !strings.HasPrefix(fullURL, "https://") {
		return ""
	}
	parts := strings.Split(fullURL, "/")
	if n := len(parts); n > 4 && IsResourceType(parts[n-2]) {
		return strings.Join(parts[:n-2], "/") + "/"
	}
	return ""
}

func (l *localizer) resource(e *fhir.Element) {
	if e.ResourceType() == "Bundle" {
		// A Bundle kept as a resource is a world of its own: what it links
		// inside stays as it is, a document is not to be changed.
		own := maps.Clone(l.local)
		for entry := range e.All("entry") {
			delete(own, entry.Text("fullUrl"))
		}
		inner := *l
		inner.local, inner.root = own, ""
		inner.children(e)
		l.err = inner.err
		return
	}
	l.children(e)
}

func (l *localizer) children(e *fhir.Element) {
	for _, c := range e.Children {
		if l.err != nil {
			return
		}
		l.element(e, c)
	}
}

func (l *localizer) element(parent, e *fhir.Element) {
	switch {
	case e.ResourceType() != "":
		l.resource(e)
		return
	case e.Type == nil:
		return
	case e.Name == "reference" && parent.Type != nil && parent.Type.Name == "Reference":
		l.reference(e)
	case e.Name == "fullUrl":
		// names an entry, refers to nothing
	case isURI(e.Type.Name) && e.Value != "":
		if to, ok := l.local[e.Value]; ok {
			e.Value = to
		}
	case e.Type.Name == "xhtml":
		l.narrative(e)
	}
	l.children(e)
}

// isURI reports whether R4 has links of this type replaced in transactions;
// canonical is not among them.
func isURI(typeName string) bool {
	switch typeName {
	case "uri", "url", "oid", "uuid":
		return true
	}
	return false
}

func (l *localizer) reference(e *fhir.Element) {
	ref := e.Value
	if to, ok := l.local[ref]; ok {
		e.Value = to
		return
	}
	if l.root != "" {
		if to, ok := l.local[l.root+ref]; ok {
			e.Value = to
			return
		}
	}
	if rest, ok := strings.CutPrefix(ref, l.p.c.Base+"/"); ok && l.p.c.Base != "" {
		e.Value = rest
		return
	}
	if typ, query, ok := strings.Cut(ref, "?"); ok && l.p.transaction && IsResourceType(typ) {
		e.Value, l.err = l.p.conditionalReference(l.ctx, typ, query)
	}
}

// narrative replaces full URLs in the attributes of XHTML (href, src).
func (l *localizer) narrative(e *fhir.Element) {
	if !strings.Contains(e.Value, "href=") && !strings.Contains(e.Value, "src=") {
		return
	}
	for full, to := range l.local {
		for _, quote := range []string{`"`, `'`} {
			e.Value = strings.ReplaceAll(e.Value, "="+quote+full+quote, "="+quote+to+quote)
		}
	}
}

// localKey reads a literal reference to a resource of this server: "Type/id",
// with or without a version.
func localKey(reference string) (store.Key, bool) {
	typ, rest, ok := strings.Cut(reference, "/")
	id, version, versioned := strings.Cut(rest, "/")
	if !ok || !ValidID(id) || !IsResourceType(typ) || versioned && !strings.HasPrefix(version, "_history/") {
		return store.Key{}, false
	}
	return store.Key{Type: typ, ID: id}, true
}
