package interaction

import (
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// target is what the URL of a batch or transaction entry names.
type target struct {
	Type, ID, Version string
	History           bool
	Search            bool   // …/_search
	Metadata          bool   // metadata
	Operation         string // "$everything"
	Member            string // Patient/1/Observation: the type, or "*"
	Query             string
	HasQuery          bool
}

// parseTarget reads the URL of an entry, relative to the service base or
// absolute below it.
func parseTarget(base, raw string) (target, error) {
	path := raw
	if base != "" && (strings.HasPrefix(path, base+"/") || path == base) {
		path = path[len(base):]
	}
	path = strings.TrimPrefix(path, "/")
	var t target
	path, t.Query, t.HasQuery = strings.Cut(path, "?")
	if strings.ContainsAny(path, ":#") || strings.Contains(path, "//") {
		return t, badTarget()
	}
	parts := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if path == "" {
		t.Search = t.HasQuery
		return t, nil
	}
	if !t.read(parts) {
		return t, badTarget()
	}
	if t.Type != "" {
		if err := checkType(t.Type); err != nil {
			return t, err
		}
	}
	if t.ID != "" {
		return t, checkKey(t.key())
	}
	return t, nil
}

// read takes the segments of a path.
func (t *target) read(parts []string) bool {
	if t.last(parts) {
		return true
	}
	t.Type, parts = parts[0], parts[1:]
	if len(parts) == 0 || t.last(parts) {
		return true
	}
	t.ID, parts = parts[0], parts[1:]
	switch {
	case len(parts) == 0 || t.last(parts):
		return true
	case len(parts) == 2 && parts[0] == "_history":
		t.Version = parts[1]
		return true
	case len(parts) == 1:
		t.Member = parts[0]
		return t.Member == "*" || IsResourceType(t.Member)
	case len(parts) == 2 && parts[1] == "_search":
		t.Member, t.Search = parts[0], true
		return t.Member == "*" || IsResourceType(t.Member)
	}
	return false
}

// last reads a segment that ends a path at every level.
func (t *target) last(parts []string) bool {
	if len(parts) != 1 {
		return false
	}
	switch {
	case parts[0] == "_history":
		t.History = true
	case parts[0] == "_search":
		t.Search = true
	case parts[0] == "metadata" && t.Type == "":
		t.Metadata = true
	case strings.HasPrefix(parts[0], "$"):
		t.Operation = parts[0]
	default:
		return false
	}
	return true
}

func (t target) key() store.Key { return store.Key{Type: t.Type, ID: t.ID} }

func badTarget() *Refusal {
	return Refuse(BadRequest, fhir.Invalid, "url-invalid", fhir.Messagef(
		"the request URL names nothing on this server", "リクエストの URL がこのサーバーのものではありません"))
}
