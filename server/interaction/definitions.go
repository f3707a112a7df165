package interaction

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Definitions are the definitions that are part of the server: those of R4, of
// its own operations and of the guide of long-term care. A read finds one where
// nothing is stored under its id, a search where url or _id names it. They have
// no versions and no history, and cannot be written. The bytes must not be
// changed.
type Definitions interface {
	// ByID finds one by resource type and id.
	ByID(resourceType, id string) (json []byte, ok bool)
	// ByURL finds one by resource type and canonical URL without a version.
	ByURL(resourceType, url string) (json []byte, ok bool)
	// Guide returns those of a type that are not of R4, which are few.
	Guide(resourceType string) []*fhir.Element
}

// builtIn returns the definition of the server under a key. Its Version is 0.
func (s *Service) builtIn(key store.Key) (store.Version, bool) {
	if s.cfg.Definitions == nil {
		return store.Version{}, false
	}
	json, ok := s.cfg.Definitions.ByID(key.Type, key.ID)
	return store.Version{Key: key, Time: s.started, JSON: json}, ok
}

// builtIns returns the definitions of the server that a search names by url or
// _id and that meet all its criteria, without those in whose place the caller
// sees a stored resource. They are in the order of type and id.
func (s *Service) builtIns(ctx context.Context, q search.Query) ([]store.Version, error) {
	var found []store.Version
	for _, typ := range q.Types {
		named, err := s.named(typ, q.Where)
		if err != nil {
			return nil, err
		}
		if named, err = s.notStored(ctx, typ, named, q); err != nil {
			return nil, err
		}
		found = append(found, named...)
	}
	return found, nil
}

// named returns the definitions of a type that the criteria name and that meet
// them.
func (s *Service) named(resourceType string, where []search.Clause) ([]store.Version, error) {
	at := slices.IndexFunc(where, names)
	if at < 0 || s.cfg.Definitions == nil {
		return nil, nil
	}
	var found []store.Version
	for i := range where[at].Values {
		v := &where[at].Values[i]
		json, ok := s.cfg.Definitions.ByID(resourceType, v.Code)
		if where[at].Param.Code == "url" {
			json, ok = s.cfg.Definitions.ByURL(resourceType, v.URL)
		}
		if !ok {
			continue
		}
		e, err := decodeStored(json)
		if err != nil {
			return nil, err
		}
		meets, err := s.Registry().Match(where, e, nobody{})
		if err != nil {
			return nil, err
		}
		if meets {
			found = append(found, store.Version{Key: store.Key{Type: resourceType, ID: e.ID()}, JSON: json})
		}
	}
	slices.SortFunc(found, func(a, b store.Version) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(found, func(a, b store.Version) bool { return a.ID == b.ID }), nil
}

// names reports whether a criterion names resources.
func names(c search.Clause) bool {
	return c.Param != nil && (c.Param.Code == "url" && c.Param.Type == "uri" || c.Param.Code == "_id") &&
		c.Modifier == search.ModifierNone && !c.Not && c.Chain == nil && len(c.Values) > 0
}

// notStored leaves out the definitions in whose place a resource is stored.
func (s *Service) notStored(ctx context.Context, resourceType string, list []store.Version, q search.Query) ([]store.Version, error) {
	if len(list) == 0 {
		return nil, nil
	}
	id, ok := s.Registry().Lookup(resourceType, "_id")
	if !ok {
		return nil, errors.New("interaction: no search parameter _id")
	}
	is := search.Clause{Param: id}
	for _, v := range list {
		is.Values = append(is.Values, search.Value{Raw: v.ID, Code: v.ID})
	}
	page, err := s.cfg.Store.Search(ctx, search.Query{Types: []string{resourceType}, Where: []search.Clause{is}, Must: q.Must,
		AsOf: q.AsOf, Total: search.TotalNone, Count: len(list)})
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(v store.Version) bool {
		return slices.ContainsFunc(page.Versions, func(stored store.Version) bool { return stored.ID == v.ID })
	}), nil
}

// nobody is the Resolver of definitions: chains lead nowhere from them.
type nobody struct{}

// Resource implements search.Resolver.
func (nobody) Resource(string, string) *fhir.Element { return nil }

// All implements search.Resolver.
func (nobody) All(string) []*fhir.Element { return nil }

// complete adds to a page the definitions of the server that the search names.
// They come after all that is stored: rest, in this page and in the link to the
// next, is where in them to go on, from 1; 0 means that more stored ones come.
func (r *searching) complete(ctx context.Context, q search.Query, page *store.Page) error {
	if r.ask.Stored || r.ask.Compartment != (store.Key{}) {
		return nil
	}
	switch r.req.Directives.Contained {
	case "true": // what they contain is not looked into
		return nil
	case "both":
		q.Types, q.Where, q.Parts = r.plain.Types, r.plain.Where, nil
	}
	q.AsOf = page.AsOf
	list, err := r.s.builtIns(ctx, q)
	if err != nil || len(list) == 0 {
		return err
	}
	if page.Total >= 0 {
		page.Total += int64(len(list))
	}
	if page.Next != "" || q.Count == 0 {
		return nil
	}
	list = list[min(max(r.cur.Rest-1, 0), len(list)):]
	room := min(q.Count-len(page.Versions), len(list))
	r.builtIn = list[:room]
	if room < len(list) {
		r.rest = max(r.cur.Rest, 1) + room
	}
	return nil
}
