package leaktest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// recordTypes are the types of records of forms.
var recordTypes = append(slices.Clone(types[:5]), "Composition")

// historySystem reads the whole history; what a viewer does not see now, it
// does not see in the past.
func (p *play) historySystem(v viewer) {
	a := p.do(v.client, http.MethodGet, "_history?_count=1000", "")
	if scopeless(a) {
		return
	}
	var want []string
	for _, r := range p.records {
		if r.typ != "Coverage" && p.sees(v, r) { // cards have versions
			want = append(want, r.key())
		}
	}
	if a.status != http.StatusOK || link(p, a, "next") != "" {
		p.system.t.Fatalf("%s: %d, or more than one page", a.request, a.status)
	}
	var got []string
	for e := range p.parse(a).All("entry") {
		at := strings.TrimPrefix(e.Text("fullUrl"), base+"/")
		if typ, _, _ := strings.Cut(at, "/"); slices.Contains(recordTypes, typ) && typ != "Coverage" {
			got = append(got, at)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	p.is(a, v, slices.Compact(got), want)
}

// conditionalHidden deletes or patches by a condition that only something
// hidden meets: nothing may happen, as for a condition that nothing meets.
func (p *play) conditionalHidden(v viewer) {
	key, sees, _ := p.target(v)
	if sees {
		return
	}
	typ, id, _ := strings.Cut(key, "/")
	method, body, header := http.MethodDelete, "", "application/fhir+json"
	if p.dice.IntN(2) == 0 {
		method, body, header = http.MethodPatch, `[{"op":"add","path":"/language","value":"ja"}]`, "application/json-patch+json"
	}
	other := strings.Repeat("z", len(id))
	hidden := p.do(v.client, method, typ+"?_id="+id, body, "Content-Type", header)
	absent := p.do(v.client, method, typ+"?_id="+other, body, "Content-Type", header)
	if hidden.status != absent.status || hidden.body != strings.ReplaceAll(absent.body, other, id) {
		p.system.t.Errorf("%s: hidden %d, absent %d\n%s\n%s", hidden.request, hidden.status, absent.status, hidden.body, absent.body)
	}
}

// everyInclude asks for all a resource refers to and all that refers to it.
func (p *play) everyInclude(v viewer) {
	typ := pick(p.dice, types)
	how := pick(p.dice, []string{"_include=*", "_revinclude=*", "_include=*&_revinclude=*", "_include=*&_revinclude:iterate=*", "_include:iterate=*"})
	a, ok := p.ask(v, typ+"?_count=50&"+how)
	if !ok || a.status != http.StatusOK {
		return // not every server takes every form of these
	}
	var visible []string
	for _, t := range types {
		visible = append(visible, p.visible(v, t)...)
	}
	for _, k := range p.keys(a, "") {
		if typ, _, _ := strings.Cut(k, "/"); slices.Contains(types, typ) && !slices.Contains(visible, k) {
			p.system.t.Errorf("%s: holds %s", a.request, k)
		}
	}
}

func (p *play) graph(v viewer, path, query string, into any) (*answer, bool) {
	p.system.t.Helper()
	a := p.do(v.client, http.MethodGet, path+"$graphql?query="+url.QueryEscape(query), "")
	if a.status != http.StatusOK {
		return a, false
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		p.system.t.Fatalf("%s: %v in %s", a.request, err, a.body)
	}
	return a, true
}

type graphNode struct {
	ID      string `json:"id"`
	Subject struct {
		Resource *struct {
			ID string `json:"id"`
		} `json:"resource"`
	} `json:"subject"`
}

// graphList lists records with the people they are about.
func (p *play) graphList(v viewer) {
	typ := pick(p.dice, recordTypes[:4])
	var out struct {
		Data map[string][]graphNode `json:"data"`
	}
	a, ok := p.graph(v, "", fmt.Sprintf("{ %sList(_count: 1000) { id subject { resource(optional: true) { ...on Patient { id } } } } }", typ), &out)
	want := p.visible(v, typ)
	if !ok {
		if !scopeless(a) {
			p.system.t.Errorf("%s: %d %s", a.request, a.status, a.body)
		}
		p.noScope(a, want)
		return
	}
	var got []string
	for _, n := range out.Data[typ+"List"] {
		got = append(got, typ+"/"+n.ID)
		if r := n.Subject.Resource; r != nil && !p.seesPerson(v, r.ID) {
			p.system.t.Errorf("%s: shows Patient/%s", a.request, r.ID)
		}
	}
	slices.Sort(got)
	p.is(a, v, got, want)
}

// graphConnection counts.
func (p *play) graphConnection(v viewer) {
	typ := pick(p.dice, recordTypes[:4])
	var out struct {
		Data map[string]struct {
			Count int `json:"count"`
		} `json:"data"`
	}
	a, ok := p.graph(v, "", fmt.Sprintf("{ %sConnection(_count: 1) { count } }", typ), &out)
	if want := len(p.visible(v, typ)); ok && out.Data[typ+"Connection"].Count != want {
		p.system.t.Errorf("%s: %s, want %d", a.request, a.body, want)
	}
}

// graphReference starts from one record and asks for the person's others.
func (p *play) graphReference(v viewer) {
	key, sees, gone := p.target(v)
	typ, _, _ := strings.Cut(key, "/")
	if !slices.Contains(recordTypes[:4], typ) {
		return
	}
	var out struct {
		Data graphNode `json:"data"`
	}
	a, ok := p.graph(v, key+"/", "{ id subject { resource(optional: true) { ...on Patient { id } } } }", &out)
	if ok != (sees && !gone) {
		p.system.t.Errorf("%s: %d, sees %t, gone %t: %s", a.request, a.status, sees, gone, a.body)
	}
	if r := out.Data.Subject.Resource; r != nil && !p.seesPerson(v, r.ID) {
		p.system.t.Errorf("%s: shows Patient/%s", a.request, r.ID)
	}
}

// sharing asks what an organisation may see of a person.
func (p *play) sharing(v viewer) {
	o, person := pick(p.dice, p.offices), pick(p.dice, p.people)
	a := p.do(v.client, http.MethodGet, fmt.Sprintf("Organization/%s/$sharing?patient=Patient/%s", o.id, person), "")
	entitled := v.office == o.id || v.person == person
	if !entitled || !p.seesPerson(v, person) {
		if a.status == http.StatusOK {
			p.system.t.Errorf("%s: answered %s", a.request, a.body)
		}
		return
	}
	if a.status != http.StatusOK {
		p.system.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
	}
	about := viewer{kind: o.kind, office: o.id}
	for form := range p.parse(a).All("parameter") {
		code, visible := "", ""
		for part := range form.All("part") {
			switch part.Text("name") {
			case "code":
				code = part.Text("valueCode")
			case "visible":
				visible = part.Text("valueBoolean")
			}
		}
		if _, ours := matrix[code]; !ours {
			continue
		}
		want := p.sees(about, &record{typ: "DocumentReference", form: code, person: person, author: "somebody"})
		if (visible == "true") != want {
			p.system.t.Errorf("%s: %s is visible: %s, want %t", a.request, code, visible, want)
		}
	}
}

// pagesMeanwhile follows paging links while consents are withdrawn and
// registrations end: a link opened before shows nothing that is hidden now.
func (p *play) pagesMeanwhile(v viewer) {
	typ := pick(p.dice, recordTypes[:4])
	a, ok := p.ask(v, typ+"?_count=2")
	for n := 0; ok && n < 5; n++ {
		next := link(p, a, "next")
		if next == "" {
			return
		}
		if n == 0 {
			p.withdraw()
		} else {
			p.happen()
		}
		if a = p.do(v.client, http.MethodGet, next, ""); a.status == http.StatusGone {
			return // too much time has passed
		}
		if a.status != http.StatusOK {
			p.system.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
		}
		visible := p.visible(v, typ)
		for _, k := range p.keys(a, "match") {
			if !slices.Contains(visible, k) {
				p.system.t.Errorf("%s: an open link shows %s", a.request, k)
			}
		}
	}
}
