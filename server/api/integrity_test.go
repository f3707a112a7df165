package api_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
)

func checked(c *server.Config) {
	server.OpenMode(c)
	c.Options.CheckReferences = true
}

func TestReferencesAreChecked(t *testing.T) {
	c := servertest.Start(t, checked).Anonymous()
	dangling := `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
	r := c.Create(dangling).Want(422)
	if r.Issue() != "not-found/reference-not-found" || r.Resource().Text("issue", "expression") != "Observation.subject.reference" {
		t.Errorf("%s", r.Body)
	}
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	obs := c.Create(dangling).Want(201).ID()
	if got := c.Delete("Patient/p1").Want(409).Issue(); got != "conflict/referenced" {
		t.Error(got)
	}
	c.Post(bundleOf("transaction", "DELETE Patient/p1", "DELETE Observation/"+obs)).Want(200)
	c.Read("Patient/p1").Want(410)
	// A transaction may bring both ends, in either order.
	c.Post(bundleOf("transaction",
		`PUT Observation/o9 {"resourceType":"Observation","id":"o9","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p9"}}`,
		`PUT Patient/p9 {"resourceType":"Patient","id":"p9"}`)).Want(200)
}

// Nobody deletes what others refer to, or refers to what is deleted, however
// the two meet: after each round the reference is good or was refused.
func TestRaceReferenceAndDelete(t *testing.T) {
	c := servertest.Start(t, checked).Anonymous()
	for round := range 30 {
		id := fmt.Sprintf("p%d", round)
		c.Update(`{"resourceType":"Patient","id":"` + id + `"}`).Want(201)
		statuses := together(4, func(i int) int {
			if i%2 == 0 {
				return c.Delete("Patient/" + id).Status
			}
			return c.Create(`{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/` + id + `"}}`).Status
		})
		there, refer := c.Read("Patient/"+id).Status, c.Search("Observation?subject=Patient/"+id).Want(200).Total()
		if there == 410 && refer != "0" || there == 200 && refer == "0" {
			t.Errorf("round %d: Patient %d, %s references; answers %v", round, there, refer, statuses)
		}
		for status := range statuses {
			if status != 201 && status != 204 && status != 409 && status != 422 {
				t.Errorf("round %d: %v", round, statuses)
			}
		}
	}
}

// overtaken is an engine before each of whose writes somebody else does
// something, once.
type overtaken struct {
	store.Store
	others chan func()
}

func (b overtaken) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	select {
	case do := <-b.others:
		do()
	default:
	}
	return b.Store.Apply(ctx, tx)
}

// The same, with the other request at the worst moment.
func TestReferencesArePinned(t *testing.T) {
	others := make(chan func(), 1)
	c := openOn(t, func(st store.Store) store.Store { return overtaken{st, others} }, checked).Anonymous()
	const observation = `{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	others <- func() { c.Delete("Patient/p1").Want(204) }
	c.Create(observation).Want(422)
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	others <- func() { c.Create(observation).Want(201) }
	c.Delete("Patient/p1").Want(409)
	others <- func() { c.Delete("Observation?subject=Patient/p1").Want(204) }
	c.Post(bundleOf("transaction", "DELETE Observation?subject=Patient/p1", "DELETE Patient/p1")).Want(200)
	c.Read("Patient/p1").Want(410)
}

// contended is a store in which others are always faster.
type contended struct{ store.Store }

func (contended) Apply(context.Context, store.Tx) (store.Receipt, error) {
	return store.Receipt{}, store.ErrConflict
}

func TestContention(t *testing.T) {
	c := openOn(t, func(st store.Store) store.Store { return contended{st} }).Anonymous()
	for _, r := range []*servertest.Response{
		c.Create(yamada), c.Post(bundleOf("transaction", `POST Patient {"resourceType":"Patient"}`)),
	} {
		if got := r.Want(409).Issue(); got != "conflict/write-conflict" {
			t.Error(got)
		}
	}
}

// tooSmall is a store that cannot keep a resource.
type tooSmall struct{ store.Store }

func (tooSmall) Apply(context.Context, store.Tx) (store.Receipt, error) {
	return store.Receipt{}, fmt.Errorf("%w: a million bytes", store.ErrTooLarge)
}

func TestResourceTooLarge(t *testing.T) {
	c := openOn(t, func(st store.Store) store.Store { return tooSmall{st} }).Anonymous()
	if got := c.Create(yamada).Want(413).Issue(); got != "too-long/resource-too-large" {
		t.Error(got)
	}
}

// A server that takes no writes says so, and still answers reads.
type readOnly struct{ store.Store }

func (readOnly) Apply(context.Context, store.Tx) (store.Receipt, error) {
	return store.Receipt{}, store.ErrReadOnly
}

func TestReadOnly(t *testing.T) {
	c := openOn(t, func(st store.Store) store.Store { return readOnly{st} }).Anonymous()
	c.Create(yamada).Want(503)
	c.Search("Patient").Want(200)
}
