package api_test

import (
	"testing"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// TestNearInAnOldStore: what an older program has stored is found once it has
// been indexed; until then the search is refused rather than answered in part.
func TestNearInAnOldStore(t *testing.T) {
	clock := servertest.NewClock()
	engine, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close() //nolint:errcheck // in memory
	putAsBefore(t, engine, `{"resourceType":"Location","id":"old","position":{"latitude":35.68,"longitude":139.77}}`)
	jobs := job.Folder(t.TempDir())
	slow := &slowRekey{Engine: engine, stuck: make(chan struct{})}
	first := servertest.StartOn(t, slow, clock, servertest.Open, func(c *server.Config) { c.Jobs, c.Store = jobs, slow })
	<-slow.stuck
	c := first.Anonymous()
	c.Update(`{"resourceType":"Location","id":"new","position":{"latitude":35.68,"longitude":139.77}}`).Want(201)
	r := c.Search("Location?near=35.68|139.77|1|km").Want(503)
	same(t, "issue", r.Issue(), "transient/search-near")
	c.Search("Location?near:missing=true").Want(503)
	c.Search("Procedure?location.near=35.68|139.77|1|km").Want(503)
	if err := first.Server.Close(); err != nil {
		t.Fatal(err)
	}

	second := servertest.StartOn(t, engine, clock, servertest.Open, func(c *server.Config) { c.Jobs, c.Store = jobs, engine })
	c = second.Anonymous()
	settled(t, c)
	r = c.Search("Location?near=35.68|139.77|1|km&_sort=_id").Want(200)
	same(t, "found", r.Keys("match"), []string{"Location/new", "Location/old"})
	checkIndex(t, second)
}
