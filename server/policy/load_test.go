package policy

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// TestLoadIsAllChanges starts policies from the survey of a store at random
// moments of its history, lets them follow, and expects them to know what one
// knows that has read every change.
func TestLoadIsAllChanges(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			st := memory(t)
			now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
			begin := func(options ...Option) *Policy {
				p, err := New(st, append(options, WithClock(func() time.Time { return now }))...)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
			all := begin()
			var loaded []*Policy
			r := rand.New(rand.NewPCG(seed, 1))
			for i := range 240 {
				writeSomething(t, st, r)
				if i%40 != 39 {
					continue
				}
				loaded = append(loaded, begin(WithSurvey(st)))
				if i == 199 {
					if err := loaded[0].Rebuild(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				want := knownTo(t, all)
				if len(want.people) == 0 {
					t.Error("nothing is known")
				}
				for n, p := range loaded {
					if diff := cmp.Diff(want, knownTo(t, p), cmp.AllowUnexported(knowledge{}, person{}, rosterKey{}), cmp.FilterPath(isDue, cmp.Ignore())); diff != "" {
						t.Fatalf("after %d writes, policy %d (-all changes +loaded):\n%s", i+1, n, diff)
					}
				}
			}
		})
	}
}

func memory(t *testing.T) *embedded.Engine {
	t.Helper()
	st, err := embedded.OpenMemory(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

func isDue(p cmp.Path) bool { return p.Last().String() == ".due" }

// knowledge is what a policy goes by.
type knowledge struct {
	people  map[string]*person
	kinds   map[string]Kind
	facts   map[store.Key]string
	rosters map[string][]string
}

func knownTo(t *testing.T, p *Policy) knowledge {
	t.Helper()
	if err := p.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	k := knowledge{people: map[string]*person{}, kinds: p.view.kinds, facts: p.view.facts, rosters: map[string][]string{}}
	for id, one := range p.view.people {
		if len(one.insurers)+len(one.registrations)+len(one.terms)+len(one.authors) > 0 {
			k.people[id] = one
		}
	}
	for key, roster := range p.view.rosters {
		if ids := roster.snapshot().IDs(); len(ids) > 0 {
			k.rosters[fmt.Sprint(key)] = ids
		}
	}
	return k
}

// writeSomething makes or deletes a record of one of few people, organisations
// and ids, so that many are written more than once.
func writeSomething(t *testing.T, st store.Store, r *rand.Rand) {
	t.Helper()
	patient, organization := fmt.Sprint("p", r.IntN(4)), fmt.Sprint("o", r.IntN(4))
	labels := search.Labels{Patients: []string{patient}, Author: organization}
	var e *fhir.Element
	switch r.IntN(6) {
	case 0:
		terms := sharing.Terms{Patient: patient, Active: r.IntN(4) > 0, Permit: r.IntN(3) > 0, Recipients: []string{organization}, Family: r.IntN(5) == 0}
		e = terms.Resource()
	case 1:
		g := sharing.Registration{Patient: patient, Organization: organization, Role: sharing.RoleCareManager, Active: r.IntN(4) > 0}
		e = g.Resource()
	case 2:
		labels.Form = care.InsuredCard
		e = label(fhir.NewResource("Coverage").Set("status", "active"), care.InsuredCard)
		e.Add("beneficiary").Set("reference", "Patient/"+patient)
		e.Add("payor").Set("reference", "Organization/"+organization)
	case 3:
		labels = search.Labels{}
		e = fhir.NewResource("Organization")
		e.Add("type").Add("coding").Set("system", care.OrganizationKindSystem).Set("code", string([]Kind{Municipality, CareOffice}[r.IntN(2)]))
	case 4:
		e = fhir.NewResource("AuditEvent") // tells nothing
	default:
		e = record("physician-opinion", patient)
	}
	e.Set("id", fmt.Sprint("r", r.IntN(6)))
	w := store.Write{Key: store.Key{Type: e.ResourceType(), ID: e.ID()}, Method: store.Update, Labels: labels,
		Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) { return fhirjson.Append(nil, e), nil, nil }}
	if r.IntN(4) == 0 {
		w = store.Write{Key: w.Key, Method: store.Delete}
	}
	if _, err := st.Apply(t.Context(), store.Tx{Writes: []store.Write{w}}); err != nil {
		t.Fatal(err)
	}
}

// expiring ends the snapshot of the first load, as an erasure does.
type expiring struct {
	*embedded.Engine
	searches int
}

func (e *expiring) Search(ctx context.Context, q search.Query) (store.Page, error) {
	if e.searches++; e.searches == 3 {
		return store.Page{}, store.ErrExpired
	}
	return e.Engine.Search(ctx, q)
}

// TestLoadBeginsAnew where records are erased meanwhile.
func TestLoadBeginsAnew(t *testing.T) {
	st := memory(t)
	r := rand.New(rand.NewPCG(1, 1))
	for range 30 {
		writeSomething(t, st, r)
	}
	e := &expiring{Engine: st}
	if _, err := New(e, WithSurvey(st)); err != nil || e.searches != 3+len(factTypes) {
		t.Errorf("%v after %d searches", err, e.searches)
	}
}

// brokenSurvey fails once, after it has told something that is not so.
type brokenSurvey struct {
	store.Surveyor
	failed bool
}

func (b *brokenSurvey) Survey(ctx context.Context, types []string) iter.Seq2[search.Labels, error] {
	if b.failed {
		return b.Surveyor.Survey(ctx, types)
	}
	b.failed = true
	return func(yield func(search.Labels, error) bool) {
		_ = yield(search.Labels{Author: "stranger", Patients: []string{"p0"}}, nil) && yield(search.Labels{}, errors.New("broken"))
	}
}

// TestLoadThatFails: nothing is answered then, and nothing of it stays.
func TestLoadThatFails(t *testing.T) {
	st := memory(t)
	p, err := New(st, WithSurvey(&brokenSurvey{Surveyor: st}))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 30 {
		writeSomething(t, st, r)
	}
	c := Caller{Kind: Municipality, Organization: "o1", Scopes: Everything(p.Matrix(), Municipality)}
	if must, err := p.Visibility(t.Context(), c); err == nil || len(must.Any) > 0 {
		t.Errorf("answered %+v, %v", must, err)
	}
	all, err := New(st)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(knownTo(t, all), knownTo(t, p), cmp.AllowUnexported(knowledge{}, person{}, rosterKey{}), cmp.FilterPath(isDue, cmp.Ignore())); diff != "" {
		t.Errorf("(-all changes +loaded):\n%s", diff)
	}
}

// interrupted calls meanwhile at the end of a load, once.
type interrupted struct {
	store.Surveyor
	meanwhile func()
}

func (i *interrupted) Survey(ctx context.Context, types []string) iter.Seq2[search.Labels, error] {
	if i.meanwhile != nil {
		i.meanwhile()
		i.meanwhile = nil
	}
	return i.Surveyor.Survey(ctx, types)
}

// TestErasureDuringRebuild erases a consent, as the job does, while the policy is
// rebuilt after another erasure.
func TestErasureDuringRebuild(t *testing.T) {
	st := memory(t)
	apply := func(w store.Write) {
		if _, err := st.Apply(t.Context(), store.Tx{Writes: []store.Write{w}}); err != nil {
			t.Error(err)
		}
	}
	terms := sharing.Terms{Patient: "p", Active: true, Permit: true, Recipients: []string{"o"}}
	key := store.Key{Type: "Consent", ID: "c"}
	content := fhirjson.Append(nil, terms.Resource().Set("id", key.ID))
	apply(store.Write{Key: key, Method: store.Create, Stamp: func(uint64, time.Time) ([]byte, [][]byte, error) { return content, nil, nil }})
	hooked := &interrupted{Surveyor: st}
	p, err := New(st, WithSurvey(hooked))
	if err != nil {
		t.Fatal(err)
	}
	if len(knownTo(t, p).facts) != 1 {
		t.Error("the consent is not known")
	}
	erased := make(chan struct{})
	hooked.meanwhile = func() {
		go func() {
			defer close(erased)
			apply(store.Write{Key: key, Method: store.Delete})
			if err := p.CatchUp(t.Context()); err != nil {
				t.Error(err)
			}
			if _, err := st.Erase(t.Context(), true, []store.Erasing{{Key: key}}); err != nil {
				t.Error(err)
			}
		}()
		select { // it is stopped by CatchUp, or does its worst
		case <-erased:
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := p.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-erased
	if facts := knownTo(t, p).facts; len(facts) > 0 {
		t.Errorf("what is erased is known: %v", facts)
	}
}
