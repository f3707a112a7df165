package leaktest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestEveryCellAtEveryDoor asks for every form as every actor in every relation
// and state of consent through every door, and compares with the table written
// by hand above. Nothing in it is random. With -short the doors to one record
// are each tried on every eleventh cell only.
func TestEveryCellAtEveryDoor(t *testing.T) {
	g := newGrid(t)
	before := g.asked
	t.Run("history", g.histories) // while there are few records of accesses
	for i := range manyDoors {
		d := &manyDoors[i]
		t.Run(d.name, func(t *testing.T) { g.everySubject(t, func(a asker, s subject) { d.try(t, g, a, s) }) })
	}
	t.Run("totals", func(t *testing.T) { g.everySubject(t, func(a asker, s subject) { g.totals(t, a, s) }) })
	t.Run("include", func(t *testing.T) { g.everySubject(t, func(a asker, s subject) { g.includes(t, a, s) }) })
	t.Run("the person", func(t *testing.T) { g.everySubject(t, func(a asker, s subject) { g.patients(t, a, s) }) })
	t.Run("$document", func(t *testing.T) { g.everySubject(t, func(a asker, s subject) { g.document(t, a, s) }) })
	t.Run("$sharing", func(t *testing.T) { g.everySubject(t, func(a asker, s subject) { g.sharing(t, a, s) }) })
	for i := range oneDoors {
		d := &oneDoors[i]
		t.Run(d.name, func(t *testing.T) { g.everyRecord(t, d) })
	}
	t.Run("nothing was written", g.unchanged)
	t.Logf("%d requests, %d of them to make the world", g.asked, before)
}

// everyRecord tries a door on every record: each combination of form, actor,
// relation and consent.
func (g *grid) everyRecord(t *testing.T, d *oneDoor) {
	absent, n := map[string]*answer{}, len(d.name)
	g.everySubject(t, func(a asker, s subject) {
		for _, r := range g.sheets[s.id] {
			if n++; testing.Short() && n%11 != 0 {
				continue
			}
			own := r.author == a.office && a.office != "" || r.author == "" && a.own
			if !d.writes || !own {
				d.try(t, g, absent, a, s, r)
			}
		}
	})
}

func (g *grid) everySubject(t *testing.T, try func(a asker, s subject)) {
	t.Helper()
	for _, s := range g.subjects {
		for _, a := range g.askers(s) {
			if try(a, s); t.Failed() {
				return // one cell says enough
			}
		}
	}
}

// histories: what one does not see now one does not see in the past, neither
// in that of a type nor in that of the system.
func (g *grid) histories(t *testing.T) {
	asked := map[string]bool{}
	for _, s := range g.subjects {
		for _, a := range g.askers(s) {
			if asked[a.client] {
				continue
			}
			asked[a.client] = true
			for _, typ := range both {
				g.history(t, a, typ+"/_history?_count=1000", typ)
			}
			g.history(t, a, "_history?_count=1000", both...)
		}
	}
}

func (g *grid) history(t *testing.T, a asker, path string, types ...string) {
	want := []string{}
	for _, s := range g.subjects {
		at := a
		at.own = a.office == "" && strings.HasSuffix(a.client, s.id)
		want = append(want, g.visible(at, s, types...)...)
	}
	first, got := g.follow(a.client, path)
	if len(types) == 1 && !g.scoped(a, types[0]) && first.status == http.StatusForbidden && len(want) == 0 {
		return
	}
	got = slices.DeleteFunc(got, func(k string) bool { typ, _, _ := strings.Cut(k, "/"); return !slices.Contains(types, typ) })
	slices.Sort(want)
	slices.Sort(got)
	if got = slices.Compact(got); first.status != http.StatusOK || !slices.Equal(got, want) {
		t.Errorf("%s: %d\n got  %v\n want %v", first.request, first.status, got, want)
	}
}

func (g *grid) totals(t *testing.T, a asker, s subject) {
	want := strconv.Itoa(len(g.visible(a, s, "DocumentReference")))
	for _, how := range []string{"_summary=count", "_count=0&_total=accurate", "_count=1&_total=accurate", "_count=1&_total=estimate"} {
		got := g.do(a.client, http.MethodGet, "DocumentReference?subject=Patient/"+s.id+"&"+how, "")
		if got.status != http.StatusOK || g.parse(got).Text("total") != want {
			t.Errorf("%s: %s, consent %s: %d %s, want %s", got.request, s.relation, s.consent, got.status, got.body, want)
		}
	}
	got := g.do(a.client, http.MethodGet, "$graphql?query="+url.QueryEscape(fmt.Sprintf(`{c: DocumentReferenceConnection(subject: "Patient/%s", _count: 1) {count}}`, s.id)), "")
	if !strings.Contains(got.body, `"count":`+want+"}") {
		t.Errorf("%s: %s, consent %s: %s, want %s", got.request, s.relation, s.consent, got.body, want)
	}
}

// includes: the person comes with its records only to who sees the person.
func (g *grid) includes(t *testing.T, a asker, s subject) {
	for _, how := range []string{"_include=DocumentReference:subject", "_include=*", "_include=*&_revinclude=*"} {
		got := g.do(a.client, http.MethodGet, "DocumentReference?subject=Patient/"+s.id+"&_count=1000&"+how, "")
		visible := g.visible(a, s, "DocumentReference", "Observation")
		if person := slices.Contains(g.entries(got), "Patient/"+s.id); person != (g.seesPerson(a, s) && len(g.visible(a, s, "DocumentReference")) > 0) {
			t.Errorf("%s: %s, consent %s: the person is there: %t", got.request, s.relation, s.consent, person)
		}
		for _, k := range g.entries(got) {
			typ, _, _ := strings.Cut(k, "/")
			if (typ == "DocumentReference" || typ == "Observation") && !slices.Contains(visible, k) {
				t.Errorf("%s: %s, consent %s: holds %s", got.request, s.relation, s.consent, k)
			}
		}
	}
}

// patients: the Patient itself through the doors to one record.
func (g *grid) patients(t *testing.T, a asker, s subject) {
	for i := range oneDoors {
		d := &oneDoors[i]
		if d.writes || d.counts || d.or != 0 {
			continue
		}
		got := d.ask(g, a.client, "Patient", s.id)
		if sees := g.seesPerson(a, s); (got.status == d.want) != sees {
			t.Errorf("%s: %s, %s, consent %s: %d, sees the person: %t", got.request, d.name, s.relation, s.consent, got.status, sees)
		}
	}
}

// document: a document holds what the caller sees of what the paper refers to.
func (g *grid) document(t *testing.T, a asker, s subject) {
	got := g.do(a.client, http.MethodGet, "Composition/"+g.papers[s.id]+"/$document", "")
	card := &sheet{typ: "Composition", form: "insured-card", author: "town", person: s.id}
	if !g.sees(a, s, card) {
		if got.status != http.StatusNotFound && !scopeless(got) {
			t.Errorf("%s: %s, consent %s: %d", got.request, s.relation, s.consent, got.status)
		}
		return
	}
	keys := slices.DeleteFunc(g.entries(got), func(k string) bool {
		return !strings.HasPrefix(k, "DocumentReference/") && !strings.HasPrefix(k, "Observation/")
	})
	slices.Sort(keys)
	if want := g.visible(a, s, "DocumentReference", "Observation"); !slices.Equal(keys, want) || got.status != http.StatusOK {
		t.Errorf("%s: %s, consent %s: %d\n got  %v\n want %v", got.request, s.relation, s.consent, got.status, g.named(s, keys), g.named(s, want))
	}
}

// sharing: the table as the operation tells it, to the organisation and to the
// person; to nobody else.
func (g *grid) sharing(t *testing.T, a asker, s subject) {
	for _, actor := range actors[2:] {
		got := g.do(a.client, http.MethodGet, "Organization/"+officeOf[actor]+"/$sharing?patient="+s.id, "")
		if mayAsk := g.seesPerson(a, s) && (a.own || a.office == officeOf[actor]); !mayAsk {
			if got.status == http.StatusOK {
				t.Errorf("%s: %s, consent %s: answered", got.request, s.relation, s.consent)
			}
			continue
		}
		about := asker{client: officeOf[actor], actor: actor, office: officeOf[actor]}
		seen := 0
		for form := range g.parse(got).All("parameter") {
			parts := map[string]string{}
			for p := range form.All("part") {
				parts[p.Text("name")] = p.Text("valueCode") + p.Text("valueBoolean")
			}
			want := g.sees(about, s, &sheet{typ: "DocumentReference", form: parts["code"], author: "somebody"})
			if seen++; parts["visible"] != strconv.FormatBool(want) {
				t.Errorf("%s: %s, consent %s: %s is visible: %s", got.request, s.relation, s.consent, parts["code"], parts["visible"])
			}
		}
		if seen < 18 {
			t.Errorf("%s: tells of %d forms", got.request, seen)
		}
	}
}

// unchanged: no door let anybody change a record of somebody else.
func (g *grid) unchanged(t *testing.T) {
	for _, s := range g.subjects {
		for _, r := range g.sheets[s.id] {
			if got := g.do("operator", http.MethodGet, r.key(), ""); got.status != http.StatusOK || got.header.Get("ETag") != `W/"1"` {
				t.Errorf("%s is changed: %d %s", r.key(), got.status, got.header.Get("ETag"))
			}
		}
	}
}

// collect polls an asynchronous request until it is answered.
func (s *system) collect(client, at string) (*answer, []string) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		got := s.do(client, http.MethodGet, at, "")
		if got.status != http.StatusAccepted {
			return got, s.inner(got)
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not answered", got.request)
		}
		time.Sleep(time.Millisecond)
	}
}

// inner are the keys in the Bundles that lie in the entries of a Bundle.
func (s *system) inner(a *answer) []string {
	s.t.Helper()
	if a.status != http.StatusOK {
		return nil
	}
	var keys []string
	for e := range s.parse(a).All("entry") {
		for i := range e.Get("resource").All("entry") {
			if r := i.Get("resource"); r != nil && r.ResourceType() != "OperationOutcome" {
				keys = append(keys, r.ResourceType()+"/"+r.ID())
			}
		}
	}
	return keys
}
