package leaktest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// operationDoors are the operations, the ways to answer later and what is
// handed from one caller to another.
var operationDoors = []door{
	{"$everything", (*play).everything},
	{"$document", (*play).document},
	{"$lastn", (*play).lastN},
	{"operation on one", (*play).operationOnOne},
	{"read in other ways", (*play).readOtherwise},
	{"patch of what is hidden", (*play).patchHidden},
	{"batch of searches", (*play).batchSearch},
	{"respond-async", (*play).later},
	{"metadata", (*play).metadata},
	{"operators' work", (*play).operatorsWork},
	{"any link of another", (*play).anyForeignLink},
	{"any pages while things happen", (*play).anyPagesMeanwhile},
}

// follow returns the keys of what a path answers, through all its pages.
func (p *play) follow(client, path string) (*answer, []string) {
	p.system.t.Helper()
	first := p.do(client, http.MethodGet, path, "")
	if first.status != http.StatusOK {
		return first, nil
	}
	return first, slices.Compact(p.through(client, first, func(a *answer) []string { return p.keys(a, "") }))
}

// modelled keeps the keys of the types the oracle knows.
func modelled(keys []string) []string {
	return slices.DeleteFunc(keys, func(k string) bool {
		typ, _, _ := strings.Cut(k, "/")
		return !slices.Contains(types, typ)
	})
}

// allVisible is everything of every type that a viewer sees.
func (p *play) allVisible(v viewer) []string {
	var keys []string
	for _, t := range types {
		keys = append(keys, p.visible(v, t)...)
	}
	return keys
}

func (p *play) everything(v viewer) {
	person := pick(p.dice, p.people)
	a, got := p.follow(v.client, fmt.Sprintf("Patient/%s/$everything?_count=%d", person, 5+p.dice.IntN(200)))
	if !p.seesPerson(v, person) {
		if a.status != http.StatusNotFound {
			p.system.t.Errorf("%s: %d", a.request, a.status)
		}
		return
	}
	want := append(p.about(p.allVisible(v), person), "Patient/"+person)
	slices.Sort(want)
	p.is(a, v, modelled(got), want)
}

// document: what the paper refers to, as far as the viewer sees it.
func (p *play) document(v viewer) {
	var papers []*record
	for _, r := range p.records {
		if r.typ == "Composition" {
			papers = append(papers, r)
		}
	}
	if len(papers) == 0 {
		return
	}
	r := pick(p.dice, papers)
	a := p.do(v.client, http.MethodGet, r.key()+"/$document", "")
	p.hiddenLooksAbsent(a, v, r.key(), p.sees(v, r), r.deleted)
	if a.status != http.StatusOK {
		return
	}
	visible, want := p.allVisible(v), []string{r.key()}
	for _, k := range append([]string{"Patient/" + r.person}, r.refs...) {
		if slices.Contains(visible, k) {
			want = append(want, k)
		}
	}
	slices.Sort(want)
	p.is(a, v, modelled(p.keys(a, "")), slices.Compact(want))
}

func (p *play) lastN(v viewer) {
	person := pick(p.dice, p.people)
	a := p.do(v.client, http.MethodGet, "Observation/$lastn?max=1000&patient="+person, "")
	want := p.about(p.visible(v, "Observation"), person)
	if scopeless(a) {
		p.noScope(a, want)
		return
	}
	p.is(a, v, modelled(p.keys(a, "")), want)
}

func (p *play) operationOnOne(v viewer) {
	key, sees, gone := p.target(v)
	if gone {
		return
	}
	how := pick(p.dice, []string{"$meta", "$validate", "$diff?from=1&to=1", "$graphql?query=%7Bid%7D"})
	if strings.HasPrefix(how, "$diff") && sees && p.changed(key) {
		return // its first version had other labels
	}
	p.hiddenLooksAbsent(p.do(v.client, http.MethodGet, key+"/"+how, ""), v, key, sees, false)
}

// changed reports whether a resource has versions with other labels.
func (p *play) changed(key string) bool {
	i := slices.IndexFunc(p.records, func(r *record) bool { return r.key() == key })
	return i < 0 || p.records[i].versions > 1
}

func (p *play) readOtherwise(v viewer) {
	key, sees, gone := p.target(v)
	if how := pick(p.dice, []string{"?_format=xml", "?_elements=id", "?_summary=true", "?_summary=text"}); how != "?_format=xml" {
		p.hiddenLooksAbsent(p.do(v.client, http.MethodGet, key+how, ""), v, key, sees, gone)
		return
	}
	plain := p.do(v.client, http.MethodGet, key, "")
	for _, a := range []*answer{p.do(v.client, http.MethodHead, key, ""), p.do(v.client, http.MethodGet, key+"?_format=xml", "")} {
		if a.status != plain.status || a.header.Get("ETag") != plain.header.Get("ETag") {
			p.system.t.Errorf("%s: %d %s, as JSON %d %s", a.request, a.status, a.header.Get("ETag"), plain.status, plain.header.Get("ETag"))
		}
	}
}

// patchHidden tries every kind of change on what the viewer does not see.
func (p *play) patchHidden(v viewer) {
	key, sees, _ := p.target(v)
	typ, id, _ := strings.Cut(key, "/")
	if sees || !slices.Contains(recordTypes, typ) {
		return // a conditional update of a Patient would make one
	}
	ways := []oneDoor{}
	for _, d := range oneDoors {
		if d.writes {
			ways = append(ways, d)
		}
	}
	d := pick(p.dice, ways)
	g := &grid{system: p.system}
	hidden, absent := d.ask(g, v.client, typ, id), d.ask(g, v.client, typ, nobody)
	if hidden.status != absent.status || strings.ReplaceAll(hidden.body, id, nobody) != strings.ReplaceAll(absent.body, id, nobody) {
		p.system.t.Errorf("%s: hidden %d, absent %d\n%s\n%s", hidden.request, hidden.status, absent.status, hidden.body, absent.body)
	}
}

// batchSearch asks inside a Bundle.
func (p *play) batchSearch(v viewer) {
	typ := pick(p.dice, types)
	kind := pick(p.dice, []string{"batch", "transaction"})
	a := p.do(v.client, http.MethodPost, "", p.bundleOf(kind, typ+"?_count=1000"))
	want := p.visible(v, typ)
	if strings.Contains(a.body, `"code":"scope"`) {
		p.noScope(a, want)
		return
	}
	got := p.inner(a)
	slices.Sort(got)
	p.is(a, v, got, want)
}

// later asks for an answer later, lets another caller ask for it and take it
// back, and lets things happen before it is collected: the answer is of some
// moment in between, and shows nothing that its caller does not see when it is
// handed out.
func (p *play) later(v viewer) {
	typ := pick(p.dice, types)
	kick := p.do(v.client, http.MethodGet, typ+"?_count=1000", "", "Prefer", "respond-async")
	if scopeless(kick) {
		p.noScope(kick, p.visible(v, typ))
		return
	}
	at := kick.header.Get("Content-Location")
	if kick.status != http.StatusAccepted || at == "" {
		p.system.t.Fatalf("%s: %d %s", kick.request, kick.status, kick.body)
	}
	if thief := pick(p.dice, p.viewers); thief.client != v.client {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			stolen, absent := p.do(thief.client, method, at, ""), p.do(thief.client, method, base+"/_async/"+nobody, "")
			if stolen.status != http.StatusNotFound || stolen.body != absent.body {
				p.system.t.Errorf("%s of %s: %d %s", stolen.request, v.client, stolen.status, stolen.body)
			}
		}
	}
	before := p.visible(v, typ)
	switch p.dice.IntN(3) {
	case 0:
		p.withdraw()
	case 1:
		p.happen()
	}
	a, got := p.collect(v.client, at)
	now := p.visible(v, typ)
	if strings.Contains(a.body, `"code":"scope"`) {
		p.noScope(a, now)
		return
	}
	slices.Sort(got)
	lasting := slices.DeleteFunc(slices.Clone(before), func(k string) bool { return !slices.Contains(now, k) })
	for _, k := range now {
		if slices.Contains(got, k) && !slices.Contains(lasting, k) {
			lasting = append(lasting, k) // came before the answer was made
		}
	}
	for _, r := range p.records { // went after it was
		if r.deleted && p.sees(v, r) && slices.Contains(got, r.key()) && slices.Contains(before, r.key()) {
			lasting = append(lasting, r.key())
		}
	}
	slices.Sort(lasting)
	p.is(a, v, got, lasting)
}

// metadata: the server describes itself to all alike.
func (p *play) metadata(v viewer) {
	for _, path := range []string{"metadata", "openapi.json"} {
		a, b := p.do(v.client, http.MethodGet, path, ""), p.do("operator", http.MethodGet, path, "")
		if a.status != http.StatusOK || a.body != b.body {
			p.system.t.Errorf("%s: %d, not as for the operator", a.request, a.status)
		}
	}
}

// operatorsWork: nobody but the operator erases records or writes backups, and
// the refusal does not tell whether there is a record. What is erased in spite
// of it, the other doors miss; what is written, the end of the world.
func (p *play) operatorsWork(v viewer) {
	key, _, _ := p.target(v)
	typ, _, _ := strings.Cut(key, "/")
	purge := func(key string) *answer {
		return p.do(v.client, http.MethodPost, "$purge", `{"resourceType":"Parameters","parameter":[{"name":"resource","valueString":"`+key+`"},{"name":"erase-for-good","valueBoolean":true}]}`)
	}
	there, absent := purge(key), purge(typ+"/nothing")
	backup := p.do(v.client, http.MethodPost, "$backup?name=stolen", "", "Prefer", pick(p.dice, []string{"respond-async", "return=minimal"}))
	for _, a := range []*answer{there, absent, backup} {
		if a.status != http.StatusForbidden || a.body != absent.body {
			p.system.t.Errorf("%s: %d %s", a.request, a.status, a.body)
		}
	}
}

// listing is a path whose answer has pages.
func (p *play) listing() string {
	typ, person := pick(p.dice, recordTypes[:4]), pick(p.dice, p.people)
	return pick(p.dice, []string{typ + "?_count=1", typ + "/_history?_count=1", "_history?_count=2", "Patient/" + person + "/" + typ + "?_count=1",
		"Patient/" + person + "/$everything?_count=2", "?_type=CarePlan,DocumentReference&_count=1", typ + "?_count=1&_include=*&_revinclude=*"})
}

// anyForeignLink: a link is its caller's alone.
func (p *play) anyForeignLink(v viewer) {
	a := p.do(v.client, http.MethodGet, p.listing(), "")
	if a.status != http.StatusOK {
		return
	}
	thief, next := pick(p.dice, p.viewers), link(p, a, "next")
	if next == "" || thief.client == v.client {
		return
	}
	if b := p.do(thief.client, http.MethodGet, next, ""); b.status != http.StatusBadRequest && !scopeless(b) && b.status != http.StatusNotFound {
		p.system.t.Errorf("%s: a link of %s: %d", b.request, v.client, b.status)
	}
}

// anyPagesMeanwhile follows the links of any listing while things happen:
// what was open before is hidden on the next page.
func (p *play) anyPagesMeanwhile(v viewer) {
	a := p.do(v.client, http.MethodGet, p.listing(), "")
	for n := 0; a.status == http.StatusOK && n < 4; n++ {
		next := link(p, a, "next")
		if next == "" {
			return
		}
		if n%2 == 0 {
			p.withdraw()
		} else {
			p.end()
		}
		a = p.do(v.client, http.MethodGet, next, "")
		if a.status != http.StatusOK {
			if a.status != http.StatusNotFound && a.status != http.StatusGone {
				p.system.t.Errorf("%s: %d %s", a.request, a.status, a.body)
			}
			return
		}
		visible := p.allVisible(v)
		for _, r := range p.records { // the history tells of what was deleted
			if r.deleted && p.sees(v, r) {
				visible = append(visible, r.key())
			}
		}
		for _, k := range modelled(p.keys(a, "")) {
			if !slices.Contains(visible, k) {
				p.system.t.Errorf("%s: an open link shows %s", a.request, k)
			}
		}
	}
}
