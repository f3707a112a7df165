package api_test

import (
	"context"
	"testing"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
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

// contended is a store in which others are always faster.
type contended struct{ store.Store }

func (contended) Apply(context.Context, store.Tx) (store.Receipt, error) {
	return store.Receipt{}, store.ErrConflict
}

func TestContention(t *testing.T) {
	clock := servertest.NewClock()
	st, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c := servertest.StartOn(t, contended{st}, clock, servertest.Open).Anonymous()
	for _, r := range []*servertest.Response{
		c.Create(yamada), c.Post(bundleOf("transaction", `POST Patient {"resourceType":"Patient"}`)),
	} {
		if got := r.Want(409).Issue(); got != "conflict/write-conflict" {
			t.Error(got)
		}
	}
}

// A server that takes no writes says so, and still answers reads.
type readOnly struct{ store.Store }

func (readOnly) Apply(context.Context, store.Tx) (store.Receipt, error) {
	return store.Receipt{}, store.ErrReadOnly
}

func TestReadOnly(t *testing.T) {
	clock := servertest.NewClock()
	st, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	c := servertest.StartOn(t, readOnly{st}, clock, servertest.Open).Anonymous()
	c.Create(yamada).Want(503)
	c.Search("Patient").Want(200)
}
