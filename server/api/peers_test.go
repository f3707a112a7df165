package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/servertest"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// The tests of this file are named after what other servers get wrong: one
// test for each such deviation, so that none of them comes in here.

// openOn starts the development mode on an engine in memory that wrap puts
// something in front of.
func openOn(t *testing.T, wrap func(store.Store) store.Store, options ...servertest.Option) *servertest.Server {
	t.Helper()
	clock := servertest.NewClock()
	st, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return servertest.StartOn(t, wrap(st), clock, append([]servertest.Option{servertest.Open}, options...)...)
}

// walk returns the matches of all pages, calling between before each but the
// first.
func walk(c *servertest.Client, query string, between func()) []string {
	r := c.Search(query).Want(200)
	keys := r.Keys("match")
	for next := r.Link("next"); next != ""; next = r.Link("next") {
		between()
		r = c.Read(next).Want(200)
		keys = append(keys, r.Keys("match")...)
	}
	return keys
}

// Pages whose order does not decide between equals, or that are counted off
// anew for each page, repeat some resources and lose others.
func TestPeersUnstablePaging(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	want := make([]string, 9)
	for i := range want {
		want[i] = fmt.Sprintf("Patient/p%d", i)
		c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","gender":"female","birthDate":"1940"}`, i)).Want(201)
	}
	n := 0
	for _, query := range []string{"Patient?_count=2&_sort=birthdate", "Patient?_count=2&gender=female&_sort=-birthdate", "Patient?_count=2"} {
		before := c.Search(strings.Replace(query, "_count=2", "_count=1000", 1)).Want(200).Keys("match")
		got := walk(c, query, func() {
			n++
			c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"a%d","gender":"female","birthDate":"1940"}`, n)).Want(201)
			c.Update(fmt.Sprintf(`{"resourceType":"Patient","id":"p%d","gender":"female","birthDate":"1940","active":true}`, n%9)).Want(200)
		})
		same(t, query, got, before)
		for _, key := range want {
			if !slices.Contains(got, key) {
				t.Errorf("%s: %s is lost", query, key)
			}
		}
	}
}

// _include follows the parameter it names, and no other reference.
func TestPeersWrongInclude(t *testing.T) {
	_, c := ward(t)
	for query, want := range map[string][]string{
		"Observation?_id=o1&_include=Observation:subject":             {"Patient/p1"},
		"Observation?_id=o1&_include=Observation:performer":           {"Practitioner/dr"},
		"Observation?_id=o1&_include=Observation:performer:Patient":   {},
		"Observation?_id=o1&_include=Observation:encounter":           {},
		"Patient?_id=p2&_revinclude=Observation:performer":            {},
		"Observation?_id=o1&_revinclude=Observation:has-member":       {"Observation/o3"},
		"Patient?_id=p1&_include=Patient:organization&_summary=count": {},
	} {
		same(t, query, c.Search(query).Want(200).Keys("include"), want)
	}
	c.Search("Observation?_include=Observation:no-such-parameter").Want(400)
}

// Every page tells how many match; what is included does not count.
func TestPeersMissingTotal(t *testing.T) {
	_, c := ward(t)
	r := c.Search("Observation?_count=1&_include=Observation:subject").Want(200)
	pages := 0
	for ; ; pages++ {
		same(t, "total", r.Total(), "3")
		if r.Link("next") == "" {
			break
		}
		r = c.Read(r.Link("next")).Want(200)
	}
	same(t, "pages after the first", pages, 2)
	same(t, "nothing found", c.Search("Observation?code=none").Want(200).Total(), "0")
	same(t, "history", c.Read("Patient/p1/_history").Want(200).Total(), "1")
}

// A date stands for the time its precision covers, in the zone it names.
func TestPeersPrecisionOfDatesAndZones(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for id, when := range map[string]string{
		"year": "2026", "month": "2026-01", "day": "2026-01-10", "early": "2026-01-10T00:30:00+09:00",
		"late": "2026-01-09T23:30:00Z", "fine": "2026-01-10T08:30:00.123456+09:00",
	} {
		body := `{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"x"},"effectiveDateTime":"` + when + `"}`
		c.Update(body).Want(201)
		for _, format := range []string{"json", "xml"} {
			if got := string(c.Read("Observation/" + id + "?_format=" + format).Want(200).Body); !strings.Contains(got, `"`+when+`"`) {
				t.Errorf("%s came back changed: %s", when, got)
			}
		}
	}
	for query, want := range map[string]string{
		"date=2026-01":                         "day early fine late month",
		"date=2026-01-09T15:30:00Z":            "early",
		"date=2026-01-10T00:30:00%2B09:00":     "early",
		"date=2026-01-10T08:30:00%2B09:00":     "fine late",
		"date=2026-01-09T23:30:00.123456Z":     "fine",
		"date=2026":                            "day early fine late month year",
		"date=gt2026-01-31T23:59:59%2B09:00":   "year",
		"date=sa2026-01-09T15:30:00%2B00:00":   "fine late",
		"date=ne2026-01&_id=year,month,day":    "year",
		"date=lt2026-01-01&_id=year,month,day": "",
	} {
		keys := c.Search("Observation?" + query).Want(200).Keys("match")
		slices.Sort(keys)
		same(t, query, strings.ReplaceAll(strings.Join(keys, " "), "Observation/", ""), want)
	}
}

// Names are found in whatever width, case and composition they are typed.
func TestPeersNonASCIINames(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for id, family := range map[string]string{"ja": "髙橋", "kana": "ﾀｶﾊｼ", "rare": "𠮷野", "de": "Müller", "combined": "Mu\u0308ller"} {
		c.Update(`{"resourceType":"Patient","id":"` + id + `","name":[{"family":"` + family + `"}]}`).Want(201)
		if got := c.Read("Patient/"+id).Want(200).Resource().Text("name", "family"); got != family {
			t.Errorf("%q came back as %q", family, got)
		}
	}
	for query, want := range map[string]string{
		"family=髙橋": "ja", "family=髙": "ja", "family:exact=髙橋": "ja", "family=タカハシ": "kana", "family:exact=タカハシ": "",
		"family=𠮷": "rare", "family=müller": "combined de", "family=MULLER": "combined de", "family:contains=野": "rare",
	} {
		name, value, _ := strings.Cut(query, "=")
		keys := c.Form("Patient/_search", map[string][]string{name: {value}}).Want(200).Keys("match")
		slices.Sort(keys)
		same(t, query, strings.ReplaceAll(strings.Join(keys, " "), "Patient/", ""), want)
	}
}

// What was deleted is gone, what never was is not found, and both can be told
// apart for ever.
func TestPeers404Against410(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	c.Read("Patient/p1").Want(404)
	c.Read("Patient/p1/_history").Want(404)
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	c.Delete("Patient/p1").Want(204)
	c.Read("Patient/p1").Want(410)
	c.Read("Patient/p1/_history/2").Want(410)
	c.Read("Patient/p1/_history/1").Want(200)
	c.Read("Patient/p1/_history/3").Want(404)
	c.Read("Patient/p1/_history").Want(200)
	c.Update(`{"resourceType":"Patient","id":"p1"}`).Want(201)
	c.Read("Patient/p1").Want(200)
}

// broken is an engine whose errors tell of the machine it runs on.
type broken struct{ store.Store }

var errBroken = errors.New("pread /var/lib/secret/000017.sst: input/output error (10.0.0.7)")

func (broken) Read(context.Context, store.Key) (store.Version, error) {
	return store.Version{}, errBroken
}

func (broken) Search(context.Context, search.Query) (store.Page, error) {
	return store.Page{}, errBroken
}

func (broken) Apply(context.Context, store.Tx) (store.Receipt, error) {
	return store.Receipt{}, errBroken
}

// An error is told in the server's words, never in those of what is below.
func TestPeersErrorTextThatLeaksInternals(t *testing.T) {
	c := openOn(t, func(st store.Store) store.Store { return broken{st} }).Anonymous()
	for _, r := range []*servertest.Response{
		c.Read("Patient/p1"), c.Search("Patient?family=x"), c.Create(`{"resourceType":"Patient"}`), c.Read("Patient/p1/$everything"),
		c.Post(bundleOf("transaction", `POST Patient {"resourceType":"Patient"}`)),
	} {
		if r.Want(500).Issue() != "exception/internal" {
			t.Errorf("%s: %s", r.Request, r.Body)
		}
	}
	batch := c.Post(bundleOf("batch", "GET Patient/p1")).Want(200)
	c = servertest.Start(t, servertest.Open).Anonymous()
	for _, r := range []*servertest.Response{
		batch, c.Create(`{"resourceType":"Patient"}`, "Content-Type: application/fhir+xml"),
		c.Do("POST", "Patient", `{"resourceType":"Patient","birthDate":{}}`), c.Do("POST", "Patient", `{"resourceType":`),
		c.Search("Patient?_cursor=AAAA"), c.Search("Patient?_filter=%28"), c.Do("PATCH", "Patient/p1", `[{"op":1}]`, "Content-Type: application/json-patch+json"),
	} {
		for _, word := range []string{"/var", "10.0.0.7", "pread", ".go:", "goroutine", "panic", "kaigofhir/", "runtime", "json:", "EOF"} {
			if strings.Contains(string(r.Body), word) {
				t.Errorf("%s: %q in %s", r.Request, word, r.Body)
			}
		}
	}
}

// An entry of a Bundle is checked like a request of its own.
func TestPeersBundleEntriesThatSkipValidation(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for _, wrong := range []string{
		`{"resourceType":"Observation","status":"final"}`,                         // no code
		`{"resourceType":"Observation","status":"done","code":{"text":"x"}}`,      // not a status
		`{"resourceType":"Patient","contact":[{"gender":"female"}]}`,              // pat-1
		`{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":""}`, // two of one choice
	} {
		alone := c.Do("POST", typeName(wrong), wrong)
		if alone.Status != 422 && alone.Status != 400 {
			t.Errorf("alone: %d for %s", alone.Status, wrong)
		}
		for _, method := range []string{"POST " + typeName(wrong), "PUT " + typeName(wrong) + "?identifier=1"} {
			r := c.Post(bundleOf("transaction", `POST Basic {"resourceType":"Basic","code":{"text":"x"}}`, method+" "+wrong))
			if r.Status != alone.Status {
				t.Errorf("transaction: %d for %s %s", r.Status, method, wrong)
			}
			r = c.Post(bundleOf("batch", method+" "+wrong))
			if r.Status == 200 && !strings.HasPrefix(r.Resource().Text("entry", "response", "status"), fmt.Sprint(alone.Status)) {
				t.Errorf("batch: %s", r.Body)
			}
		}
	}
	same(t, "stored", c.Search("?_type=Observation,Patient,Basic").Want(200).Total(), "0")
}

func typeName(resource string) string {
	_, rest, _ := strings.Cut(resource, `"resourceType":"`)
	name, _, _ := strings.Cut(rest, `"`)
	return name
}

// Only the resource types of R4 are stored, and no abstract one.
func TestPeersUnknownResourceTypesAccepted(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for _, name := range []string{"Horse", "patient", "Resource", "DomainResource", "HumanName", "ActorDefinition", "%50atientX"} {
		body := `{"resourceType":"` + name + `","id":"x"}`
		for _, r := range []*servertest.Response{
			c.Do("POST", name, body), c.Do("PUT", name+"/x", body), c.Read(name + "/x"), c.Search(name), c.Read(name + "/x/_history"), c.Delete(name + "/x"),
		} {
			if r.Status != 404 {
				t.Errorf("%s: %d %s", r.Request, r.Status, r.Body)
			}
		}
		if r := c.Post(bundleOf("transaction", "POST "+name+" "+body)); r.Status < 400 || r.Status >= 500 {
			t.Errorf("in a transaction: %d %s", r.Status, r.Body)
		}
		if r := c.Do("POST", "Patient", `{"resourceType":"Patient","contained":[`+body+`]}`); r.Status != 400 && r.Status != 422 {
			t.Errorf("contained: %d %s", r.Status, r.Body)
		}
	}
	same(t, "stored", c.Search("").Want(200).Total(), "0")
}

// A decimal keeps the digits it was written with: 1.00 is not 1.
func TestPeersDecimalsLosingDigits(t *testing.T) {
	c := servertest.Start(t, servertest.Open).Anonymous()
	for i, digits := range []string{"1.00", "0.10", "50.5", "-0.000", "1e3", "1.50E-7", "123456789012345.678", "0.1234567890123456789", "9007199254740993"} {
		id := fmt.Sprintf("o%d", i)
		c.Update(`{"resourceType":"Observation","id":"` + id + `","status":"final","code":{"text":"x"},"valueQuantity":{"value":` + digits + `,"unit":"kg"}}`).Want(201)
		asXML := c.Read("Observation/"+id, "Accept: application/fhir+xml").Want(200)
		c.Do("PUT", "Observation/"+id, string(asXML.Body), "Content-Type: application/fhir+xml").Want(200)
		c.Do("PATCH", "Observation/"+id, `{"status":"amended"}`, "Content-Type: application/merge-patch+json").Want(200)
		for _, path := range []string{"Observation/" + id, "Observation?_id=" + id, "Observation/" + id + "/_history/1", "Observation/" + id + "?_elements=value"} {
			if r := c.Read(path).Want(200); !strings.Contains(string(r.Body), `"value":`+digits+`,`) {
				t.Errorf("%s lost digits at %s: %s", digits, path, r.Body)
			}
		}
		if !strings.Contains(string(asXML.Body), `value="`+digits+`"`) {
			t.Errorf("%s lost digits in XML: %s", digits, asXML.Body)
		}
	}
	same(t, "2^53 + 1 is not 2^53", c.Search("Observation?value-quantity=9007199254740992").Want(200).Total(), "0")
}

// A modifier changes what is asked: one the server does not do is refused,
// whatever the handling, or the answer would be of another question.
func TestPeersUnsupportedModifiersIgnored(t *testing.T) {
	_, c := ward(t)
	for _, query := range []string{
		"Patient?family:phonetic=x", "Patient?family:not=x", "Patient?birthdate:exact=1940", "Patient?gender:contains=f", "Patient?_id:below=p1",
		"Observation?code:exact=x", "Observation?subject:Horse=p1", "Observation?value-quantity:text=5", "Observation?subject:in=x",
	} {
		for _, handling := range []string{"lenient", "strict"} {
			if r := c.Search(query, "Prefer: handling="+handling); r.Status != 400 {
				t.Errorf("%s (%s): %d %.200s", query, handling, r.Status, r.Body)
			}
		}
	}
	if r := c.Delete("Patient?family:phonetic=x"); r.Status != 400 {
		t.Errorf("conditional delete: %d", r.Status)
	}
}

// The statement is made once, not for each request: making it allocates some
// ten thousand times.
func TestPeersMetadataRebuiltForEachRequest(t *testing.T) {
	srv := servertest.Start(t, servertest.Open)
	for _, format := range []string{"json", "xml"} {
		ask := func() {
			w := httptest.NewRecorder()
			srv.ServeHTTP(w, httptest.NewRequest("GET", "/fhir/metadata?_format="+format, nil))
			if w.Code != 200 {
				t.Fatal(w.Code)
			}
		}
		ask()
		if n := testing.AllocsPerRun(3, ask); n > 1000 {
			t.Errorf("%s: %.0f allocations for a statement that is made already", format, n)
		}
	}
}

// single is an engine with a pool of one connection.
type single struct {
	store.Store
	pool chan struct{}
}

func (s single) Search(ctx context.Context, q search.Query) (store.Page, error) {
	select {
	case s.pool <- struct{}{}:
	case <-ctx.Done():
		return store.Page{}, ctx.Err()
	}
	defer func() { <-s.pool }()
	return s.Store.Search(ctx, q)
}

// No search holds a connection while it waits for another: ten with includes
// come through a pool of one.
func TestPeersTenParallelIncludesThatExhaustAPool(t *testing.T) {
	srv := openOn(t, func(st store.Store) store.Store { return single{st, make(chan struct{}, 1)} })
	c := srv.Anonymous()
	c.Post(bundleOf("transaction",
		`PUT Patient/p1 {"resourceType":"Patient","id":"p1"}`,
		`PUT Observation/o1 {"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"}}`,
	)).Want(200)
	got := together(10, func(int) int {
		r := c.Search("Observation?_include=Observation:subject&_revinclude:iterate=Observation:has-member")
		if r.Status == 200 && len(r.Keys("include")) != 1 {
			t.Errorf("included %v", r.Keys("include"))
		}
		return r.Status
	})
	same(t, "statuses", got, map[int]int{200: 10})
}
