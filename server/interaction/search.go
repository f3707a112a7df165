package interaction

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// SearchRequest is a search as asked.
// https://hl7.org/fhir/R4/http.html#search
type SearchRequest struct {
	// Type is the resource type searched, "" for the system level.
	Type string
	// Compartment narrows to the compartment of a resource ("Patient/1").
	Compartment store.Key
	// Everything takes in the resource of the compartment itself and makes
	// the links those of $everything.
	Everything bool
	// Asked is the query string of $everything itself, for its links. Its start
	// and end narrow the answer to care within that time; what has no date of
	// care stays.
	Asked string
	// Query is the raw query string, that of a POST body included.
	Query string
	// Stored leaves out the definitions that are part of the server.
	Stored bool
}

// searching is one search on its way.
type searching struct {
	s   *Service
	c   *Call
	ask SearchRequest
	req search.Request
	// plain is the query of a request with _contained as it would be without.
	plain search.Query
	cur   cursor
	page  bool // cur came from a paging link
	// builtIn are the definitions of the server on this page, rest is where
	// the next goes on in them; see complete.
	builtIn []store.Version
	rest    int
}

// Search returns one page of the resources that match and that the caller may
// see, with what they include.
func (s *Service) Search(ctx context.Context, c Call, ask SearchRequest) (*Bundle, error) {
	run := &searching{s: s, c: &c, ask: ask}
	b, handed, err := run.do(ctx)
	a := Access{Interaction: "search-type", Type: run.ask.Type, Query: run.ask.Query, Seen: handed}
	if run.ask.Type == "" {
		a.Interaction = "search-system"
	}
	return b, s.record(ctx, &c, a, err)
}

// do returns the page and what it hands out.
func (r *searching) do(ctx context.Context) (*Bundle, []Seen, error) {
	if err := r.resume(); err != nil {
		return nil, nil, err
	}
	must, err := r.s.visibility(ctx, r.c)
	if err != nil {
		return nil, nil, err
	}
	if err := r.parse(ctx, must); err != nil {
		return nil, nil, err
	}
	if err := r.admit(); err != nil {
		return nil, nil, err
	}
	q := r.query(must)
	page, err := r.search(ctx, q)
	if err != nil {
		return nil, nil, err
	}
	for _, v := range page.Versions {
		if !must.Allows(v.Type, v.ID, v.Labels) {
			return nil, nil, Internalf(errLeak)
		}
	}
	matches, err := r.results(page)
	if err != nil {
		return nil, nil, err
	}
	included, err := r.include(ctx, must, matches, page.AsOf)
	if err != nil {
		return nil, nil, err
	}
	b, err := r.bundle(page, matches, included)
	return b, append(distinct(seen(page.Versions...)), seen(included.versions...)...), err
}

// search asks the store, unless only definitions of the server are left, and
// adds those.
func (r *searching) search(ctx context.Context, q search.Query) (store.Page, error) {
	page := store.Page{Total: -1, AsOf: q.AsOf}
	if r.cur.Rest == 0 {
		var err error
		if page, err = r.s.cfg.Store.Search(ctx, q); err != nil {
			return page, err
		}
	}
	return page, r.complete(ctx, q, &page)
}

// resume replaces what was asked by what the paging link stands for.
func (r *searching) resume() error {
	text, ok := cursorOf(r.ask.Query)
	if !ok {
		return nil
	}
	cur, err := r.s.links.open(text, r.c.Caller, r.s.cfg.Now())
	if err != nil {
		return err
	}
	if cur.Kind != "s" {
		return badLink()
	}
	group, _ := localKey(cur.Group)
	r.cur, r.page = cur, true
	r.ask = SearchRequest{Type: cur.Type, Compartment: group, Everything: cur.Everything, Asked: cur.Asked, Query: cur.Query}
	return nil
}

// cursorOf finds the paging parameter in a raw query string.
func cursorOf(rawQuery string) (string, bool) {
	if !strings.Contains(rawQuery, CursorParam) {
		return "", false
	}
	values, err := url.ParseQuery(rawQuery)
	if err != nil || !values.Has(CursorParam) {
		return "", false
	}
	return values.Get(CursorParam), true
}

func (r *searching) parse(ctx context.Context, must search.Must) error {
	if r.ask.Type != "" {
		if err := checkType(r.ask.Type); err != nil {
			return err
		}
	}
	f := finding{s: r.s, ctx: ctx, must: must, asOf: r.cur.AsOf}
	req, err := r.s.Registry().With(f.find).Parse(r.ask.Type, r.ask.Query)
	if err != nil {
		return err
	}
	req.Query.AsOf = f.asOf
	if len(req.Unknown) > 0 && r.c.Strict {
		return RefuseAll(BadRequest, unknownIssues(fhir.Error, req.Unknown))
	}
	if req.Directives.LooksInside() && !r.s.Registry().FindsContained() {
		return Refuse(Unavailable, fhir.Transient, "contained-indexing", fhir.Messagef(
			"contained resources cannot be searched yet: what was stored before is still being indexed for it",
			"contained リソースの検索は、保存済みデータのインデックス作成が終わるまで利用できません"))
	}
	r.req = req
	return nil
}

// unknownIssues names the parameters the server does not know.
func unknownIssues(sev fhir.Severity, names []string) fhir.Issues {
	var issues fhir.Issues
	for _, name := range names {
		issues = append(issues, fhir.Issue{Severity: sev, Code: fhir.NotSupported, ID: "parameter-unknown",
			Message: fhir.Messagef("the search parameter %q is not known", "検索パラメータ %q には対応していません", name)})
	}
	return issues
}

// admit checks scopes and compartment.
func (r *searching) admit() error {
	types := r.req.Query.Types
	if r.ask.Type != "" {
		types = []string{r.ask.Type}
	}
	for _, t := range types {
		if err := allow(r.c, t, policy.ActionSearch); err != nil {
			return err
		}
	}
	if r.req.Directives.LooksInside() {
		if err := r.lookInside(types); err != nil {
			return err
		}
		types = r.req.Query.Types
	}
	if r.ask.Compartment == (store.Key{}) {
		return nil
	}
	if err := checkKey(r.ask.Compartment); err != nil {
		return err
	}
	clause, err := r.s.compartment(r.ask.Compartment, types, r.ask.Everything)
	if err != nil {
		return err
	}
	within, err := r.s.within(r.ask.Asked)
	r.req.Query.Where = append(append(r.req.Query.Where, clause), within...)
	return err
}

// query completes the parsed query.
func (r *searching) query(must search.Must) search.Query {
	q, o := r.req.Query, r.s.cfg.Options
	if r.ask.Type != "" && !r.req.Directives.LooksInside() {
		q.Types = []string{r.ask.Type}
	}
	q.Must = must
	if !r.req.Directives.CountGiven {
		q.Count = o.DefaultCount
	}
	q.Count = min(q.Count, o.MaxCount)
	if !r.req.Directives.TotalGiven {
		q.Total = search.TotalAccurate
	}
	if r.req.Directives.Summary == "count" || q.Count == 0 {
		q.Count, q.Total = 0, search.TotalAccurate
	}
	q.Keys = len(r.req.Directives.Include) > 0 // forward reads references from them
	if r.page {
		q.After, q.AsOf, q.Total = r.cur.After, r.cur.AsOf, search.TotalNone
	}
	return q
}

func (r *searching) bundle(page store.Page, matches []result, inc included) (*Bundle, error) {
	b := &Bundle{Type: "searchset", Timestamp: r.s.cfg.Now(), Total: page.Total}
	if r.page {
		b.Total = r.cur.Total
	}
	if err := r.links(b, page); err != nil {
		return nil, err
	}
	shape := Shape{Summary: r.req.Directives.Summary, Elements: r.req.Directives.Elements}
	b.Entries = make([]Entry, 0, len(matches)+len(r.builtIn)+len(inc.versions)+1)
	add := func(url string, v *store.Version, mode string) error {
		json, err := shape.Apply(v.JSON)
		b.Entries = append(b.Entries, Entry{FullURL: url, Resource: json, Mode: mode, Labels: v.Labels})
		return err
	}
	for i := range matches {
		if err := add(r.c.fullURL(matches[i].container)+matches[i].fragment, matches[i].Version, "match"); err != nil {
			return nil, err
		}
	}
	for i := range r.builtIn {
		if err := add(r.c.fullURL(r.builtIn[i].Key), &r.builtIn[i], "match"); err != nil {
			return nil, err
		}
	}
	for i := range inc.versions {
		if err := add(r.c.fullURL(inc.versions[i].Key), &inc.versions[i], "include"); err != nil {
			return nil, err
		}
	}
	issues := unknownIssues(fhir.Warning, r.req.Unknown)
	if inc.cut {
		issues = append(issues, fhir.Issue{Severity: fhir.Warning, Code: fhir.TooCostly, ID: "include-cut",
			Message: fhir.Messagef("more resources are included than the server returns on one page",
				"関連リソースが多いため、一部のみを返しました")})
	}
	if len(issues) > 0 {
		b.Entries = append(b.Entries, Entry{Mode: "outcome", Resource: outcomeJSON(issues, r.c.Language)})
	}
	return b, nil
}

// links adds self, first, previous and next.
func (r *searching) links(b *Bundle, page store.Page) error {
	path := r.c.Base
	if r.ask.Compartment.ID != "" {
		path += "/" + r.ask.Compartment.String()
	}
	switch {
	case r.ask.Everything:
		path += "/$everything"
	case r.ask.Type != "":
		path += "/" + r.ask.Type
	case r.ask.Compartment.ID != "":
		path += "/*"
	}
	used, first := r.used(), path
	shown := used
	if r.ask.Everything {
		shown = r.ask.Asked
	}
	if shown != "" {
		first += "?" + shown
	}
	to := func(relation string, cur cursor) error {
		text, err := r.s.links.seal(cur, r.c.Caller)
		b.Links = append(b.Links, Link{relation, path + "?" + CursorParam + "=" + text})
		return err
	}
	here := cursor{Kind: "s", Type: r.ask.Type, Query: used, AsOf: page.AsOf, Total: b.Total, Everything: r.ask.Everything, Asked: r.ask.Asked,
		Expires: r.s.cfg.Now().Add(r.s.cfg.Options.LinkLife).Unix()}
	if r.ask.Compartment.ID != "" {
		here.Group = r.ask.Compartment.String()
	}
	if !r.page {
		b.Links = append(b.Links, Link{"self", first})
	} else {
		if err := to("self", r.cur); err != nil {
			return err
		}
		b.Links = append(b.Links, Link{"first", first})
	}
	if n := len(r.cur.Back); n > 0 {
		previous := here
		previous.start, previous.Back = r.cur.Back[n-1], r.cur.Back[:n-1]
		if err := to("previous", previous); err != nil {
			return err
		}
	}
	if page.Next == "" && r.rest == 0 {
		return nil
	}
	next := here
	next.start, next.Back = start{After: page.Next, Rest: r.rest}, r.cur.behind()
	return to("next", next)
}

// used returns the query string without the parameters the server did not
// know, with the page size in force.
func (r *searching) used() string {
	var kept []string
	for part := range strings.SplitSeq(r.ask.Query, "&") {
		name, _, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if whole, err := url.QueryUnescape(part); err != nil || slices.Contains(r.req.Unknown, whole) {
			continue // _sort by an unknown parameter
		}
		if part == "" || err != nil || slices.Contains(r.req.Unknown, plain) || plain == "_count" || plain == "_format" || plain == "_pretty" {
			continue
		}
		kept = append(kept, part)
	}
	if r.req.Directives.CountGiven {
		kept = append(kept, "_count="+strconv.Itoa(min(r.req.Query.Count, r.s.cfg.Options.MaxCount)))
	}
	return escaped(strings.Join(kept, "&"))
}

// escaped percent-encodes what a query string taken from a body may hold but a
// URL may not.
func escaped(query string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`"<>;#\^{}`+"`", c) >= 0 {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
