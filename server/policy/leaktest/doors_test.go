package leaktest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// types are what the doors ask for.
var types = []string{"DocumentReference", "Observation", "CarePlan", "QuestionnaireResponse", "Coverage", "Patient", "EpisodeOfCare", "Consent", "Composition"}

// subjectParam is the search parameter that leads from a type to the person.
var subjectParam = map[string]string{"DocumentReference": "subject", "Observation": "subject", "CarePlan": "subject",
	"QuestionnaireResponse": "subject", "Coverage": "beneficiary", "EpisodeOfCare": "patient", "Consent": "patient", "Composition": "subject"}

// markParam is the one that finds a record's mark.
var markParam = map[string]string{"DocumentReference": "type", "Observation": "code", "CarePlan": "category"}

// door is one way to get at data: it asks as the viewer and compares with the
// oracle.
type door struct {
	name string
	try  func(p *play, v viewer)
}

var doors = []door{
	{"read", (*play).read},
	{"vread", (*play).vread},
	{"conditional read", (*play).conditionalRead},
	{"history of one", (*play).historyOne},
	{"history of a type", (*play).historyType},
	{"search", (*play).search},
	{"search by POST", (*play).searchPost},
	{"search by person", (*play).searchPerson},
	{"search by id", (*play).searchID},
	{"count", (*play).count},
	{"pages", (*play).pages},
	{"sorted, first only", (*play).sorted},
	{"chain", (*play).chain},
	{"reverse chain", (*play).reverseChain},
	{"include", (*play).include},
	{"reverse include", (*play).revInclude},
	{"several types", (*play).severalTypes},
	{"compartment", (*play).compartment},
	{"batch", (*play).batch},
	{"transaction", (*play).transactionRead},
	{"write to what is hidden", (*play).writeHidden},
	{"paging link of another", (*play).foreignLink},
	{"history of the system", (*play).historySystem},
	{"conditional write to what is hidden", (*play).conditionalHidden},
	{"every include", (*play).everyInclude},
	{"GraphQL list", (*play).graphList},
	{"GraphQL connection", (*play).graphConnection},
	{"GraphQL reference", (*play).graphReference},
	{"$sharing", (*play).sharing},
	{"pages while things happen", (*play).pagesMeanwhile},
	{"contained", (*play).contained},
	{"contained, counted", (*play).containedCount},
}

// is compares an answer's keys with what the oracle says.
func (p *play) is(a *answer, v viewer, got, want []string) {
	p.system.t.Helper()
	if a.status != http.StatusOK {
		p.system.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
	}
	if !slices.Equal(got, want) {
		p.system.t.Errorf("%s\n got  %v\n want %v\n%s", a.request, got, want, p.tell(got, want))
	}
}

// tell explains a difference in terms of the world.
func (p *play) tell(got, want []string) string {
	var b strings.Builder
	for _, r := range p.records {
		if slices.Contains(got, r.key()) != slices.Contains(want, r.key()) {
			fmt.Fprintf(&b, " differs: %+v\n", *r)
		}
	}
	return b.String()
}

// target picks a key at random, existing or not, and whether the viewer sees
// it; there tells whether it exists, gone whether it was deleted.
func (p *play) target(v viewer) (key string, sees, gone bool) {
	if len(p.records) == 0 || p.dice.IntN(10) == 0 {
		return pick(p.dice, types) + "/nothing-here", false, false
	}
	switch p.dice.IntN(6) {
	case 0:
		person := pick(p.dice, p.people)
		return "Patient/" + person, p.seesPerson(v, person), false
	case 1:
		if len(p.consents) > 0 {
			c := pick(p.dice, p.consents)
			return "Consent/" + c.id, p.seesConsent(v, c), false
		}
	}
	r := pick(p.dice, p.records)
	return r.key(), p.sees(v, r), r.deleted
}

// hiddenLooksAbsent checks the answer to a request for one resource: found,
// gone, or the very same refusal for hidden and absent.
func (p *play) hiddenLooksAbsent(a *answer, v viewer, key string, sees, gone bool) {
	p.system.t.Helper()
	want := http.StatusOK
	switch {
	case !sees && scopeless(a):
		return
	case !sees:
		want = http.StatusNotFound
	case gone:
		want = http.StatusGone
	}
	if a.status != want {
		p.system.t.Errorf("%s: %d, want %d\n%s", a.request, a.status, want, p.tell([]string{key}, nil))
		return
	}
	if sees {
		return
	}
	typ, id, _ := strings.Cut(key, "/")
	absent := p.do(v.client, http.MethodGet, strings.Replace(a.request[strings.Index(a.request, base)+len(base)+1:], key, typ+"/"+strings.Repeat("z", len(id)), 1), "")
	if strings.ReplaceAll(absent.body, strings.Repeat("z", len(id)), id) != a.body || absent.status != a.status {
		p.system.t.Errorf("%s: hidden and absent differ:\n%s\n%s", a.request, a.body, absent.body)
	}
}

func (p *play) read(v viewer) {
	key, sees, gone := p.target(v)
	p.hiddenLooksAbsent(p.do(v.client, http.MethodGet, key, ""), v, key, sees, gone)
}

func (p *play) vread(v viewer) {
	key, sees, _ := p.target(v)
	if strings.HasPrefix(key, "Patient/") || strings.HasPrefix(key, "Consent/") {
		return // versions whose labels changed are not modelled
	}
	if sees && p.changed(key) {
		return
	}
	p.hiddenLooksAbsent(p.do(v.client, http.MethodGet, key+"/_history/1", ""), v, key, sees, false)
}

func (p *play) conditionalRead(v viewer) {
	key, sees, gone := p.target(v)
	if a := p.do(v.client, http.MethodGet, key, "", "If-None-Match", `W/"1"`, "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"); !sees && a.status != http.StatusNotFound && !scopeless(a) {
		p.system.t.Errorf("%s with If-None-Match: %d", a.request, a.status)
	} else if sees && !gone && a.status != http.StatusNotModified && a.status != http.StatusOK {
		p.system.t.Errorf("%s with If-None-Match: %d", a.request, a.status)
	}
}

func (p *play) historyOne(v viewer) {
	key, sees, _ := p.target(v)
	a := p.do(v.client, http.MethodGet, key+"/_history", "")
	if (a.status == http.StatusOK) != sees || !sees && a.status != http.StatusNotFound && !scopeless(a) {
		p.system.t.Errorf("%s: %d, sees %t", a.request, a.status, sees)
	}
}

func (p *play) historyType(v viewer) {
	typ := pick(p.dice, []string{"DocumentReference", "Observation", "CarePlan", "QuestionnaireResponse"})
	a := p.do(v.client, http.MethodGet, typ+"/_history?_count=1000", "")
	if scopeless(a) {
		return
	}
	var want []string // deletions tell the URL only: they are compared below
	for _, r := range p.records {
		if r.typ == typ && p.sees(v, r) {
			want = append(want, r.key())
		}
	}
	slices.Sort(want)
	p.is(a, v, p.keys(a, ""), want)
	for e := range p.parse(a).All("entry") {
		at := strings.TrimPrefix(e.Text("fullUrl"), base+"/")
		if at != "" && !slices.Contains(want, at) {
			p.system.t.Errorf("%s: the history holds %s", a.request, at)
		}
	}
}

// scopeless reports whether a request was refused because the caller has no
// scope for the type at all, which tells nothing about what there is.
func scopeless(a *answer) bool {
	return a.status == http.StatusForbidden && strings.Contains(a.body, `"code":"scope"`)
}

// ask makes a search and reports whether the viewer has a scope for it.
func (p *play) ask(v viewer, query string) (*answer, bool) {
	p.system.t.Helper()
	a := p.do(v.client, http.MethodGet, query, "")
	return a, !scopeless(a)
}

// noScope checks that a refusal for want of scope hides nothing.
func (p *play) noScope(a *answer, want []string) {
	if len(want) > 0 {
		p.system.t.Errorf("%s: refused, but there is something to see: %v", a.request, want)
	}
}

func (p *play) compare(v viewer, query string, want []string) {
	p.system.t.Helper()
	a, ok := p.ask(v, query)
	if !ok {
		p.noScope(a, want)
		return
	}
	p.is(a, v, p.keys(a, "match"), want)
}

func (p *play) search(v viewer) {
	typ := pick(p.dice, types)
	p.compare(v, typ+"?_count=1000", p.visible(v, typ))
}

func (p *play) searchPost(v viewer) {
	typ := pick(p.dice, types)
	want := p.visible(v, typ)
	a := p.do(v.client, http.MethodPost, typ+"/_search", "_count=1000", "Content-Type", "application/x-www-form-urlencoded")
	if scopeless(a) {
		p.noScope(a, want)
		return
	}
	p.is(a, v, p.keys(a, "match"), want)
}

// about keeps the keys of records and relations about a person.
func (p *play) about(keys []string, person string) []string {
	return slices.DeleteFunc(keys, func(k string) bool { return p.personOf(k) != person })
}

func (p *play) personOf(key string) string {
	for _, r := range p.records {
		if r.key() == key {
			return r.person
		}
	}
	for _, e := range p.episodes {
		if "EpisodeOfCare/"+e.id == key {
			return e.person
		}
	}
	for _, c := range p.consents {
		if "Consent/"+c.id == key {
			return c.person
		}
	}
	return ""
}

func (p *play) typeWithSubject() string { return pick(p.dice, types[:5]) }

func (p *play) searchPerson(v viewer) {
	typ, person := p.typeWithSubject(), pick(p.dice, p.people)
	p.compare(v, fmt.Sprintf("%s?%s=Patient/%s&_count=1000", typ, subjectParam[typ], person), p.about(p.visible(v, typ), person))
}

func (p *play) searchID(v viewer) {
	key, sees, gone := p.target(v)
	typ, id, _ := strings.Cut(key, "/")
	var want []string
	if sees && !gone {
		want = []string{key}
	}
	p.compare(v, typ+"?_id="+id, want)
}

func (p *play) count(v viewer) {
	typ := pick(p.dice, types)
	how := pick(p.dice, []string{"?_summary=count", "?_count=0&_total=accurate", "?_count=1&_total=accurate", "?_count=1&_total=estimate"})
	want := p.visible(v, typ)
	a, ok := p.ask(v, typ+how)
	if !ok {
		p.noScope(a, want)
		return
	}
	if got := p.parse(a).Text("total"); got != strconv.Itoa(len(want)) {
		p.system.t.Errorf("%s: total %q, want %d", a.request, got, len(want))
	}
}

func link(p *play, a *answer, relation string) string {
	for l := range p.parse(a).All("link") {
		if l.Text("relation") == relation {
			return l.Text("url")
		}
	}
	return ""
}

// through returns what find sees on a page and on all that follow it.
func (p *play) through(client string, a *answer, find func(*answer) []string) []string {
	p.system.t.Helper()
	var found []string
	for n := 0; ; n++ {
		if a.status != http.StatusOK {
			p.system.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
		}
		found = append(found, find(a)...)
		next := link(p, a, "next")
		if next == "" || n > 300 {
			break
		}
		a = p.do(client, http.MethodGet, next, "")
	}
	slices.Sort(found)
	return found
}

func (p *play) matches(a *answer) []string { return p.keys(a, "match") }

func (p *play) pages(v viewer) {
	typ := pick(p.dice, types[:4])
	want := p.visible(v, typ)
	a, ok := p.ask(v, typ+"?_count=3")
	if !ok {
		p.noScope(a, want)
		return
	}
	p.is(a, v, p.through(v.client, a, p.matches), want)
}

func (p *play) sorted(v viewer) {
	typ := pick(p.dice, types[:4])
	want := p.visible(v, typ)
	a, ok := p.ask(v, typ+"?_sort=-_lastUpdated&_count=2")
	if !ok {
		p.noScope(a, want)
		return
	}
	got := p.keys(a, "match")
	for _, k := range got {
		if !slices.Contains(want, k) {
			p.system.t.Errorf("%s: holds %s", a.request, k)
		}
	}
	if len(got) != min(2, len(want)) {
		p.system.t.Errorf("%s: %d entries, %d are visible", a.request, len(got), len(want))
	}
}

// chain asks by a property of the person, whom the viewer may not see.
func (p *play) chain(v viewer) {
	typ, person := p.typeWithSubject(), pick(p.dice, p.people)
	want := p.about(p.visible(v, typ), person)
	if !p.seesPerson(v, person) {
		want = nil
	}
	p.compare(v, fmt.Sprintf("%s?%s:Patient.identifier=urn:leak|%s&_count=1000", typ, subjectParam[typ], person), want)
}

// reverseChain asks for people by records, which the viewer may not see.
func (p *play) reverseChain(v viewer) {
	typ, mark := pick(p.dice, []string{"DocumentReference", "Observation", "CarePlan"}), pick(p.dice, []string{"red", "green", "blue"})
	var want []string
	for _, person := range p.people {
		if p.seesPerson(v, person) && slices.ContainsFunc(p.records, func(r *record) bool {
			return r.typ == typ && r.person == person && r.mark == mark && !r.deleted && p.sees(v, r)
		}) {
			want = append(want, "Patient/"+person)
		}
	}
	p.compare(v, fmt.Sprintf("Patient?_has:%s:subject:%s=urn:leak|%s&_count=1000", typ, markParam[typ], mark), want)
}

func (p *play) include(v viewer) {
	typ := p.typeWithSubject()
	matches := p.visible(v, typ)
	a, ok := p.ask(v, fmt.Sprintf("%s?_include=%s:%s&_count=1000", typ, typ, subjectParam[typ]))
	if !ok {
		p.noScope(a, matches)
		return
	}
	want := slices.Clone(matches)
	for _, k := range matches {
		if person := p.personOf(k); p.seesPerson(v, person) && !slices.Contains(want, "Patient/"+person) {
			want = append(want, "Patient/"+person)
		}
	}
	slices.Sort(want)
	p.is(a, v, p.keys(a, ""), want)
}

func (p *play) revInclude(v viewer) {
	typ, person := p.typeWithSubject(), pick(p.dice, p.people)
	var want []string
	if p.seesPerson(v, person) {
		want = append(p.about(p.visible(v, typ), person), "Patient/"+person)
		slices.Sort(want)
	}
	a, ok := p.ask(v, fmt.Sprintf("Patient?_id=%s&_revinclude=%s:%s&_count=1000", person, typ, subjectParam[typ]))
	if !ok {
		p.noScope(a, want)
		return
	}
	p.is(a, v, p.keys(a, ""), want)
}

func (p *play) severalTypes(v viewer) {
	want := slices.Concat(p.visible(v, "CarePlan"), p.visible(v, "DocumentReference"))
	slices.Sort(want)
	p.compare(v, "?_type=CarePlan,DocumentReference&_count=1000", want)
}

func (p *play) compartment(v viewer) {
	typ, person := pick(p.dice, []string{"DocumentReference", "Observation", "CarePlan"}), pick(p.dice, p.people)
	a, ok := p.ask(v, fmt.Sprintf("Patient/%s/%s?_count=1000", person, typ))
	want := p.about(p.visible(v, typ), person)
	switch {
	case !ok:
		p.noScope(a, want)
	case a.status == http.StatusNotFound && !p.seesPerson(v, person): // a compartment one does not see
	default:
		p.is(a, v, p.keys(a, "match"), want)
	}
}

func (p *play) bundleOf(typ, key string) string {
	return fmt.Sprintf(`{"resourceType":"Bundle","type":"%s","entry":[{"request":{"method":"GET","url":"%s"}}]}`, typ, key)
}

func (p *play) batch(v viewer) {
	key, sees, gone := p.target(v)
	a := p.do(v.client, http.MethodPost, "", p.bundleOf("batch", key))
	want := "404"
	switch {
	case sees && gone:
		want = "410"
	case sees:
		want = "200"
	}
	got := p.parse(a).Text("entry", "response", "status")
	if !sees && strings.HasPrefix(got, "403") && strings.Contains(a.body, `"code":"scope"`) {
		return
	}
	if !strings.HasPrefix(got, want) {
		p.system.t.Errorf("%s of %s: %q, want %s", a.request, key, got, want)
	}
}

func (p *play) transactionRead(v viewer) {
	key, sees, gone := p.target(v)
	a := p.do(v.client, http.MethodPost, "", p.bundleOf("transaction", key))
	if (a.status == http.StatusOK) != (sees && !gone) {
		p.system.t.Errorf("%s of %s: %d, sees %t, gone %t: %s", a.request, key, a.status, sees, gone, a.body)
	}
}

// writeHidden tries to change or delete what the viewer does not see: the
// refusal must be that of an absent resource.
func (p *play) writeHidden(v viewer) {
	key, sees, _ := p.target(v)
	if sees {
		return
	}
	typ, id, _ := strings.Cut(key, "/")
	method := pick(p.dice, []string{http.MethodPut, http.MethodDelete, http.MethodPatch})
	body := fmt.Sprintf(`{"resourceType":"%s","id":"%s"}`, typ, id)
	header := "application/fhir+json"
	if method == http.MethodPatch {
		body, header = `[{"op":"add","path":"/language","value":"ja"}]`, "application/json-patch+json"
	}
	hidden := p.do(v.client, method, key, body, "Content-Type", header)
	other := strings.Repeat("z", len(id))
	absent := p.do(v.client, method, typ+"/"+other, strings.ReplaceAll(body, id, other), "Content-Type", header)
	if hidden.status != absent.status || hidden.body != strings.ReplaceAll(absent.body, other, id) {
		p.system.t.Errorf("%s: hidden %d, absent %d\n%s\n%s", hidden.request, hidden.status, absent.status, hidden.body, absent.body)
	}
}

// foreignLink hands a paging link to another caller: it must not show what its
// owner saw.
func (p *play) foreignLink(v viewer) {
	typ := pick(p.dice, types[:4])
	a, ok := p.ask(v, typ+"?_count=1")
	if !ok || a.status != http.StatusOK {
		return
	}
	next := link(p, a, "next")
	if next == "" {
		return
	}
	thief := pick(p.dice, p.viewers)
	b := p.do(thief.client, http.MethodGet, next, "")
	if b.status != http.StatusOK {
		return
	}
	theirs := p.visible(thief, typ)
	for _, k := range p.keys(b, "match") {
		if !slices.Contains(theirs, k) {
			p.system.t.Errorf("%s: a link of %s shows %s", b.request, v.client, k)
		}
	}
}
