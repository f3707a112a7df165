package api_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// parameterOf makes a SearchParameter.
func parameterOf(id, code, typ, base, expression string) string {
	return `{"resourceType":"SearchParameter","id":"` + id + `","url":"http://example.org/SearchParameter/` + id + `","name":"` + strings.ReplaceAll(id, "-", "") +
		`","status":"active","description":"x","code":"` + code + `","base":["` + base + `"],"type":"` + typ + `","expression":"` + expression + `"}`
}

const nickname = "Patient.name.where(use='nickname').text"

// settled waits until the parameters in force are those.
func settled(t *testing.T, c *servertest.Client, want ...string) {
	t.Helper()
	var got []string
	var last *servertest.Response
	for range 1000 {
		last = c.On(t).Read("SearchParameter/$reindex").Want(200)
		got = nil
		pending := false
		for p := range last.Resource().All("parameter") {
			switch p.Text("name") {
			case "in-force":
				got = append(got, p.Text("valueUri")[len("http://example.org/SearchParameter/"):])
			case "pending":
				pending = true
			case "state":
				pending = pending || p.Text("valueCode") == "running" || p.Text("valueCode") == "queued"
			}
		}
		if !pending && slices.Equal(got, want) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("in force %v, want %v\n%s", got, want, last.Body)
}

func TestCustomSearchParameter(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	patient := func(id, nick string) string {
		return `{"resourceType":"Patient","id":"` + id + `","name":[{"use":"nickname","text":"` + nick + `"}]}`
	}
	for i := range 450 { // more than a batch
		c.Update(patient(fmt.Sprintf("p%d", i), fmt.Sprintf("nick%d", i%3))).Want(201)
	}
	c.Update(patient("p0", "changed")).Want(200)
	c.Delete("Patient/p1").Want(204)
	before := c.Read("Patient/p2")
	c.Search("Patient?nickname=nick0", "Prefer: handling=strict").Want(400)

	c.Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(201)
	settled(t, c, "nick")
	strict := "Prefer: handling=strict"
	if got := c.Search("Patient?nickname=nick0&_summary=count", strict).Want(200).Total(); got != "149" { // p0 has changed
		t.Errorf("%s patients, want 149", got)
	}
	if got := c.Search("Patient?nickname=nick1&_summary=count", strict).Want(200).Total(); got != "149" { // p1 is deleted
		t.Errorf("%s patients, want 149", got)
	}
	same(t, "a version", c.Search("Patient?nickname=changed", strict).Keys("match"), []string{"Patient/p0"})
	after := c.Read("Patient/p2")
	if after.Header.Get("ETag") != before.Header.Get("ETag") || !bytes.Equal(after.Body, before.Body) {
		t.Error("indexing changed a resource")
	}
	c.Update(patient("new", "nick0")).Want(201)
	if got := c.Search("Patient?nickname=nick0&_summary=count", strict).Total(); got != "150" {
		t.Errorf("%s patients after a create, want 150", got)
	}
	if got := c.Search("Patient?nickname=nick2&_sort=-nickname&_count=2", strict).Want(200).Keys("match"); len(got) != 2 {
		t.Errorf("sorted by it: %v", got)
	}
	if meta := string(c.Read("metadata").Body); !strings.Contains(meta, `"definition":"http://example.org/SearchParameter/nick"`) {
		t.Error("the CapabilityStatement does not tell of it")
	}
	checkIndex(t, srv)

	t.Run("changed", func(t *testing.T) {
		c.Update(parameterOf("nick", "nickname", "string", "Patient", "Patient.gender")).Want(200)
		settled(t, c, "nick")
		if got := c.Search("Patient?nickname=nick0&_summary=count", strict).Want(200).Total(); got != "0" {
			t.Errorf("%s patients by the former expression", got)
		}
		checkIndex(t, srv)
	})
	t.Run("retired", func(t *testing.T) {
		c.Update(strings.Replace(parameterOf("nick", "nickname", "string", "Patient", nickname), `"active"`, `"retired"`, 1)).Want(200)
		settled(t, c)
		c.Search("Patient?nickname=nick0", strict).Want(400)
		checkIndex(t, srv)
	})
	t.Run("deleted", func(t *testing.T) {
		c.Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(200)
		settled(t, c, "nick")
		c.Search("Patient?nickname=nick0", strict).Want(200)
		c.Delete("SearchParameter/nick").Want(204)
		settled(t, c)
		c.Search("Patient?nickname=nick0", strict).Want(400)
		checkIndex(t, srv)
	})
	t.Run("one that cannot take effect", func(t *testing.T) {
		for name, p := range map[string]string{
			"taken":      parameterOf("bad", "name", "string", "Patient", nickname),
			"expression": parameterOf("bad", "nickname", "string", "Patient", "Patient.name.("),
		} {
			r := c.Update(p, "Prefer: return=OperationOutcome")
			if r.Status != 200 && r.Status != 201 && r.Status != 422 || !strings.Contains(string(r.Body), "search-parameter-") && r.Status != 422 {
				t.Errorf("%s: %d %s", name, r.Status, r.Body)
			}
		}
		c.Update(parameterOf("good", "nickname", "string", "Patient", nickname)).Want(201)
		settled(t, c, "good")
	})
}

// checkIndex compares the keys in the store with those computed anew.
func checkIndex(t *testing.T, srv *servertest.Server) {
	t.Helper()
	report, err := srv.Store.(*embedded.Engine).Check(t.Context(), func(v store.Version) ([][]byte, error) {
		e, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
		if err != nil {
			return nil, err
		}
		return srv.Service.Keys(e)
	})
	if err != nil || !report.Clean() {
		t.Errorf("the index is not what it should be: %v, %v", report.Problems, err)
	}
}

// References of a custom parameter work in includes and chains.
func TestCustomReferenceParameter(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Update(`{"resourceType":"Patient","id":"a","name":[{"family":"mihon"}]}`).Want(201)
	c.Update(`{"resourceType":"Basic","id":"b","code":{"text":"x"},"extension":[{"url":"http://example.org/about","valueReference":{"reference":"Patient/a"}}]}`).Want(201)
	p := strings.Replace(parameterOf("about", "about", "reference", "Basic", "Basic.extension.where(url='http://example.org/about').value"), `"type":`, `"target":["Patient"],"type":`, 1)
	c.Update(p).Want(201)
	settled(t, c, "about")
	same(t, "include", c.Search("Basic?about=Patient/a&_include=Basic:about").Want(200).Keys(""), []string{"Basic/b", "Patient/a"})
	same(t, "wildcard", c.Search("Basic?_id=b&_include=*").Want(200).Keys(""), []string{"Basic/b", "Patient/a"})
	same(t, "chain", c.Search("Basic?about.name=mihon").Want(200).Keys("match"), []string{"Basic/b"})
	same(t, "reverse chain", c.Search("Patient?_has:Basic:about:_id=b").Want(200).Keys("match"), []string{"Patient/a"})
}

func TestCustomParametersAreTheOperators(t *testing.T) {
	srv := servertest.Start(t)
	srv.As("insurer").Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(403)
	srv.As("insurer").Read("SearchParameter/$reindex").Want(403)
	op := srv.As(servertest.Operator)
	op.Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(201)
	settled(t, op, "nick")
}

// Resources written while a parameter is being indexed are found by it.
func TestWritesWhileIndexing(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	const writers, each = 4, 60
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for i := range each {
				r := c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"w%d-%d","name":[{"use":"nickname","text":"taro"}]}`, w, i%40))
				if r.Status != 201 && r.Status != 200 {
					t.Errorf("%d %s", r.Status, r.Body)
				}
			}
		})
	}
	for i := range 6 {
		c.Update(parameterOf("nick", "nickname", "string", "Patient", []string{nickname, "Patient.gender"}[i%2])).Want([]int{201, 200}[min(i, 1)])
		time.Sleep(3 * time.Millisecond)
	}
	c.Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(200)
	group.Wait()
	settled(t, c, "nick")
	if got := c.Search("Patient?nickname=taro&_summary=count", "Prefer: handling=strict").Want(200).Total(); got != "160" {
		t.Errorf("%s patients, want 160", got)
	}
	checkIndex(t, srv)
}

// slowRekey stops indexing after some batches until it is let go.
type slowRekey struct {
	*embedded.Engine
	mu    sync.Mutex
	left  int
	stuck chan struct{} // closed when it stands still
}

func (s *slowRekey) Rekey(ctx context.Context, list []store.Rekeying) error {
	s.mu.Lock()
	s.left--
	stop := s.left < 0
	if s.left == -1 {
		close(s.stuck)
	}
	s.mu.Unlock()
	if stop {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.Engine.Rekey(ctx, list)
}

// Indexing goes on after a restart, and the parameter is used only when it is
// done.
func TestIndexingOutlivesARestart(t *testing.T) {
	clock := servertest.NewClock()
	engine, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close() //nolint:errcheck // in memory
	jobs := job.Folder(t.TempDir())
	open := func(st store.Store) servertest.Option {
		return func(c *server.Config) { c.Jobs, c.Store, c.Options.ClientIDs = jobs, st, true }
	}
	slow := &slowRekey{Engine: engine, left: 2, stuck: make(chan struct{})}
	first := servertest.StartOn(t, slow, clock, servertest.Open, open(slow))
	c := first.Anonymous()
	for i := range 700 {
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","name":[{"use":"nickname","text":"taro"}]}`, i)).Want(201)
	}
	c.Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(201)
	<-slow.stuck
	body := string(c.Read("SearchParameter/$reindex").Body)
	if !strings.Contains(body, `"name":"pending"`) || !strings.Contains(body, `"running"`) {
		t.Errorf("progress %s", body)
	}
	c.Search("Patient?nickname=taro", "Prefer: handling=strict").Want(400)
	if err := first.Server.Close(); err != nil {
		t.Fatal(err)
	}
	second := servertest.StartOn(t, engine, clock, servertest.Open, open(engine))
	c = second.Anonymous()
	settled(t, c, "nick")
	if got := c.Search("Patient?nickname=taro&_summary=count", "Prefer: handling=strict").Want(200).Total(); got != "700" {
		t.Errorf("%s patients, want 700", got)
	}
	checkIndex(t, second)
	if err := second.Server.Close(); err != nil {
		t.Fatal(err)
	}
	third := servertest.StartOn(t, engine, clock, servertest.Open, open(engine))
	c = third.Anonymous()
	c.Search("Patient?nickname=taro", "Prefer: handling=strict").Want(200) // at once: the index is there
}

// A store that was restored from a backup is indexed anew, whatever the folder
// of jobs says.
func TestIndexAfterRestore(t *testing.T) {
	clock := servertest.NewClock()
	jobs := job.Folder(t.TempDir())
	open := func(st store.Store) servertest.Option {
		return func(c *server.Config) { c.Jobs, c.Store, c.Options.ClientIDs = jobs, st, true }
	}
	engine := func() *embedded.Engine {
		e, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		return e
	}
	old := engine()
	first := servertest.StartOn(t, old, clock, servertest.Open, open(old))
	c := first.Anonymous()
	c.Update(`{"resourceType":"Patient","id":"a","name":[{"use":"nickname","text":"taro"}]}`).Want(201)
	var full, rest bytes.Buffer
	upTo, err := old.Backup(t.Context(), &full, 0, nil) // the patient, without the key to come
	if err != nil {
		t.Fatal(err)
	}
	c.Update(parameterOf("nick", "nickname", "string", "Patient", nickname)).Want(201)
	settled(t, c, "nick")
	if _, err := old.Backup(t.Context(), &rest, upTo, nil); err != nil {
		t.Fatal(err)
	}
	if err := first.Server.Close(); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	restored := engine()
	for _, b := range []*bytes.Buffer{&full, &rest} {
		if err := restored.Restore(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	second := servertest.StartOn(t, restored, clock, servertest.Open, open(restored))
	c = second.Anonymous()
	settled(t, c, "nick")
	same(t, "found", c.Search("Patient?nickname=taro", "Prefer: handling=strict").Want(200).Keys("match"), []string{"Patient/a"})
	checkIndex(t, second)
}
