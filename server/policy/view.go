package policy

import (
	"container/heap"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// view is what the policy knows of people and organisations, loaded once and from
// then on folded from the changes of the store. It is brought up to date before
// each question, so that a consent withdrawn by one request is gone for the next.
type view struct {
	st     store.Store
	survey store.Surveyor // nil: begin with all changes
	now    func() time.Time
	matrix *sharing.Matrix
	forms  []string // forms for which consent is kept

	mu      sync.Mutex
	seq     uint64
	people  map[string]*person
	facts   map[store.Key]string  // resources that say something, and of whom
	kinds   map[string]Kind       // by Organization id
	rosters map[rosterKey]*roster // see members
	dirty   map[string]struct{}   // people to be settled again
	due     dueTimes              // when that is due by the clock
	empty   *patientSet
	answers map[callerKey]search.Must // of Visibility, until something changes
}

// person is what is known of one patient.
type person struct {
	insurers      map[store.Key]string               // by Coverage
	registrations map[store.Key]sharing.Registration // by EpisodeOfCare
	terms         map[store.Key]sharing.Terms        // by Consent
	authors       map[string]struct{}                // organisations that ever made a record about the person
	member        map[rosterKey]struct{}             // rosters the person is on
	familyRefused bool
	due           time.Time // entry in view.due
}

// rosterKey names a roster: an organisation's patients under an aspect.
type rosterKey struct {
	organization string
	aspect       aspect
	form         string // for consented, insuredConsented and differs
}

type aspect uint8

const (
	insured          aspect = iota + 1 // the organisation is the insurer (R6)
	evacuated                          // the municipality that took the person in (R7)
	careManaged                        // registered as care manager office
	careProvided                       // registered as provider of care
	attended                           // registered as the institution asked for an opinion
	consented                          // consent to the form; form "": to every form
	insuredConsented                   // the same, and insured or evacuated
	differs                            // consent to the form is not as consent to every form
	known                              // any of the above, or the organisation made a record
)

func newView(st store.Store) *view {
	v := &view{st: st, now: time.Now, empty: newRoster().snapshot()}
	v.reset()
	return v
}

// reset forgets everything.
func (v *view) reset() {
	v.seq, v.people, v.facts, v.kinds = 0, map[string]*person{}, map[store.Key]string{}, map[string]Kind{}
	v.rosters, v.dirty, v.due, v.answers = map[rosterKey]*roster{}, map[string]struct{}{}, nil, map[callerKey]search.Must{}
}

// refresh folds in what was committed since, and settles whom it touches. The
// caller must not hold mu.
func (v *view) refresh(ctx context.Context) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.catchUp(ctx)
}

// catchUp is refresh for a caller that holds mu.
func (v *view) catchUp(ctx context.Context) error {
	if v.seq == 0 && v.survey != nil {
		if err := v.load(ctx); err != nil {
			return fmt.Errorf("policy: read the store: %w", err)
		}
	}
	last := v.seq
	for version, err := range v.st.Changes(ctx, v.seq) {
		if err != nil {
			return fmt.Errorf("policy: read changes: %w", err)
		}
		if version.Seq > last { // the transaction before is complete
			v.seq, last = last, version.Seq
		}
		v.fold(&version)
	}
	v.seq = last
	now := v.now()
	for len(v.due) > 0 && !v.due[0].at.After(now) {
		v.dirty[heap.Pop(&v.due).(dueTime).patient] = struct{}{}
	}
	if len(v.dirty) > 0 {
		clear(v.answers)
	}
	for id := range v.dirty {
		v.settle(id, now)
	}
	clear(v.dirty)
	return nil
}

// fold takes one version in. Folding a version twice does no harm: a failed
// catchUp may stop inside a transaction and read it again.
func (v *view) fold(version *store.Version) {
	switch version.Type {
	case "Consent", "EpisodeOfCare", "Coverage":
		v.forget(version.Key)
		if version.Method != store.Delete {
			v.learn(version)
		}
	case "Organization":
		delete(v.kinds, version.ID)
		if e, err := decode(version); err == nil && version.Method != store.Delete {
			v.kinds[version.ID] = organizationKind(e)
		}
	}
	if tellsAuthors(version.Type) {
		v.foldAuthor(&version.Labels)
	}
}

// foldAuthor takes in that an organisation made a record about people.
func (v *view) foldAuthor(l *search.Labels) {
	if l.Author == "" {
		return
	}
	for _, id := range l.Patients {
		p := v.person(id)
		if _, ok := p.authors[l.Author]; !ok {
			p.authors[l.Author] = struct{}{}
			v.dirty[id] = struct{}{}
		}
	}
}

// factTypes are those whose current resources say something, by their content:
// those that fold looks into.
var factTypes = []string{"Consent", "EpisodeOfCare", "Coverage", "Organization"}

// tellsAuthors tells the types that an organisation makes as records about people:
// not those whose author label is the organisation they are about, and not the
// record of accesses.
func tellsAuthors(resourceType string) bool {
	return resourceType != "Consent" && resourceType != "EpisodeOfCare" && resourceType != "AuditEvent"
}

func decode(version *store.Version) (*fhir.Element, error) {
	return fhirjson.Decode(version.JSON, fhirjson.Options{KeepUnknown: true, MaxBytes: len(version.JSON) + 1})
}

func (v *view) person(id string) *person {
	p := v.people[id]
	if p == nil {
		p = &person{insurers: map[store.Key]string{}, registrations: map[store.Key]sharing.Registration{},
			terms: map[store.Key]sharing.Terms{}, authors: map[string]struct{}{}}
		v.people[id] = p
	}
	return p
}

// forget drops what a resource said.
func (v *view) forget(key store.Key) {
	id, ok := v.facts[key]
	if !ok {
		return
	}
	p := v.person(id)
	delete(p.insurers, key)
	delete(p.registrations, key)
	delete(p.terms, key)
	delete(v.facts, key)
	v.dirty[id] = struct{}{}
}

// learn takes in what a resource says. A Consent that cannot be read (an
// unrestricted caller may store any) counts as a refusal of everything.
func (v *view) learn(version *store.Version) {
	e, err := decode(version)
	if err != nil && version.Type != "Consent" {
		return
	}
	patient := ""
	switch version.Type {
	case "Consent":
		t := v.terms(version, e, err)
		if patient = t.Patient; patient != "" {
			v.person(patient).terms[version.Key] = t
		}
	case "EpisodeOfCare":
		if g, err := sharing.ReadRegistration(e); err == nil {
			patient = g.Patient
			v.person(patient).registrations[version.Key] = g
		}
	case "Coverage":
		insurer := sharing.LocalID(e.Get("payor"), "Organization")
		if version.Labels.Form == care.InsuredCard && insurer != "" && insurer == version.Labels.Author && e.Text("status") == "active" {
			if patient = sharing.LocalID(e.Get("beneficiary"), "Patient"); patient != "" {
				v.person(patient).insurers[version.Key] = insurer
			}
		}
	}
	if patient != "" {
		v.facts[version.Key] = patient
		v.dirty[patient] = struct{}{}
	}
}

func (v *view) terms(version *store.Version, consent *fhir.Element, unreadable error) sharing.Terms {
	if unreadable == nil {
		t, err := v.matrix.ReadConsent(consent)
		if err == nil {
			return t
		}
	}
	refused := sharing.Terms{Active: consent == nil || consent.Text("status") == "active"}
	if patients := version.Labels.Patients; len(patients) > 0 {
		refused.Patient = patients[0]
	}
	return refused
}

// organizationKind reads the kind of an Organization, "" where it has none.
func organizationKind(e *fhir.Element) Kind {
	for t := range e.All("type") {
		for c := range t.All("coding") {
			if c.Text("system") == care.OrganizationKindSystem {
				return Kind(c.Text("code"))
			}
		}
	}
	return ""
}

// settle works out anew on which rosters a person is.
func (v *view) settle(id string, now time.Time) {
	p := v.person(id)
	member := v.members(p, now)
	for k := range p.member {
		if _, still := member[k]; !still {
			v.rosters[k].set(id, false)
		}
	}
	for k := range member {
		r := v.rosters[k]
		if r == nil {
			r = newRoster()
			v.rosters[k] = r
		}
		r.set(id, true)
	}
	p.member = member
	if next := p.nextChange(now); !next.IsZero() && !next.Equal(p.due) {
		heap.Push(&v.due, dueTime{next, id})
		p.due = next
	}
}

// patients returns the snapshot of a roster. The caller holds mu.
func (v *view) patients(k rosterKey) search.Patients {
	if r := v.rosters[k]; r != nil {
		return r.snapshot()
	}
	return v.empty
}

// dueTimes is a heap of the moments at which time alone changes a person's
// relations.
type dueTimes []dueTime

type dueTime struct {
	at      time.Time
	patient string
}

func (d dueTimes) Len() int           { return len(d) }
func (d dueTimes) Less(i, j int) bool { return d[i].at.Before(d[j].at) }
func (d dueTimes) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dueTimes) Push(x any)        { *d = append(*d, x.(dueTime)) }
func (d *dueTimes) Pop() any {
	old := *d
	last := old[len(old)-1]
	*d = old[:len(old)-1]
	return last
}
