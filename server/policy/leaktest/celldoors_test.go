package leaktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// oneDoor asks for one record by its type and id.
type oneDoor struct {
	name, method string
	path         string
	body         string
	headers      []string
	want         int  // what a caller who sees the record gets
	or           int  // what it gets, too, where its scopes do not do
	counts       bool // want comes with an empty result for what is hidden
	writes       bool // not tried on what the caller made itself
	empty        bool // no body to look into
}

const (
	patchJSON  = `[{"op":"add","path":"/language","value":"ja"}]`
	patchMerge = `{"language":"ja"}`
	patchPath  = `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"add"},` +
		`{"name":"path","valueString":"#TYPE"},{"name":"name","valueString":"language"},{"name":"value","valueCode":"ja"}]}]}`
	getEntry = `{"resourceType":"Bundle","type":"#KIND","entry":[{"request":{"method":"GET","url":"#KEY"}}]}`
)

// oneDoors are the doors to one record. #KEY, #TYPE and #ID are put in.
var oneDoors = []oneDoor{
	{name: "read", path: "#KEY", want: 200},
	{name: "read as XML", path: "#KEY?_format=xml", want: 200},
	{name: "read of elements", path: "#KEY?_elements=status", want: 200},
	{name: "HEAD", method: "HEAD", path: "#KEY", want: 200, empty: true},
	{name: "If-None-Match", path: "#KEY", headers: []string{"If-None-Match", `W/"1"`}, want: 304, empty: true},
	{name: "If-Modified-Since", path: "#KEY", headers: []string{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, want: 304, empty: true},
	{name: "vread", path: "#KEY/_history/1", want: 200},
	{name: "history", path: "#KEY/_history", want: 200},
	{name: "$meta", path: "#KEY/$meta", want: 200, empty: true},
	{name: "$validate", path: "#KEY/$validate", want: 200, empty: true},
	{name: "$diff", path: "#KEY/$diff?from=1&to=1", want: 200, empty: true},
	{name: "$graphql", path: "#KEY/$graphql?query=%7Bid%7D", want: 200},
	{name: "transaction entry", method: "POST", body: strings.Replace(getEntry, "#KIND", "transaction", 1), want: 200},
	{name: "search by id", path: "#TYPE?_id=#ID", want: 200, counts: true},
	{name: "reverse chain by id", path: "Patient?_has:#TYPE:subject:_id=#ID", want: 200, counts: true},
	{name: "update", method: "PUT", path: "#KEY", body: `{"resourceType":"#TYPE","id":"#ID","status":"#STATUS"#CODE}`, want: 403, writes: true},
	{name: "delete", method: "DELETE", path: "#KEY", want: 403, writes: true},
	{name: "JSON Patch", method: "PATCH", path: "#KEY", body: patchJSON, headers: []string{"Content-Type", "application/json-patch+json"}, want: 403, writes: true},
	{name: "merge patch", method: "PATCH", path: "#KEY", body: patchMerge, headers: []string{"Content-Type", "application/merge-patch+json"}, want: 403, writes: true},
	{name: "FHIRPath Patch", method: "PATCH", path: "#KEY", body: patchPath, want: 403, writes: true},
	{name: "conditional delete", method: "DELETE", path: "#TYPE?_id=#ID", want: 403, writes: true},
	{name: "conditional update", method: "PUT", path: "#TYPE?_id=#ID", body: `{"resourceType":"#TYPE","status":"#STATUS"#CODE}`, want: 403, writes: true},
	{name: "conditional create", method: "POST", path: "#TYPE", body: `{"resourceType":"#TYPE","status":"#STATUS"#CODE}`,
		headers: []string{"If-None-Exist", "_id=#ID"}, want: 200, or: 403, empty: true},
	{name: "conditional patch", method: "PATCH", path: "#TYPE?_id=#ID", body: patchJSON, headers: []string{"Content-Type", "application/json-patch+json"}, want: 403, writes: true},
	{name: "$meta-add", method: "POST", path: "#KEY/$meta-add", body: `{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"x"}]}}]}`, want: 403, writes: true},
	{name: "batch delete", method: "POST", body: `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"#KEY"}}]}`, want: 403, writes: true},
}

var statuses = map[string]string{"DocumentReference": "current", "Observation": "final"}

func (d *oneDoor) ask(g *grid, client, typ, id string) *answer {
	g.t.Helper()
	code := map[string]string{"DocumentReference": `,"content":[{"attachment":{"title":"x"}}]`, "Observation": `,"code":{"text":"x"}`}[typ]
	content := d.body
	if statuses[typ] == "" {
		content = strings.Replace(content, `,"status":"#STATUS"#CODE`, "", 1)
	}
	fill := strings.NewReplacer("#KEY", typ+"/"+id, "#TYPE", typ, "#ID", id, "#STATUS", statuses[typ], "#CODE", code)
	method := d.method
	if method == "" {
		method = http.MethodGet
	}
	headers := slices.Clone(d.headers)
	for i := range headers {
		headers[i] = fill.Replace(headers[i])
	}
	return g.do(client, method, fill.Replace(d.path), fill.Replace(content), headers...)
}

// absent is what the door says to a client about a record that is not there.
func (d *oneDoor) absent(g *grid, known map[string]*answer, client, typ string) *answer {
	key := d.name + " " + client + " " + typ
	if known[key] == nil {
		known[key] = d.ask(g, client, typ, nobody)
	}
	return known[key]
}

const nobody = "zzzz"

// try asks for one record and compares the answer with the table's.
func (d *oneDoor) try(t *testing.T, g *grid, absent map[string]*answer, a asker, s subject, r *sheet) {
	t.Helper()
	sees := g.sees(a, s, r)
	if strings.HasPrefix(d.name, "reverse chain") {
		sees = sees && g.seesPerson(a, s)
	}
	got := d.ask(g, a.client, r.typ, r.id)
	cell := fmt.Sprintf("%s: %s, %s, consent %s, asks %s for %s made by %q", got.request, a.actor, s.relation, s.consent, d.name, r.form, r.author)
	if sees {
		if got.status != d.want && (d.or == 0 || got.status != d.or) || !d.empty && d.want == http.StatusOK && !d.counts && !strings.Contains(got.body, r.id) ||
			d.counts && !strings.Contains(got.body, `"total":1`) {
			t.Errorf("%s: the table shows it, the answer is %d %.400s", cell, got.status, got.body)
		}
		return
	}
	want := d.absent(g, absent, a.client, r.typ)
	if got.status != want.status || strings.ReplaceAll(got.body, r.id, nobody) != want.body {
		t.Errorf("%s: hidden %d, absent %d\n%s\n%s", cell, got.status, want.status, got.body, want.body)
	}
	for name, values := range want.header {
		if name != "X-Request-Id" && name != "Content-Length" && !slices.Equal(values, got.header[name]) {
			t.Errorf("%s: header %s is %v, for an absent one %v", cell, name, got.header[name], values)
		}
	}
	if d.method == "" && !d.counts && got.status != http.StatusNotFound && (got.status != http.StatusForbidden || g.scoped(a, r.typ)) {
		t.Errorf("%s: hidden, the answer is %d", cell, got.status)
	}
}

// scoped reports whether an actor has a scope for a type: of Observations the
// person and municipalities see none.
func (g *grid) scoped(a asker, typ string) bool {
	return typ != "Observation" || a.actor != "person" && a.actor != "family"
}

// manyDoor asks for a person's records and returns the keys in the answer.
type manyDoor struct {
	name  string
	types []string
	// person says that the door opens only to who sees the Patient.
	person bool
	ask    func(g *grid, a asker, s subject) (*answer, []string)
}

var (
	sheets   = []string{"DocumentReference"}
	readings = []string{"Observation"}
	both     = []string{"DocumentReference", "Observation"}
)

// get is a manyDoor that is one GET of a Bundle; # stands for the person.
func get(name, path string, types []string, person bool) manyDoor {
	return manyDoor{name, types, person, func(g *grid, a asker, s subject) (*answer, []string) {
		return g.follow(a.client, strings.ReplaceAll(path, "#", s.id))
	}}
}

var manyDoors = []manyDoor{
	get("search", "DocumentReference?subject=Patient/#&_count=1000", sheets, false),
	get("search of rows", "Observation?patient=#&_count=1000", readings, false),
	get("sorted search", "DocumentReference?patient=#&_sort=-_lastUpdated,type&_count=1000", sheets, false),
	get("elements", "DocumentReference?patient=#&_elements=id&_count=1000", sheets, false),
	get("summary", "DocumentReference?patient=#&_summary=true&_count=1000", sheets, false),
	get("missing", "DocumentReference?patient=#&relatesto:missing=true&_count=1000", sheets, false),
	get("contradiction", "DocumentReference?patient=#&type:not=urn:leak|blue&_count=1000", sheets, false),
	get("chain", "DocumentReference?subject:Patient.identifier=urn:leak|#&_count=1000", sheets, true),
	get("several types", "?_type=DocumentReference,CarePlan&_count=1000", sheets, false),
	get("compartment", "Patient/#/DocumentReference?_count=1000", sheets, true),
	get("whole compartment", "Patient/#/*?_count=1000", both, true),
	get("reverse include", "Patient?_id=#&_revinclude=DocumentReference:subject&_revinclude=Observation:subject&_count=1000", both, true),
	get("$everything", "Patient/#/$everything?_count=1000", both, true),
	get("$everything of a type", "Patient/#/$everything?_type=Observation&_count=1000", readings, true),
	get("$lastn", "Observation/$lastn?patient=#&max=1000", readings, false),
	{"search by POST", sheets, false, (*grid).post},
	{"batch of reads", both, false, (*grid).batchReads},
	{"batch of a search", sheets, false, (*grid).batchSearch},
	{"transaction of a search", sheets, false, (*grid).transactionSearch},
	{"pages", sheets, false, (*grid).pages},
	{"GraphQL list", sheets, false, (*grid).graphList},
	{"GraphQL list on the person", sheets, true, (*grid).graphReverse},
	{"respond-async", sheets, false, (*grid).later},
}

// entries are the keys of the resources in a Bundle, and of deletions or
// versions without one; nothing where the answer is no Bundle.
func (g *grid) entries(a *answer) []string {
	g.t.Helper()
	if a.status != http.StatusOK {
		return nil
	}
	var keys []string
	for e := range g.parse(a).All("entry") {
		if r := e.Get("resource"); r != nil {
			keys = append(keys, r.ResourceType()+"/"+r.ID())
		} else if url := e.Text("fullUrl"); url != "" {
			keys = append(keys, strings.TrimPrefix(url, base+"/"))
		}
	}
	return keys
}

func (g *grid) post(a asker, s subject) (*answer, []string) {
	got := g.do(a.client, http.MethodPost, "DocumentReference/_search", "_count=1000&subject=Patient/"+s.id, "Content-Type", "application/x-www-form-urlencoded")
	return got, g.entries(got)
}

func (g *grid) nested(a asker, kind string, urls ...string) (*answer, []string) {
	var entries []string
	for _, u := range urls {
		entries = append(entries, fmt.Sprintf(`{"request":{"method":"GET","url":"%s"}}`, u))
	}
	got := g.do(a.client, http.MethodPost, "", fmt.Sprintf(`{"resourceType":"Bundle","type":"%s","entry":[%s]}`, kind, strings.Join(entries, ",")))
	if got.status != http.StatusOK {
		return got, nil
	}
	return got, append(g.entries(got), g.inner(got)...)
}

func (g *grid) batchReads(a asker, s subject) (*answer, []string) {
	var urls []string
	for _, r := range g.sheets[s.id] {
		urls = append(urls, r.key())
	}
	return g.nested(a, "batch", urls...)
}

func (g *grid) batchSearch(a asker, s subject) (*answer, []string) {
	return g.nested(a, "batch", "DocumentReference?_count=1000&subject=Patient/"+s.id)
}

func (g *grid) transactionSearch(a asker, s subject) (*answer, []string) {
	return g.nested(a, "transaction", "DocumentReference?_count=1000&subject=Patient/"+s.id)
}

func (g *grid) pages(a asker, s subject) (*answer, []string) {
	return g.follow(a.client, "DocumentReference?_count=7&_total=accurate&subject=Patient/"+s.id)
}

// follow returns the first page and the keys of all.
func (g *grid) follow(client, path string) (*answer, []string) {
	g.t.Helper()
	first := g.do(client, http.MethodGet, path, "")
	keys := g.entries(first)
	for page := first; page.status == http.StatusOK; {
		next := link(&play{system: g.system}, page, "next")
		if next == "" {
			break
		}
		page = g.do(client, http.MethodGet, next, "")
		keys = append(keys, g.entries(page)...)
	}
	return first, keys
}

func (g *grid) graphList(a asker, s subject) (*answer, []string) {
	return g.graph(a, "", fmt.Sprintf(`{list: DocumentReferenceList(subject: "Patient/%s", _count: 1000) {id}}`, s.id))
}

func (g *grid) graphReverse(a asker, s subject) (*answer, []string) {
	return g.graph(a, "Patient/"+s.id+"/", `{list: DocumentReferenceList(_reference: subject, _count: 1000) {id}}`)
}

func (g *grid) graph(a asker, path, query string) (*answer, []string) {
	got := g.do(a.client, http.MethodGet, path+"$graphql?query="+url.QueryEscape(query), "")
	var out struct {
		Data struct {
			List []struct {
				ID string `json:"id"`
			} `json:"list"`
		} `json:"data"`
	}
	if got.status == http.StatusOK {
		if err := json.Unmarshal([]byte(got.body), &out); err != nil {
			g.t.Fatalf("%s: %v", got.request, err)
		}
	}
	var keys []string
	for _, n := range out.Data.List {
		keys = append(keys, "DocumentReference/"+n.ID)
	}
	return got, keys
}

// later asks for the answer later, and lets another caller poll first.
func (g *grid) later(a asker, s subject) (*answer, []string) {
	kick := g.do(a.client, http.MethodGet, "DocumentReference?_count=1000&subject=Patient/"+s.id, "", "Prefer", "respond-async")
	if kick.status != http.StatusAccepted {
		return kick, nil
	}
	at := kick.header.Get("Content-Location")
	thief := "thirdtown"
	stolen, absent := g.do(thief, http.MethodGet, at, ""), g.do(thief, http.MethodGet, base+"/_async/"+nobody, "")
	if stolen.status != http.StatusNotFound || stolen.body != absent.body {
		g.t.Errorf("%s of another: %d %s, of none: %d %s", stolen.request, stolen.status, stolen.body, absent.status, absent.body)
	}
	return g.collect(a.client, at)
}

// try asks a manyDoor and compares with the table.
func (d *manyDoor) try(t *testing.T, g *grid, a asker, s subject) {
	t.Helper()
	want := g.visible(a, s, d.types...)
	if d.person && !g.seesPerson(a, s) {
		want = []string{}
	}
	a2, got := d.ask(g, a, s)
	got = slices.DeleteFunc(got, func(k string) bool {
		return !slices.ContainsFunc(g.sheets[s.id], func(r *sheet) bool { return r.key() == k })
	})
	slices.Sort(got)
	if got = slices.Compact(got); slices.Equal(got, want) && (len(want) == 0 || a2.status == http.StatusOK) {
		return
	}
	t.Errorf("%s: %s, %s, consent %s: %d\n got  %v\n want %v\n%.300s", d.name, a.actor, s.relation, s.consent, a2.status, g.named(s, got), g.named(s, want), a2.body)
}

// named names the forms of records.
func (g *grid) named(s subject, keys []string) []string {
	var names []string
	for _, r := range g.sheets[s.id] {
		if slices.Contains(keys, r.key()) {
			names = append(names, r.form+"@"+r.author)
		}
	}
	return names
}
