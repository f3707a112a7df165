// Package servertest starts the server that the commands start, in memory and
// with a clock and ids of the test's own, and talks to it over real HTTP.
package servertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// Server is a running server.
type Server struct {
	*server.Server
	// URL is the service base, "http://127.0.0.1:…/fhir".
	URL   string
	Clock *Clock
	Store store.Store
	t     testing.TB
	http  *httptest.Server

	clients *auth.Clients
	people  []auth.Client
}

// Option changes the configuration before the server starts.
type Option func(*server.Config)

// Open starts the development mode: no tokens, every caller unrestricted.
func Open(c *server.Config) { server.OpenMode(c) }

// ServerIDs keeps clients from choosing the ids of new resources, which the
// development mode lets them.
func ServerIDs(c *server.Config) { c.Options.ClientIDs = false }

// Start starts a server in memory that ends with the test.
func Start(t testing.TB, options ...Option) *Server {
	t.Helper()
	clock := NewClock()
	st, err := embedded.OpenMemory(embedded.Options{Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close store: %v", err)
		}
	})
	return StartOn(t, st, clock, options...)
}

// StartOn starts a server on a store that the test closes itself.
func StartOn(t testing.TB, st store.Store, clock *Clock, options ...Option) *Server {
	t.Helper()
	cfg := server.Config{Store: st, Now: clock.Now, NewID: Counter(), Key: make([]byte, 32), Version: "test",
		NewAuditID: counter("a0d17000-")}
	for _, o := range options {
		o(&cfg)
	}
	var srv *server.Server // not yet there when the address is chosen
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { srv.ServeHTTP(w, r) }))
	t.Cleanup(h.Close)
	s := &Server{URL: h.URL + "/fhir", Clock: clock, Store: cfg.Store, t: t, http: h}
	if !cfg.Open {
		cfg.BaseURL, cfg.Clients, cfg.Keys = s.URL, s.cast(), new(auth.MemoryKey)
		cfg.Options.ClientIDs = true // for the operator
		cfg.Options.CheckReferences = true
	}
	var err error
	if srv, err = server.New(cfg); err != nil {
		t.Fatal(err)
	}
	s.Server = srv
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("close server: %v", err)
		}
	})
	if !cfg.Open {
		s.registerOrganizations()
	}
	return s
}

// Counter returns UUIDs in order.
func Counter() func() string { return counter("00000000-") }

func counter(prefix string) func() string {
	var n atomic.Int64
	return func() string { return fmt.Sprintf("%s0000-4000-8000-%012d", prefix, n.Add(1)) }
}

// Clock is a clock that stands still until it is told to go.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that shows 2026-04-01 09:00 in Japan.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)} }

// Now returns the time it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves it on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
