package leaktest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/auth/authclient"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store/backup"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

const base = "http://leak.test/fhir"

// key is the key of every client.
var key = sync.OnceValues(func() (*authclient.Key, error) { return authclient.NewKey("ES384", "k") })

// system is a server and its callers' tokens.
type system struct {
	t       testing.TB
	handler *server.Server
	world   *world
	tokens  map[string]string
	expires time.Time
	ids     atomic.Int64
	asked   int
}

// newSystem starts a server for the viewers; the world's clock is its clock.
func newSystem(t testing.TB, w *world, viewers []viewer) *system {
	t.Helper()
	s := &system{t: t, world: w, tokens: map[string]string{}}
	w.pass(0)
	now := func() time.Time { return time.Unix(0, w.clock.Load()).UTC() }
	st, err := embedded.OpenMemory(embedded.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := auth.NewClients(s.clients(viewers)...)
	if err != nil {
		t.Fatal(err)
	}
	backups := t.TempDir()
	folder, err := backup.Open(backups, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.handler, err = server.New(server.Config{Store: st, Backups: &upkeep.Backups{Folder: folder, Source: st}, Now: now, NewID: func() string { return fmt.Sprint("n", s.ids.Add(1)) },
		Key: make([]byte, 32), BaseURL: base, Clients: clients, Keys: new(auth.MemoryKey), Options: interaction.Options{ClientIDs: true, CheckReferences: true}, Rate: 1e9, Burst: 1e9})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.handler.Close(); err != nil {
			t.Error(err)
		}
		if err := errors.Join(st.Close(), folder.Close()); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(backups); err != nil || len(left) > 0 {
			t.Errorf("somebody wrote a backup: %v, %v", left, err)
		}
	})
	return s
}

func (s *system) clients(viewers []viewer) []auth.Client {
	s.t.Helper()
	private, err := key()
	if err != nil {
		s.t.Fatal(err)
	}
	public, err := private.Public()
	if err != nil {
		s.t.Fatal(err)
	}
	clients := []auth.Client{{ID: "operator", Kind: policy.Operator, Keys: public}}
	for _, v := range viewers {
		c := auth.Client{ID: v.client, Kind: policy.Kind(v.kind), Organization: v.office, Patient: v.person, Keys: public}
		if v.family {
			c.Acting = policy.AsFamily
		}
		clients = append(clients, c)
	}
	return clients
}

// token returns an access token of a client, fetched anew when time has passed.
func (s *system) token(client string) string {
	s.t.Helper()
	if !s.world.now.Before(s.expires) {
		clear(s.tokens)
		s.expires = s.world.now.Add(4 * time.Minute)
	}
	if s.tokens[client] == "" {
		s.tokens[client] = s.fetch(client)
	}
	return s.tokens[client]
}

func (s *system) fetch(client string) string {
	s.t.Helper()
	private, err := key()
	if err != nil {
		s.t.Fatal(err)
	}
	assertion, err := private.Assertion(client, "http://leak.test/auth/token", s.world.now)
	if err != nil {
		s.t.Fatal(err)
	}
	scope := "system/*.cruds"
	if strings.HasPrefix(client, "person") || strings.HasPrefix(client, "family") {
		scope = "patient/*.cruds"
	}
	r := httptest.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://leak.test/auth/token", strings.NewReader(authclient.Form(assertion, scope).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	body := w.Body.String()
	_, rest, ok := strings.Cut(body, `"access_token":"`)
	token, _, ok2 := strings.Cut(rest, `"`)
	if w.Code != http.StatusOK || !ok || !ok2 {
		s.t.Fatalf("token for %s: %d %s", client, w.Code, body)
	}
	return token
}

// answer is what came back.
type answer struct {
	request string
	status  int
	header  http.Header
	body    string
	parsed  *fhir.Element
}

// do makes a request as a client; the path is below the base, or a whole URL.
func (s *system) do(client, method, path, body string, headers ...string) *answer {
	s.t.Helper()
	if !strings.HasPrefix(path, "http://") {
		path = base + "/" + path
	}
	r := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token(client))
	if body != "" {
		r.Header.Set("Content-Type", "application/fhir+json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	s.asked++
	return &answer{request: client + " " + method + " " + path, status: w.Code, header: w.Header(), body: w.Body.String()}
}

// create posts a resource and returns its id.
func (s *system) create(client string, e *fhir.Element) string {
	s.t.Helper()
	a := s.do(client, http.MethodPost, e.ResourceType(), string(fhirjson.Append(nil, e)))
	if a.status != http.StatusCreated {
		s.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
	}
	return s.parse(a).ID()
}

func (s *system) put(client string, e *fhir.Element) {
	s.t.Helper()
	a := s.do(client, http.MethodPut, e.ResourceType()+"/"+e.ID(), string(fhirjson.Append(nil, e)))
	if a.status != http.StatusOK && a.status != http.StatusCreated {
		s.t.Fatalf("%s: %d %s", a.request, a.status, a.body)
	}
}

func (s *system) parse(a *answer) *fhir.Element {
	s.t.Helper()
	if a.parsed == nil {
		e, err := fhirjson.Decode([]byte(a.body), fhirjson.Options{})
		if err != nil {
			s.t.Fatalf("%s: %d: %v in %.300s", a.request, a.status, err, a.body)
		}
		a.parsed = e
	}
	return a.parsed
}

// keys returns "Type/id" of the entries with that search mode ("": all), each
// once, sorted. OperationOutcomes do not count.
func (s *system) keys(a *answer, mode string) []string {
	s.t.Helper()
	var keys []string
	for e := range s.parse(a).All("entry") {
		r := e.Get("resource")
		if r != nil && r.ResourceType() != "OperationOutcome" && (mode == "" || e.Text("search", "mode") == mode) {
			keys = append(keys, r.ResourceType()+"/"+r.ID())
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
