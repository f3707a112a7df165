package mongodb_test

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store/mongodb"
)

// TestServer runs the whole server, with access control and its record of
// accesses, on the stand-in for a replica set.
func TestServer(t *testing.T) {
	clock := servertest.NewClock()
	e := openTest(t, mongodb.Options{URI: newReplicaSet(t).uri, Now: clock.Now})
	t.Cleanup(func() { _ = e.Close() })
	srv := servertest.StartOn(t, e, clock)
	operator := srv.As(servertest.Operator)
	r := operator.Post(`{"resourceType":"Bundle","type":"transaction","entry":[
		{"fullUrl":"urn:uuid:8cafa46d-08b4-4ee4-b51b-803e20ae8126","resource":{"resourceType":"Organization","name":"new"},"request":{"method":"POST","url":"Organization","ifNoneExist":"name=new"}},
		{"resource":{"resourceType":"Patient","id":"p2","name":[{"family":"yamada"}],"managingOrganization":{"reference":"urn:uuid:8cafa46d-08b4-4ee4-b51b-803e20ae8126"}},"request":{"method":"PUT","url":"Patient/p2"}}]}`).Want(200)
	if n := len(slices.Collect(r.Resource().All("entry"))); n != 2 {
		t.Errorf("%d entries", n)
	}
	found := operator.Search("Patient?name=yama&organization.name=new&_include=Patient:organization&_total=accurate").Want(200)
	if found.Total() != "1" || len(found.Keys("include")) != 1 {
		t.Errorf("total %s, included %v", found.Total(), found.Keys("include"))
	}
	operator.Read("Patient/p2/_history").Want(200)
	person := srv.Person("p2")
	if own := srv.As(person).Search("Patient").Want(200).Keys("match"); !slices.Equal(own, []string{"Patient/p2"}) {
		t.Errorf("the person sees %v", own)
	}
	if seen := srv.As("day-care").Search("Patient").Want(200).Keys("match"); len(seen) != 0 {
		t.Errorf("an office without relation sees %v", seen)
	}
	srv.Intake("insurer").Want(200)
	if seen := srv.As("insurer").Search("Patient").Want(200).Keys("match"); len(seen) == 0 || slices.Contains(seen, "Patient/p2") {
		t.Errorf("the insurer sees %v", seen)
	}
}

// TestCustomSearchParameter stores a SearchParameter with one of two servers on
// a database: both find by it what is stored already, and what either writes
// afterwards.
func TestCustomSearchParameter(t *testing.T) {
	clock := servertest.NewClock()
	o := mongodb.Options{URI: newReplicaSet(t).uri, Now: clock.Now, Database: "kaigofhir-test-" + rand.Text()}
	var clients []*servertest.Client
	for i := range 2 {
		e := openAgain(t, o)
		t.Cleanup(func() { _ = e.Close() })
		clients = append(clients, servertest.StartOn(t, e, clock, servertest.Open, func(c *server.Config) {
			c.SharedEvery = 20 * time.Millisecond
			c.NewID = func() string { return fmt.Sprint("server", i, "-", rand.Text()) }
		}).Anonymous())
	}
	patient := func(c *servertest.Client, id, nick string) {
		c.On(t).Update(`{"resourceType":"Patient","id":"` + id + `","name":[{"use":"nickname","text":"` + nick + `"}]}`)
	}
	for i := range 9 {
		patient(clients[i%2], fmt.Sprint("old", i), []string{"hana", "taro", "jiro"}[i%3])
	}
	patient(clients[0], "old0", "changed")
	clients[1].Delete("Patient/old3").Want(204)
	clients[0].Update(`{"resourceType":"SearchParameter","id":"nick","url":"http://example.org/SearchParameter/nick","name":"nick","status":"active",
		"description":"x","code":"nickname","base":["Patient"],"type":"string","expression":"Patient.name.where(use='nickname').text"}`).Want(201)
	for i, c := range clients {
		inForce(t, c)
		if got := c.On(t).Search("Patient?nickname=hana&_sort=_id").Want(200).Keys("match"); !slices.Equal(got, []string{"Patient/old6"}) {
			t.Errorf("server %d finds %v", i, got)
		}
		patient(c, fmt.Sprint("new", i), "saburo")
	}
	for i, c := range clients {
		if n := c.On(t).Search("Patient?nickname=saburo&_summary=count", "Prefer: handling=strict").Want(200).Total(); n != "2" {
			t.Errorf("server %d finds %s new ones", i, n)
		}
	}
}

// inForce waits until the parameter can be used, without asking $reindex, which
// would look at the store at once.
func inForce(t *testing.T, c *servertest.Client) {
	t.Helper()
	for range 1000 {
		if c.On(t).Search("Patient?nickname=x", "Prefer: handling=strict").Status == 200 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the parameter does not come into force")
}

// TestSaysSingleWrites: a server on a deployment without transactions offers
// none, and says why.
func TestSaysSingleWrites(t *testing.T) {
	clock := servertest.NewClock()
	e := openTest(t, mongodb.Options{URI: plainServer(t), SingleWrites: true, Now: clock.Now})
	t.Cleanup(func() { _ = e.Close() })
	c := servertest.StartOn(t, e, clock, servertest.Open).Anonymous()
	var codes []string
	for rest := range c.Read("metadata").Want(200).Resource().All("rest") {
		if !strings.Contains(rest.Text("documentation"), "no transactions") {
			t.Errorf("documentation %q", rest.Text("documentation"))
		}
		for i := range rest.All("interaction") {
			codes = append(codes, i.Text("code"))
		}
	}
	if slices.Contains(codes, "transaction") || !slices.Contains(codes, "batch") {
		t.Errorf("interactions of the system: %v", codes)
	}
	entry := func(id string) string {
		return `{"resource":{"resourceType":"Patient","id":"` + id + `"},"request":{"method":"PUT","url":"Patient/` + id + `"}}`
	}
	bundle := func(typ string, entries ...string) string {
		return `{"resourceType":"Bundle","type":"` + typ + `","entry":[` + strings.Join(entries, ",") + `]}`
	}
	c.Post(bundle("transaction", entry("a"), entry("b"))).Want(400)
	c.Read("Patient/a").Want(404)
	c.Post(bundle("transaction", entry("a"))).Want(200)
	c.Post(bundle("batch", entry("b"), entry("c"))).Want(200)
	c.Read("Patient/c").Want(200)
}

// TestServersKeepOneRecord lets two servers write and read at the same time:
// the record of accesses in their store is without a gap or a fork, also after
// one has started again.
func TestServersKeepOneRecord(t *testing.T) {
	clock := servertest.NewClock()
	o := mongodb.Options{URI: newReplicaSet(t).uri, Now: clock.Now, Database: "kaigofhir-test-" + rand.Text()}
	start := func(number int) (*servertest.Server, *mongodb.Engine) {
		e := openAgain(t, o)
		t.Cleanup(func() { _ = e.Close() })
		return servertest.StartOn(t, e, clock, func(c *server.Config) {
			c.Number, c.AuditWait = number, true
			c.NewID, c.NewAuditID = rand.Text, rand.Text
		}), e
	}
	use := func(servers ...*servertest.Server) {
		t.Helper()
		for i := range 20 {
			for _, srv := range servers {
				operator := srv.As(servertest.Operator)
				operator.Update(fmt.Sprintf(`{"resourceType":"Organization","id":"o%d","name":"x"}`, i))
				operator.Read(fmt.Sprintf("Organization/o%d", i)).Want(200)
			}
		}
	}
	first, _ := start(0)
	second, e := start(1)
	use(first, second)
	again, _ := start(1) // the second, which does nothing any more
	use(first, again)
	report, err := audit.Verify(t.Context(), e)
	if err != nil || !report.Sound() || report.Entries < 160 {
		t.Errorf("the record of accesses: %+v, %v", report, err)
	}
	if !slices.ContainsFunc(report.Heads, func(h audit.Head) bool { return h.Lane >= 16 }) {
		t.Error("both servers wrote the same lanes")
	}
}
