package policy

import (
	"context"
	"fmt"
	"iter"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/profiles/care"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// world is a store of versions in memory with a policy over it, just enough
// for the policy's tests.
type world struct {
	store.Store // panics where the policy should not go
	t           testing.TB
	versions    []store.Version
	current     map[store.Key]store.Version
	policy      *Policy
	matrix      *sharing.Matrix
	now         time.Time
	next        int
}

// The cast: one organisation of each kind, a second of some, and their names
// in the tests.
var cast = map[string]Kind{
	"town": Municipality, "othertown": Municipality,
	"office": CareOffice, "otheroffice": CareOffice,
	"manager": CareManagerOffice, "othermanager": CareManagerOffice,
	"clinic": MedicalInstitution, "otherclinic": MedicalInstitution,
}

func newWorld(t testing.TB, switches ...string) *world {
	t.Helper()
	on := map[string]bool{}
	for _, s := range switches {
		on[s] = true
	}
	m, err := sharing.National().With(on)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, current: map[store.Key]store.Version{}, matrix: m, now: time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)}
	w.policy, err = New(w, WithMatrix(m), WithClock(func() time.Time { return w.now }))
	if err != nil {
		t.Fatal(err)
	}
	for name, kind := range cast {
		o := fhir.NewResource("Organization").Set("id", name)
		o.Add("type").Add("coding").Set("system", care.OrganizationKindSystem).Set("code", string(kind))
		w.put(o, search.Labels{})
	}
	return w
}

func (w *world) Changes(_ context.Context, since uint64) iter.Seq2[store.Version, error] {
	return func(yield func(store.Version, error) bool) {
		for _, v := range w.versions[min(int(since), len(w.versions)):] {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// put commits a version with the labels given, unchecked.
func (w *world) put(e *fhir.Element, l search.Labels) {
	v := store.Version{Key: store.Key{Type: e.ResourceType(), ID: e.ID()}, Seq: uint64(len(w.versions) + 1),
		Method: store.Create, JSON: fhirjson.Append(nil, e), Labels: l}
	w.versions = append(w.versions, v)
	w.current[v.Key] = v
}

func (w *world) remove(key store.Key) {
	v := w.current[key]
	v.Seq, v.Method, v.JSON = uint64(len(w.versions)+1), store.Delete, nil
	w.versions = append(w.versions, v)
	delete(w.current, key)
}

// caller returns the caller with all the scopes of its kind.
func (w *world) caller(organization string) Caller {
	k := cast[organization]
	return Caller{Client: organization, Kind: k, Organization: organization, Scopes: Everything(w.matrix, k)}
}

func (w *world) person(patient string) Caller {
	return Caller{Client: patient, Kind: Person, Patient: patient, Scopes: Everything(w.matrix, Person)}
}

// try asks for labels and permission as the door does; write also commits.
func (w *world) try(c Caller, e *fhir.Element) (search.Labels, error) {
	var previous *search.Labels
	action := ActionCreate
	if v, ok := w.current[store.Key{Type: e.ResourceType(), ID: e.ID()}]; ok && e.ID() != "" {
		previous, action = &v.Labels, ActionUpdate
	}
	l, err := w.policy.Label(w.t.Context(), c, e, previous)
	if err == nil {
		err = w.policy.MayWrite(w.t.Context(), c, action, e, l)
	}
	return l, err
}

func (w *world) write(c Caller, e *fhir.Element) *fhir.Element {
	w.t.Helper()
	if e.ID() == "" {
		w.next++
		e.Set("id", fmt.Sprintf("r%d", w.next))
	}
	l, err := w.try(c, e)
	if err != nil {
		w.t.Fatalf("%s writes %s: %v", c.Client, e.ResourceType(), err)
	}
	w.put(e, l)
	return e
}

// insure gives a person an insurer, by the insured card.
func (w *world) insure(patient, town string) *fhir.Element {
	c := fhir.NewResource("Coverage").Set("status", "active")
	label(c, care.InsuredCard)
	c.Add("beneficiary").Set("reference", "Patient/"+patient)
	c.Add("payor").Set("reference", "Organization/"+town)
	return w.write(w.caller(town), c)
}

func (w *world) register(patient, organization string, role sharing.Role) *fhir.Element {
	g := sharing.Registration{Patient: patient, Organization: organization, Role: role, Active: true, Identified: sharing.ByMyNumberCard}
	return w.write(w.person(patient), g.Resource())
}

// consent lets the person consent to everything for some organisations.
func (w *world) consent(patient string, organizations ...string) *fhir.Element {
	t := sharing.Terms{Patient: patient, Active: true, Permit: true, Recipients: organizations}
	return w.write(w.person(patient), t.Resource())
}

func label(e *fhir.Element, form string) *fhir.Element {
	e.Add("meta").Add("security").Set("system", care.FormSystem).Set("code", form)
	return e
}

// record is a DocumentReference of a form about a person.
func record(form, patient string) *fhir.Element { return recordOf("DocumentReference", form, patient) }

func recordOf(resourceType, form, patient string) *fhir.Element {
	e := label(fhir.NewResource(resourceType), form)
	e.Add("subject").Set("reference", "Patient/"+patient)
	return e
}

// sees reports whether a caller sees a resource, and that Explain agrees.
func (w *world) sees(c Caller, resourceType string, l search.Labels) bool {
	w.t.Helper()
	must, err := w.policy.Visibility(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	got := must.Allows(resourceType, "x", l)
	d, err := w.policy.Explain(w.t.Context(), c, resourceType, l)
	if err != nil {
		w.t.Fatal(err)
	}
	if d.Allowed != got {
		w.t.Errorf("%s, %s %+v: the predicate says %t, Explain says %t by %v", c.Client, resourceType, l, got, d.Allowed, d.Rules)
	}
	return got
}

func of(form, patient, author string) search.Labels {
	return search.Labels{Form: form, Patients: []string{patient}, Author: author}
}
