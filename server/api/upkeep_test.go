package api_test

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/mapping/samples"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/backup"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

// withBackups lets the server write backups of its store into a folder.
func withBackups(t *testing.T, dir string) servertest.Option {
	t.Helper()
	folder, err := backup.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	return func(c *server.Config) {
		c.Backups = &upkeep.Backups{Folder: folder, Source: c.Store.(backup.Source)}
	}
}

// parameters makes a Parameters of "name=value"; values that are true are
// booleans.
func parameters(list ...string) string {
	var parts []string
	for _, p := range list {
		name, value, _ := strings.Cut(p, "=")
		if value == "true" {
			parts = append(parts, `{"name":"`+name+`","valueBoolean":true}`)
			continue
		}
		parts = append(parts, `{"name":"`+name+`","valueString":"`+value+`"}`)
	}
	return `{"resourceType":"Parameters","parameter":[` + strings.Join(parts, ",") + `]}`
}

func purgeOf(keys ...string) string {
	list := []string{"erase-for-good=true"}
	for _, k := range keys {
		list = append(list, "resource="+k)
	}
	return parameters(list...)
}

// resultOf waits for a job and returns the parameters of its result.
func resultOf(t *testing.T, c *servertest.Client, r *servertest.Response) map[string]string {
	t.Helper()
	b := finished(t, c, kickedOff(t, r)).Want(200).Resource()
	got := map[string]string{}
	for p := range b.Get("entry").Get("resource").All("parameter") {
		for _, e := range p.Children {
			if e.Name != "name" {
				got[p.Text("name")] = e.Value
			}
		}
	}
	if b.Text("type") != "batch-response" || b.Text("entry", "response", "status") != "200 OK" {
		t.Errorf("the result is no Bundle of one answer: %v", got)
	}
	return got
}

func namesIn(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestUpkeepIsForOperators calls both operations as everybody else, by every
// way there is to call an operation: nothing happens.
func TestUpkeepIsForOperators(t *testing.T) {
	dir := t.TempDir()
	srv := servertest.Start(t, withBackups(t, dir), func(c *server.Config) { c.AuditWait = true })
	for _, name := range []string{"insurer", "hospital"} {
		srv.Intake(name).Want(200)
	}
	operator := srv.As(servertest.Operator)
	patient := operator.Search("Patient?_sort=_id&_count=1").Want(200).Keys("match")[0]
	callers := []string{srv.Person(strings.TrimPrefix(patient, "Patient/"))}
	for _, o := range samples.Organizations() {
		callers = append(callers, o.Key)
	}
	before := operator.Search("?_type=Patient,Coverage,Composition&_summary=count").Want(200).Total()
	bodies := map[string]string{"$backup": parameters("name=stolen"), "$purge": purgeOf(patient)}
	queries := map[string]string{"$backup": "?name=stolen", "$purge": "?erase-for-good=true&resource=" + patient}
	for name, body := range bodies {
		for _, caller := range callers {
			c := srv.As(caller)
			for way, r := range map[string]*servertest.Response{
				"POST":          c.Do("POST", name, body),
				"POST, a query": c.Do("POST", name+queries[name], ""),
				"respond-async": c.Do("POST", name, body, async),
			} {
				if r.Status != 403 || r.Issue() != "forbidden/operator-only" {
					t.Errorf("%s, %s by %s: %d %s", name, way, caller, r.Status, r.Body)
				}
			}
			for way, r := range map[string]*servertest.Response{
				"GET":                c.Do("GET", name+queries[name], ""),
				"GET, respond-async": c.Do("GET", name+queries[name], "", async),
				"on a type":          c.Do("POST", "Patient/"+name, body),
				"on a resource":      c.Do("POST", patient+"/"+name, body),
			} {
				if r.Status != 404 && r.Status != 405 {
					t.Errorf("%s, %s by %s: %d %s", name, way, caller, r.Status, r.Body)
				}
			}
			for kind, refusal := range map[string]string{"batch": "operation-in-bundle", "transaction": "operation-in-transaction"} {
				if r := c.Post(bundleOf(kind, "POST "+name+" "+body)); !strings.Contains(string(r.Body), refusal) {
					t.Errorf("%s in a %s by %s: %d %s", name, kind, caller, r.Status, r.Body)
				}
			}
		}
		if r := operator.Post(bundleOf("batch", "POST "+name+" "+body)); !strings.Contains(string(r.Body), "operation-in-bundle") {
			t.Errorf("%s in a batch by the operator: %d %s", name, r.Status, r.Body)
		}
		srv.Anonymous().Do("POST", name, body).Want(401)
	}
	if got := namesIn(t, dir); len(got) > 0 {
		t.Errorf("somebody wrote %v", got)
	}
	if got := operator.Search("?_type=Patient,Coverage,Composition&_summary=count").Want(200).Total(); got != before {
		t.Errorf("%s records, before %s", got, before)
	}
	refused := srv.As(servertest.Operator).Search("AuditEvent?subtype=" + url.QueryEscape("$purge") + "&outcome=4&_summary=count").Want(200).Total()
	if want := fmt.Sprint(3 * len(callers)); refused != want {
		t.Errorf("the record tells of %s refused attempts, want %s", refused, want)
	}
}

func TestPurge(t *testing.T) {
	srv := servertest.Start(t, func(c *server.Config) { c.AuditWait = true })
	srv.Intake("insurer").Want(200)
	srv.Intake("hospital").Want(200)
	operator, hospital := srv.As(servertest.Operator), srv.As("hospital")
	mine := hospital.Search("?_type=DocumentReference,Composition,Bundle,Condition,Observation,QuestionnaireResponse&_count=1000").Want(200).Keys("match")
	patients := hospital.Search("Patient?_count=1000").Want(200).Keys("match")
	if len(mine) < 3 || len(patients) == 0 {
		t.Fatalf("the hospital sees %v, %v", mine, patients)
	}
	operator.Delete(mine[0] + "?_cascade=none") // whatever comes of it: it is erased deleted or not
	result := kickedOff(t, operator.Search("Composition", async))
	finished(t, operator, result).Want(200)
	page := operator.Search("Patient?_count=1").Want(200).Link("next")

	for _, tt := range []struct {
		name, body string
		status     int
		issue      string
	}{
		{"nothing named", parameters("erase-for-good=true"), 400, "required/parameter-missing"},
		{"not confirmed", parameters("resource=" + mine[1]), 422, "value/purge-unconfirmed"},
		{"one is not there", purgeOf(mine[1], "Patient/nobody"), 404, "not-found/purge-unknown"},
		{"no reference", purgeOf("Patient"), 422, "value/purge-resource"},
		{"no resource type", purgeOf("Person2/1"), 422, "value/purge-resource"},
		{"the record of accesses", purgeOf("AuditEvent/1"), 403, "business-rule/purge-record"},
	} {
		r := operator.Do("POST", "$purge", tt.body)
		if r.Status != tt.status || r.Issue() != tt.issue {
			t.Errorf("%s: %d %s", tt.name, r.Status, r.Body)
		}
	}
	operator.Read(mine[1]).Want(200)

	got := resultOf(t, operator, operator.Do("POST", "$purge", purgeOf(append(mine, mine[1])...)))
	if diff := cmp.Diff(map[string]string{"resources": fmt.Sprint(len(mine))}, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	for _, key := range mine {
		operator.Read(key).Want(404)
		operator.Read(key + "/_history").Want(404)
		operator.Read(key + "/_history/1").Want(404)
	}
	for _, p := range patients {
		hospital.Read(p).Want(404) // it saw them for its records only
	}
	operator.Read(result).Want(404)
	operator.Read(page).Want(410)
	checkIndex(t, srv)

	events := operator.Search("AuditEvent?subtype=" + url.QueryEscape("$purge") + "&action=D&_count=1000").Want(200).Resource()
	var told []string
	for entry := range events.All("entry") {
		e := entry.Get("resource")
		if e.Text("outcome") != "0" || e.Text("agent", "altId") != servertest.Operator {
			t.Errorf("entry: outcome %s, by %s", e.Text("outcome"), e.Text("agent", "altId"))
		}
		for w := range e.All("entity") {
			if w.Text("lifecycle", "code") == "15" {
				key, _, versioned := strings.Cut(w.Text("what", "reference"), "/_history/")
				if told = append(told, key); !versioned {
					t.Errorf("%s without a version", key)
				}
			}
		}
	}
	slices.Sort(told)
	slices.Sort(mine)
	if diff := cmp.Diff(mine, slices.Compact(told)); diff != "" {
		t.Errorf("the record tells of (-want +got):\n%s", diff)
	}
	if r, err := audit.Verify(t.Context(), srv.Store); err != nil || !r.Sound() {
		t.Errorf("%+v, %v", r, err)
	}
}

// A consent gives nothing any more from the moment it is erased.
func TestPurgeOfAConsent(t *testing.T) {
	srv := servertest.Start(t)
	srv.Intake("insurer").Want(200)
	operator, clinic := srv.As(servertest.Operator), srv.As("clinic")
	patient := strings.TrimPrefix(operator.Search("Patient?_sort=_id&_count=1").Want(200).Keys("match")[0], "Patient/")
	consent := clinic.Create(string(fhirjson.Append(nil, consentTo(srv, patient, "clinic")))).Want(201).ID()
	clinic.Read("Patient/" + patient).Want(200)
	resultOf(t, operator, operator.Do("POST", "$purge", purgeOf("Consent/"+consent)))
	clinic.Read("Patient/" + patient).Want(404)
}

func TestPurgeOfHistory(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	for i := range 3 {
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"a","name":[{"family":"n%d"}]}`, i))
	}
	resultOf(t, c, c.Do("POST", "$purge", parameters("erase-for-good=true", "history-only=true", "resource=Patient/a")))
	c.Read("Patient/a").Want(200)
	c.Read("Patient/a/_history/2").Want(404)
	if got := c.Read("Patient/a/_history").Want(200).Total(); got != "1" {
		t.Errorf("%s versions left", got)
	}
	checkIndex(t, srv)
}

// gatedEngine lets erasures through until its gate is closed; the next then
// waits until it is opened.
type gatedEngine struct {
	*embedded.Engine
	left   atomic.Int64 // batches until the gate closes
	closed chan struct{}
	open   chan struct{}
}

func newGate(e *embedded.Engine, batches int64) *gatedEngine {
	g := &gatedEngine{Engine: e, closed: make(chan struct{}), open: make(chan struct{})}
	g.left.Store(batches)
	return g
}

func (g *gatedEngine) Erase(ctx context.Context, current bool, list []store.Erasing) ([]int, error) {
	if g.left.Add(-1) < 0 {
		if g.left.Load() == -1 {
			close(g.closed)
		}
		<-g.open
	}
	return g.Engine.Erase(ctx, current, list)
}

// manyPatients stores n of them and returns their keys.
func manyPatients(t *testing.T, c *servertest.Client, n int) []string {
	t.Helper()
	var entries, keys []string
	for i := range n {
		keys = append(keys, fmt.Sprintf("Patient/p%d", i))
		entries = append(entries, fmt.Sprintf(`PUT Patient/p%d {"resourceType":"Patient","id":"p%d"}`, i, i))
	}
	c.Post(bundleOf("transaction", entries...)).Want(200)
	return keys
}

// TestPurgeGoesOn stops the server in the middle of a purge; the next one goes
// on with it, and tells of it under the same address.
func TestPurgeGoesOn(t *testing.T) {
	clock := servertest.NewClock()
	e, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	jobs := job.Folder(t.TempDir())
	gate := newGate(e, 2)
	var ids atomic.Int64 // of entries of the record, for both servers
	keep := func(s store.Store) servertest.Option {
		return func(c *server.Config) {
			c.Jobs, c.Store = jobs, s
			c.NewAuditID = func() string { return fmt.Sprint("entry-", ids.Add(1)) }
		}
	}
	first := servertest.StartOn(t, gate, clock, keep(gate))
	c := first.As(servertest.Operator)
	keys := manyPatients(t, c, 450)
	kept := c.Update(`{"resourceType":"Patient","id":"kept"}`).Want(201).ID()
	status := kickedOff(t, c.Do("POST", "$purge", purgeOf(keys...)))
	<-gate.closed
	if got := c.Read(status).Want(202).Header.Get("X-Progress"); got != "running: 200 of 451" {
		t.Errorf("progress %q", got)
	}
	stopped := make(chan error)
	go func() { stopped <- first.Server.Close() }()
	time.Sleep(20 * time.Millisecond)
	close(gate.open) // the batch under way is finished
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	st, err := e.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if left := countPatients(t, e); left != 151 {
		t.Errorf("%d patients left at the stop (%+v), want 151", left, st)
	}
	second := servertest.StartOn(t, e, clock, keep(e))
	c = second.As(servertest.Operator)
	if r := finished(t, c, second.URL+status[strings.Index(status, "/fhir")+len("/fhir"):]).Want(200); !strings.Contains(string(r.Body), `"valueInteger":450`) {
		t.Errorf("%s", r.Body)
	}
	c.Read("Patient/" + kept).Want(200)
	if left := countPatients(t, e); left != 1 {
		t.Errorf("%d patients left, want 1", left)
	}
	if got := c.Search("AuditEvent?subtype=" + url.QueryEscape("$purge") + "&_summary=count").Want(200).Total(); got != "450" {
		t.Errorf("the record tells of %s erasures, want 450", got)
	}
	checkIndex(t, second)
}

func countPatients(t *testing.T, e *embedded.Engine) int {
	t.Helper()
	keys := map[store.Key]bool{}
	for v, err := range e.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if v.Type == "Patient" {
			keys[v.Key] = true
		}
	}
	return len(keys)
}

// TestPurgeCancelled: the rest is left alone.
func TestPurgeCancelled(t *testing.T) {
	clock := servertest.NewClock()
	e, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	gate := newGate(e, 1)
	srv := servertest.StartOn(t, gate, clock, servertest.Open)
	c := srv.Anonymous()
	status := kickedOff(t, c.Do("POST", "$purge", purgeOf(manyPatients(t, c, 350)...)))
	<-gate.closed
	c.Delete(status).Want(202)
	c.Read(status).Want(404)
	close(gate.open)
	if err := srv.Close(); err != nil { // waits for the job
		t.Fatal(err)
	}
	if left := countPatients(t, e); left != 150 {
		t.Errorf("%d patients left, want 150", left)
	}
}

// TestBackupOfRunningServer writes a full and an incremental backup while
// others write, and restores them: whole transactions, in order, without a gap.
func TestBackupOfRunningServer(t *testing.T) {
	dir := t.TempDir()
	srv := servertest.Start(t, servertest.Open, withBackups(t, dir))
	c := srv.Anonymous()
	manyPatients(t, c, 300)
	ctx, stop := context.WithCancel(t.Context())
	wrote := make(chan int)
	go func() {
		n := 0
		for ; ctx.Err() == nil; n++ {
			c.Post(bundleOf("transaction", fmt.Sprintf(`PUT Basic/a {"resourceType":"Basic","id":"a","code":{"text":"%d"}}`, n),
				fmt.Sprintf(`PUT Basic/b {"resourceType":"Basic","id":"b","code":{"text":"%d"}}`, n)))
		}
		wrote <- n
	}()
	full := resultOf(t, c, c.Do("POST", "$backup", parameters("name=full")))
	since := resultOf(t, c, c.Do("POST", "$backup?name=since&after=full", ""))
	stop()
	if n := <-wrote; n == 0 {
		t.Fatal("nothing was written meanwhile: the test shows nothing")
	}
	last := resultOf(t, c, c.Do("POST", "$backup?name=last&after=since", ""))
	if full["since"] != "0" || since["since"] != full["up-to"] || last["since"] != since["up-to"] || full["name"] != "full" {
		t.Errorf("full %v, since %v, last %v", full, since, last)
	}
	same(t, "files", namesIn(t, dir), []string{"full", "last", "since"})

	restored, err := embedded.OpenMemory(embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	for _, name := range []string{"full", "since", "last"} {
		file, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := restored.Restore(t.Context(), file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		_ = file.Close()
		a, err1 := restored.Read(t.Context(), store.Key{Type: "Basic", ID: "a"})
		b, err2 := restored.Read(t.Context(), store.Key{Type: "Basic", ID: "b"})
		if a.Seq != b.Seq || (err1 == nil) != (err2 == nil) {
			t.Errorf("%s holds half a transaction: %d, %d", name, a.Seq, b.Seq)
		}
	}
	if report, err := restored.Check(t.Context(), nil); err != nil || !report.Clean() {
		t.Errorf("%+v, %v", report, err)
	}
	if diff := cmp.Diff(allVersions(t, srv.Store), allVersions(t, restored)); diff != "" {
		t.Errorf("restored (-server +restored):\n%s", diff)
	}

	if err := os.WriteFile(filepath.Join(dir, "broken"), []byte("not a backup"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, query string
		status      int
		issue       string
	}{
		{"no name", "", 422, "value/backup-name"},
		{"out of the folder", "?name=" + url.QueryEscape("../x"), 422, "value/backup-name"},
		{"an absolute path", "?name=" + url.QueryEscape(filepath.Join(t.TempDir(), "x")), 422, "value/backup-name"},
		{"after something elsewhere", "?name=x&after=" + url.QueryEscape("../x"), 422, "value/backup-name"},
		{"there already", "?name=full", 409, "duplicate/backup-exists"},
		{"after nothing", "?name=x&after=nothing", 422, "value/backup-unknown"},
		{"after no backup", "?name=x&after=broken", 422, "value/backup-unreadable"},
	} {
		r := c.Do("POST", "$backup"+tt.query, "")
		if r.Status != tt.status || r.Issue() != tt.issue {
			t.Errorf("%s: %d %s", tt.name, r.Status, r.Body)
		}
	}
	resultOf(t, c, c.Do("POST", "$purge", purgeOf("Basic/a")))
	if r := c.Do("POST", "$backup?name=x&after=last", ""); r.Status != 422 || r.Issue() != "value/backup-erased" {
		t.Errorf("after an erasure: %d %s", r.Status, r.Body)
	}
	resultOf(t, c, c.Do("POST", "$backup?name=whole", ""))
}

func allVersions(t *testing.T, st store.Store) []store.Version {
	t.Helper()
	var list []store.Version
	for v, err := range st.Changes(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, v)
	}
	return list
}

// slowSource is a backup that lasts until its context ends.
type slowSource struct {
	backup.Source
	began chan struct{}
}

func (s *slowSource) Backup(ctx context.Context, w io.Writer, _ uint64, progress func(done, of uint64)) (uint64, error) {
	_, err := io.WriteString(w, strings.Repeat("half", 1<<20))
	progress(3, 4)
	close(s.began)
	<-ctx.Done()
	return 0, fmt.Errorf("%w, %w", ctx.Err(), err)
}

// TestBackupStopped: a cancelled backup leaves nothing, an interrupted one is
// written after the restart.
func TestBackupStopped(t *testing.T) {
	dir, jobs := t.TempDir(), job.Folder(t.TempDir())
	clock := servertest.NewClock()
	e, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	slow := &slowSource{e, make(chan struct{})}
	start := func(source backup.Source) *servertest.Server {
		return servertest.StartOn(t, e, clock, servertest.Open, withBackups(t, dir), func(c *server.Config) {
			c.Jobs, c.Backups.Source = jobs, source
		})
	}
	first := start(slow)
	c := first.Anonymous()
	status := kickedOff(t, c.Do("POST", "$backup?name=a", ""))
	<-slow.began
	if got := c.Read(status).Header.Get("X-Progress"); got != "running: 3 of 4" {
		t.Errorf("progress %q", got)
	}
	c.Delete(status).Want(202)
	for range 200 {
		if len(namesIn(t, dir)) == 0 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	same(t, "files after the cancel", namesIn(t, dir), []string{})

	slow.began = make(chan struct{})
	status = kickedOff(t, c.Do("POST", "$backup?name=a", ""))
	<-slow.began
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	same(t, "files after the stop", namesIn(t, dir), []string{})
	second := start(e)
	finished(t, second.Anonymous(), second.URL+status[strings.Index(status, "/fhir")+len("/fhir"):]).Want(200)
	same(t, "files after the restart", namesIn(t, dir), []string{"a"})
}

// TestUpkeepIsDeclared: the CapabilityStatement tells of what is set up.
func TestUpkeepIsDeclared(t *testing.T) {
	for _, with := range []bool{false, true} {
		options := []servertest.Option{servertest.Open}
		if with {
			options = append(options, withBackups(t, t.TempDir()))
		}
		c := servertest.Start(t, options...).Anonymous()
		names := map[string]bool{}
		for o := range c.Read("metadata").Want(200).Resource().Get("rest").All("operation") {
			names[o.Text("name")] = true
		}
		if names["backup"] != with || !names["purge"] {
			t.Errorf("backups %v: declared %v", with, names)
		}
		if !with {
			c.Do("POST", "$backup?name=a", "").Want(404)
		}
	}
}
