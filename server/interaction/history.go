package interaction

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// HistoryRequest asks for versions: of a resource, a type or, with both
// empty, of everything. https://hl7.org/fhir/R4/http.html#history
type HistoryRequest struct {
	Type, ID string
	Query    string // raw query string: _since, _at, _count, _sort, _total
}

// History returns one page of versions, newest first unless _sort says
// otherwise.
func (s *Service) History(ctx context.Context, c Call, ask HistoryRequest) (*Bundle, error) {
	b, versions, err := s.history(ctx, &c, ask)
	name := "history-system"
	switch {
	case ask.ID != "":
		name = "history-instance"
	case ask.Type != "":
		name = "history-type"
	}
	return b, s.record(ctx, &c, Access{Interaction: name, Type: ask.Type, Query: ask.Query, Seen: seen(versions...)}, err)
}

func (s *Service) history(ctx context.Context, c *Call, ask HistoryRequest) (*Bundle, []store.Version, error) {
	var cur cursor
	text, paged := cursorOf(ask.Query)
	if paged {
		var err error
		if cur, err = s.links.open(text, c.Caller, s.cfg.Now()); err != nil {
			return nil, nil, err
		}
		if cur.Kind != "h" {
			return nil, nil, badLink()
		}
		ask = HistoryRequest{Type: cur.Type, ID: cur.ID, Query: cur.Query}
	}
	must, err := s.admitHistory(ctx, c, ask)
	if err != nil {
		return nil, nil, err
	}
	q, err := s.historyQuery(ask, c.Strict)
	if err != nil {
		return nil, nil, err
	}
	q.Must = must
	if paged {
		q.After, q.AsOf, q.Total = cur.After, cur.AsOf, false
	}
	page, err := s.cfg.Store.History(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	if paged {
		page.Total = cur.Total
	}
	b := &Bundle{Type: "history", Timestamp: s.cfg.Now(), Total: page.Total}
	for _, v := range page.Versions {
		if !must.Allows(v.Type, v.ID, v.Labels) {
			return nil, nil, Internalf(errLeak)
		}
		b.Entries = append(b.Entries, historyEntry(c, v))
	}
	return b, page.Versions, s.historyLinks(c, b, ask, page)
}

// admitHistory checks scopes and, for one resource, that it is there to see.
func (s *Service) admitHistory(ctx context.Context, c *Call, ask HistoryRequest) (search.Must, error) {
	if ask.Type != "" {
		if err := checkType(ask.Type); err != nil {
			return search.Must{}, err
		}
		if err := allow(c, ask.Type, policy.ActionRead); err != nil {
			return search.Must{}, err
		}
	}
	must, err := s.visibility(ctx, c)
	if err != nil || ask.ID == "" {
		return must, err
	}
	key := store.Key{Type: ask.Type, ID: ask.ID}
	if err := checkKey(key); err != nil {
		return must, err
	}
	_, err = s.current(ctx, must, key)
	var r *Refusal
	if errors.As(err, &r) && r.Reason == Gone {
		return must, nil
	}
	return must, err
}

// historyQuery reads the parameters of a history.
func (s *Service) historyQuery(ask HistoryRequest, strict bool) (store.HistoryQuery, error) {
	q := store.HistoryQuery{Type: ask.Type, ID: ask.ID, Count: s.cfg.Options.DefaultCount, Total: true}
	values, err := url.ParseQuery(ask.Query)
	if err != nil {
		return q, badParameter("")
	}
	for name, list := range values {
		if len(list) != 1 {
			return q, badParameter(name)
		}
		value, ok := list[0], true
		switch name {
		case "_since":
			q.Since, ok = parseInstant(value)
		case "_at":
			q.At, q.Until, ok = parsePeriod(value)
		case "_count":
			n, err := strconv.Atoi(value)
			q.Count, ok = min(n, s.cfg.Options.MaxCount), err == nil && n >= 0
		case "_sort":
			q.Ascending, ok = value == "_lastUpdated", value == "_lastUpdated" || value == "-_lastUpdated"
		case "_total":
			q.Total, ok = value != "none", value == "none" || value == "accurate" || value == "estimate"
		case "_format", "_pretty", "_summary", "_elements":
		default:
			if strict {
				return q, RefuseAll(BadRequest, unknownIssues(fhir.Error, []string{name}))
			}
		}
		if !ok {
			return q, badParameter(name)
		}
	}
	return q, nil
}

func badParameter(name string) *Refusal {
	return Refuse(BadRequest, fhir.Invalid, "parameter-invalid", fhir.Messagef(
		"the value of the parameter %s is not valid", "パラメータ %s の値が正しくありません", name))
}

func historyEntry(c *Call, v store.Version) Entry {
	e := Entry{FullURL: c.fullURL(v.Key), Resource: v.JSON, Reply: &Reply{Version: v}}
	switch v.Method {
	case store.Create:
		e.Reply.Effect = Created
		e.Request = &EntryRequest{"POST", v.Type}
		if v.Version > 1 {
			e.Request = &EntryRequest{"PUT", v.Key.String()}
		}
	case store.Update:
		e.Reply.Effect = Updated
		e.Request = &EntryRequest{"PUT", v.Key.String()}
	case store.Delete:
		e.Reply.Effect = Deleted
		e.Resource = nil
		e.Request = &EntryRequest{"DELETE", v.Key.String()}
	}
	return e
}

func (s *Service) historyLinks(c *Call, b *Bundle, ask HistoryRequest, page store.Page) error {
	path := c.Base
	if ask.Type != "" {
		path += "/" + ask.Type
	}
	if ask.ID != "" {
		path += "/" + ask.ID
	}
	path += "/_history"
	self := path
	if ask.Query != "" {
		self += "?" + ask.Query
	}
	b.Links = append(b.Links, Link{"self", self})
	if page.Next == "" {
		return nil
	}
	text, err := s.links.seal(cursor{Kind: "h", Type: ask.Type, ID: ask.ID, Query: ask.Query, start: start{After: page.Next},
		AsOf: page.AsOf, Total: b.Total, Expires: s.cfg.Now().Add(s.cfg.Options.LinkLife).Unix()}, c.Caller)
	if err != nil {
		return err
	}
	b.Links = append(b.Links, Link{"next", path + "?" + CursorParam + "=" + text})
	return nil
}
