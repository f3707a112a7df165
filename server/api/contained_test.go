package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/fhir/search/searchscript"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// order makes a MedicationRequest that contains medicines, "a", "b", … of these
// codes.
func order(id string, codes ...string) string {
	var contained, others []string
	for i, code := range codes {
		if i > 0 {
			others = append(others, fmt.Sprintf(`{"reference":"#%c"}`, 'a'+i))
		}
		contained = append(contained, fmt.Sprintf(`{"resourceType":"Medication","id":%q,"code":{"coding":[{"system":"http://drugs","code":%q}]}}`, string(rune('a'+i)), code))
	}
	more := ""
	if others != nil {
		more = `,"supportingInformation":[` + strings.Join(others, ",") + `]`
	}
	return fmt.Sprintf(`{"resourceType":"MedicationRequest","id":%q,"contained":[%s],"status":"active","intent":"order","subject":{"reference":"Patient/p1"},"medicationReference":{"reference":"#a"}%s}`,
		id, strings.Join(contained, ","), more)
}

// urls are the fullUrls of the matches, without the base.
func urls(r *servertest.Response) []string {
	var out []string
	for e := range r.Resource().All("entry") {
		if e.Text("search", "mode") == "match" {
			_, name, _ := strings.Cut(e.Text("fullUrl"), api.BasePath+"/")
			out = append(out, name)
		}
	}
	return out
}

// TestContainedPages goes through results that are contained resources, while
// others write: no more on a page than asked for, each once, an exact total.
func TestContainedPages(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	c.Update(`{"resourceType":"Medication","id":"alone","code":{"coding":[{"system":"http://drugs","code":"x"}]}}`).Want(201)
	var want []string
	for i := range 7 {
		id := fmt.Sprint("r", i)
		c.Update(order(id, "x", "y", "x", "x")).Want(201)
		want = append([]string{"MedicationRequest/" + id + "#a", "MedicationRequest/" + id + "#c", "MedicationRequest/" + id + "#d"}, want...)
	}
	for _, tt := range []struct {
		query string
		want  []string
	}{
		{"_contained=true&_containedType=contained", want},
		{"_contained=both&_containedType=contained", append(slices.Clone(want), "Medication/alone")},
		{"_contained=true", containers(want)},
		{"_contained=both", append(containers(want), "Medication/alone")},
	} {
		for count := 1; count < 6; count++ {
			r := c.On(t).Search(fmt.Sprintf("Medication?code=x&_count=%d&%s", count, tt.query)).Want(200)
			var got []string
			for {
				page := urls(r)
				got = append(got, page...)
				if len(page) > count || r.Total() != fmt.Sprint(len(tt.want)) {
					t.Fatalf("%s, _count=%d: %d on a page, total %s, want %d", tt.query, count, len(page), r.Total(), len(tt.want))
				}
				c.Update(order("new", "x"))
				if r.Link("next") == "" {
					break
				}
				r = c.On(t).Search(r.Link("next")).Want(200)
			}
			same(t, fmt.Sprintf("%s, _count=%d", tt.query, count), got, tt.want)
			c.Delete("MedicationRequest/new").Want(204)
		}
	}
}

// containers leaves out what follows #, and repetitions.
func containers(list []string) []string {
	out := slices.Clone(list)
	for i := range out {
		out[i], _, _ = strings.Cut(out[i], "#")
	}
	return slices.Compact(out)
}

func TestContainedEntries(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	c := srv.Anonymous()
	c.Update(`{"resourceType":"Patient","id":"p1","name":[{"family":"山田"}]}`).Want(201)
	c.Update(`{"resourceType":"Patient","id":"p2","name":[{"family":"佐藤"}]}`).Want(201)
	c.Update(order("r1", "x", "y")).Want(201)
	r := c.Search("Medication?code=y&_contained=true&_containedType=contained").Want(200)
	same(t, "urls", urls(r), []string{"MedicationRequest/r1#b"})
	same(t, "the resource alone", string(fhirjson.Append(nil, r.Resource().Get("entry", "resource"))),
		`{"resourceType":"Medication","id":"b","code":{"coding":[{"system":"http://drugs","code":"y"}]}}`)
	r = c.Search("Medication?code=y&_contained=true&_containedType=contained&_elements=status").Want(200)
	if e := r.Resource().Get("entry", "resource"); e.Get("code") != nil || e.Text("meta", "tag", "code") != "SUBSETTED" {
		t.Errorf("_elements: %s", fhirjson.Append(nil, e))
	}
	r = c.Search("Medication?code=y&_contained=true").Want(200)
	if e := r.Resource().Get("entry", "resource"); e.ResourceType() != "MedicationRequest" || e.Get("contained") == nil {
		t.Errorf("the container: %s", fhirjson.Append(nil, e))
	}
	same(t, "in a compartment", urls(c.Search("Patient/p1/Medication?_contained=true").Want(200)), []string{"MedicationRequest/r1"})
	same(t, "in another", urls(c.Search("Patient/p2/Medication?_contained=true").Want(200)), []string(nil))
	same(t, "everywhere in a compartment", urls(c.Search("Patient/p1/*?_contained=both&_containedType=contained").Want(200)),
		[]string{"MedicationRequest/r1", "MedicationRequest/r1#a", "MedicationRequest/r1#b"})
	c.Update(order("r1", "x")).Want(200)
	same(t, "no longer", urls(c.Search("Medication?code=y&_contained=true").Want(200)), []string(nil))
}

// TestContainedScopes: what the predicate shows is found only where the scopes
// allow to search both the type asked for and that of the container.
func TestContainedScopes(t *testing.T) {
	e := openScripted(t, http.MethodGet)
	var records []*searchscript.Record
	for _, text := range []string{
		`{"resourceType":"Medication","id":"m","code":{"text":"x"}}`, order("r", "x"),
		`{"resourceType":"MedicationStatement","id":"s","contained":[{"resourceType":"Medication","id":"a"},{"resourceType":"Organization","id":"o"}],"status":"active","subject":{"reference":"Patient/p"},"medicationReference":{"reference":"#a"},"informationSource":{"reference":"#o"}}`,
	} {
		resource, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, &searchscript.Record{Resource: resource})
	}
	if err := e.Load(records); err != nil {
		t.Fatal(err)
	}
	e.must = search.Must{Any: []search.Grant{{Types: []string{"Medication", "MedicationRequest", "MedicationStatement"}}}}
	for _, tt := range []struct {
		name, scopes, query string
		want                string // "403" for a refusal
	}{
		{"all", "system/*.s", "Medication?_contained=true", "MedicationRequest/r MedicationStatement/s"},
		{"both types", "system/Medication.s system/MedicationRequest.s", "Medication?_contained=true", "MedicationRequest/r"},
		{"both, with itself", "system/Medication.s system/MedicationStatement.rs", "Medication?_contained=both&_containedType=contained", "Medication/m MedicationStatement/s#a"},
		{"read, not search", "system/Medication.s system/MedicationRequest.r", "Medication?_contained=true", ""},
		{"only the type asked for", "system/Medication.s", "Medication?_contained=true", ""},
		{"only that of the container", "system/MedicationRequest.s", "Medication?_contained=true", "403"},
		{"no type asked for", "system/Medication.s system/MedicationStatement.s", "?_contained=true&_containedType=contained", "MedicationStatement/s#a"},
		{"nothing", "", "?_contained=true", "403"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e.scopes = policy.GrantScopes(sharing.National(), policy.Operator, tt.scopes)
			r := servertest.NewClient(t, e.http.URL+api.BasePath, e.http.Client()).Search(tt.query)
			if tt.want == "403" {
				r.Want(http.StatusForbidden)
				return
			}
			got := names(r.Want(http.StatusOK).Resource())
			slices.Sort(got)
			same(t, "found", strings.Join(got, " "), tt.want)
			if r.Total() != fmt.Sprint(len(got)) {
				t.Errorf("total %s of %d", r.Total(), len(got))
			}
		})
	}
}

// TestContainedInAnOldStore opens a store that a program wrote which gave
// contained resources no keys: the search is refused until they have some.
func TestContainedInAnOldStore(t *testing.T) {
	clock := servertest.NewClock()
	engine, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close() //nolint:errcheck // in memory
	for i := range 300 {
		putAsBefore(t, engine, order(fmt.Sprint("r", i), "x"))
	}
	jobs := job.Folder(t.TempDir())
	open := func(st store.Store) servertest.Option {
		return func(c *server.Config) { c.Jobs, c.Store, c.Options.ClientIDs = jobs, st, true }
	}
	slow := &slowRekey{Engine: engine, left: 1, stuck: make(chan struct{})}
	first := servertest.StartOn(t, slow, clock, servertest.Open, open(slow))
	c := first.Anonymous()
	<-slow.stuck
	c.Update(order("new", "x")).Want(201)
	refused := c.Search("Medication?code=x&_contained=true").Want(503)
	if i := issuesOf(refused.Resource()); len(i) != 1 || i[0].Code != fhir.Transient {
		t.Errorf("refused with %v", i)
	}
	c.Search("MedicationRequest?status=active").Want(200)
	if err := first.Server.Close(); err != nil {
		t.Fatal(err)
	}

	second := servertest.StartOn(t, engine, clock, servertest.Open, open(engine))
	c = second.Anonymous()
	settled(t, c)
	if got := c.Search("Medication?code=x&_contained=true&_summary=count").Want(200).Total(); got != "301" {
		t.Errorf("%s found, want 301", got)
	}
	checkIndex(t, second)
	if err := second.Server.Close(); err != nil {
		t.Fatal(err)
	}
	third := servertest.StartOn(t, engine, clock, servertest.Open, open(engine))
	c = third.Anonymous()
	c.Search("Medication?code=x&_contained=true").Want(200) // at once: the keys are there
}

// TestContainedWithoutReindexing has an engine that cannot give new keys: what
// it holds from the beginning can be searched, an older store cannot.
func TestContainedWithoutReindexing(t *testing.T) {
	clock := servertest.NewClock()
	start := func(e *embedded.Engine, jobs job.Storage) *servertest.Server {
		plain := struct{ store.Store }{e}
		return servertest.StartOn(t, plain, clock, servertest.Open, func(c *server.Config) { c.Jobs, c.Store, c.Options.ClientIDs = jobs, plain, true })
	}
	for _, old := range []bool{false, true} {
		engine, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
		if err != nil {
			t.Fatal(err)
		}
		if old {
			putAsBefore(t, engine, order("r1", "x"))
		}
		jobs := job.Folder(t.TempDir())
		for round := range 2 {
			srv := start(engine, jobs)
			c := srv.Anonymous()
			c.Update(order("r2", "x"))
			want := 200
			if old {
				want = 503
			}
			// The server notes soon after its start that the store is its own.
			for range 2000 {
				if noted(jobs) != old {
					break
				}
				time.Sleep(5 * time.Millisecond)
			}
			t.Logf("old %t, start %d", old, round)
			c.Search("Medication?code=x&_contained=true").Want(want)
			if err := srv.Server.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := engine.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// noted reports whether it is kept that the keys are complete.
func noted(jobs job.Storage) bool {
	data, err := jobs.Get("parameters.state")
	return err == nil && bytes.Contains(data, []byte("keysVersion"))
}

// putAsBefore stores a resource as a program did that knew no keys of contained
// resources and of places.
func putAsBefore(t *testing.T, st store.Store, text string) {
	t.Helper()
	registry, err := search.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	e, err := fhirjson.Decode([]byte(text), fhirjson.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = st.Apply(context.Background(), store.Tx{Writes: []store.Write{{
		Key: store.Key{Type: e.ResourceType(), ID: e.ID()}, Method: store.Create,
		Stamp: func(version uint64, at time.Time) ([]byte, [][]byte, error) {
			e.Add("meta").Set("versionId", fmt.Sprint(version)).Set("lastUpdated", at.UTC().Format("2006-01-02T15:04:05.000Z"))
			keys, err := registry.Keys(e)
			had := len(keys)
			keys = slices.DeleteFunc(keys, func(k []byte) bool { return k[0] == '#' || bytes.HasPrefix(k, []byte("near\x00")) })
			if len(keys) == had {
				err = errors.Join(err, errors.New("no key that was not given before"))
			}
			return fhirjson.Append(nil, e), keys, err
		},
	}}})
	if err != nil {
		t.Fatal(err)
	}
}
