package leaktest

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPastMovesAlong: a record that its author moves to another person or form
// takes its earlier versions out of the sight of those who saw them, and a
// deleted one is gone for those alone who saw it.
func TestPastMovesAlong(t *testing.T) {
	offices, people, viewers := cast(2)
	w := &world{now: time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), people: people, offices: offices, hasAuthor: map[[2]string]bool{}}
	p := &play{world: w, system: newSystem(t, w, viewers), viewers: viewers}
	p.found()
	for _, person := range people {
		p.create("person-"+person, p.episode(&episode{person: person, office: "manager-0", role: "care_manager", active: true}))
	}
	plan := func(form, person string) string {
		r := &record{typ: "DocumentReference", form: form, person: person, mark: "red"}
		r.id = p.create("manager-0", p.record(r))
		return r.id
	}
	change := func(id, form, person string) {
		p.put("manager-0", p.record(&record{typ: "DocumentReference", form: form, person: person, mark: "green"}).Set("id", id))
	}
	toOther, toForm, deleted, ended := plan("home-care-plan", "p0"), plan("home-care-plan", "p0"), plan("home-care-plan", "p0"), plan("hospital-admission-information", "p0")
	stays := plan("home-care-plan", "p0")
	for _, id := range []string{toOther, toForm, deleted, stays} {
		if a := p.do("person-p0", http.MethodGet, "DocumentReference/"+id, ""); a.status != http.StatusOK {
			t.Fatalf("%s: %d", a.request, a.status)
		}
	}
	change(toOther, "home-care-plan", "p1")
	change(toForm, "hospital-admission-information", "p0")
	change(stays, "home-care-plan", "p0")
	for _, id := range []string{deleted, ended} {
		p.do("manager-0", http.MethodDelete, "DocumentReference/"+id, "")
	}
	ways := []string{"DocumentReference/#", "DocumentReference/#/_history", "DocumentReference/#/_history/1", "DocumentReference/#/_history/2",
		"DocumentReference/_history?_count=100", "_history?_count=1000", "DocumentReference?_id=#", "Patient/p0/$everything?_count=1000", "DocumentReference/#/$diff?from=1&to=1"}
	hidden := map[string][]string{"person-p0": {toOther, toForm, ended}, "person-p1": {toForm, deleted, ended, stays}, "office-0": {toOther, toForm, deleted, ended, stays}}
	for client, ids := range hidden {
		for _, id := range ids {
			for _, way := range ways {
				a := p.do(client, http.MethodGet, strings.ReplaceAll(way, "#", id), "")
				one := strings.HasPrefix(way, "DocumentReference/#")
				if one && a.status != http.StatusNotFound || !one && slices.Contains(p.told(a), "DocumentReference/"+id) {
					t.Errorf("%s: %d, must tell nothing of %s: %.300s", a.request, a.status, id, a.body)
				}
			}
		}
	}
	for way, want := range map[string]int{"#": 410, "#/_history": 200, "#/_history/1": 200, "#/_history/2": 410, "#/_history/3": 404} {
		if a := p.do("person-p0", http.MethodGet, "DocumentReference/"+strings.ReplaceAll(way, "#", deleted), ""); a.status != want {
			t.Errorf("%s: %d, want %d", a.request, a.status, want)
		}
	}
	// The new person of a moved record sees what is about it, not what was
	// about somebody else.
	if a := p.do("person-p1", http.MethodGet, "DocumentReference/"+toOther+"/_history/1", ""); a.status != http.StatusNotFound {
		t.Errorf("%s: %d", a.request, a.status)
	}
	if a := p.do("person-p1", http.MethodGet, "DocumentReference/"+toOther+"/_history", ""); a.status != http.StatusOK || strings.Contains(a.body, "Patient/p0") {
		t.Errorf("%s: %d %s", a.request, a.status, a.body)
	}
}

// told are the resources an answer has entries of, deleted ones too. What an
// AuditEvent names does not count: it tells a person of its own requests.
func (p *play) told(a *answer) []string {
	var keys []string
	if a.status == http.StatusOK {
		for e := range p.parse(a).All("entry") {
			keys = append(keys, strings.TrimPrefix(e.Text("fullUrl"), base+"/"))
		}
	}
	return keys
}
