package interaction

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
)

// Batch does what each entry of a batch Bundle asks for, one after the other,
// each on its own: one that fails holds no other back.
// https://hl7.org/fhir/R4/http.html#transaction
func (s *Service) Batch(ctx context.Context, c Call, bundle *fhir.Element) (*Bundle, error) {
	entries, errs, err := s.readEntries(&c, bundle)
	if err != nil {
		return nil, s.record(ctx, &c, Access{Interaction: "batch"}, err)
	}
	out := &Bundle{Type: "batch-response", Timestamp: s.cfg.Now(), Total: -1, Entries: make([]Entry, len(entries))}
	for i := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		reply := &Reply{Err: errs[i]}
		if errs[i] == nil {
			reply = s.perform(ctx, &c, &entries[i])
		}
		out.Entries[i] = replyEntry(&c, reply)
	}
	return out, nil
}

// perform does what one entry asks for, through the same interactions as a
// request of its own.
func (s *Service) perform(ctx context.Context, c *Call, en *entry) *Reply {
	var r *Reply
	var err error
	switch {
	case en.target.Operation != "":
		r, err = s.performOperation(ctx, c, en)
	case en.reads():
		r, err = s.performRead(ctx, c, en)
	default:
		return s.performWrite(ctx, c, en)
	}
	if err != nil {
		return &Reply{Err: err}
	}
	return r
}

func (s *Service) performOperation(ctx context.Context, c *Call, en *entry) (*Reply, error) {
	if s.operations == nil {
		return nil, noOperation(en.target.Operation)
	}
	return s.operations(ctx, *c, OperationRequest{
		Type: en.target.Type, ID: en.target.ID, Name: en.target.Operation, Query: en.target.Query,
		Body: en.resource, Post: en.method == "POST", Entry: true,
	})
}

func noOperation(name string) *Refusal {
	return Refuse(Unknown, fhir.NotSupported, "operation-unknown", fhir.Messagef(
		"there is no operation %s here", "オペレーション %s はここでは利用できません", name))
}

func (s *Service) performRead(ctx context.Context, c *Call, en *entry) (*Reply, error) {
	t := en.target
	if en.method == "POST" {
		t.Query = formOf(en.resource, t.Query)
	}
	switch {
	case t.Metadata:
		return nil, Refuse(BadRequest, fhir.NotSupported, "metadata-in-bundle", fhir.Messagef(
			"metadata is read on its own, not in a Bundle", "metadata は Bundle の中では取得できません"))
	case t.History:
		b, err := s.History(ctx, *c, HistoryRequest{Type: t.Type, ID: t.ID, Query: t.Query})
		return &Reply{Bundle: b}, err
	case t.Version != "":
		n, err := strconv.ParseUint(t.Version, 10, 64)
		if err != nil {
			return nil, noVersion(t.key(), 0)
		}
		v, err := s.VRead(ctx, *c, t.key(), n)
		return &Reply{Version: v, Show: true}, err
	case t.Member != "":
		ask := SearchRequest{Type: t.Member, Compartment: t.key(), Query: t.Query}
		if t.Member == "*" {
			ask.Type = ""
		}
		b, err := s.Search(ctx, *c, ask)
		return &Reply{Bundle: b}, err
	case t.ID == "":
		b, err := s.Search(ctx, *c, SearchRequest{Type: t.Type, Query: t.Query})
		return &Reply{Bundle: b}, err
	}
	v, err := s.Read(ctx, *c, t.key())
	if err == nil && Fresh(v, en.request.Text("ifNoneMatch"), instantOf(en.request.Text("ifModifiedSince"))) {
		return &Reply{Version: v, NotModified: true}, nil
	}
	shape, shapeErr := ShapeOf(t.Query)
	if err == nil && shapeErr == nil {
		v.JSON, err = shape.Apply(v.JSON)
	}
	return &Reply{Version: v, Show: true}, err
}

func (s *Service) performWrite(ctx context.Context, c *Call, en *entry) *Reply {
	ch, err := en.change()
	if err != nil {
		return &Reply{Err: err}
	}
	name := map[verb]string{verbCreate: "create", verbUpdate: "update", verbPatch: "patch", verbDelete: "delete"}[ch.verb]
	w, err := s.one(ctx, c, name, ch)
	if err != nil {
		return &Reply{Err: err}
	}
	return writtenEntry(c, w).Reply
}

// formOf reads the criteria of a POST …/_search entry, sent as Parameters.
func formOf(body *fhir.Element, query string) string {
	values := url.Values{}
	for p := range body.All("parameter") {
		for _, c := range p.Children {
			if c.Def != nil && c.Def.Name == "value" {
				values.Add(p.Text("name"), c.Value)
			}
		}
	}
	if len(values) == 0 {
		return query
	}
	if query != "" {
		query += "&"
	}
	return query + values.Encode()
}

// instantOf reads an instant, zero where it is none.
func instantOf(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}
	}
	return t
}
