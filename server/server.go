// Package server puts the parts together: store, policy, audit, interactions,
// operations and API become one HTTP handler. The commands and the tests start
// the same server through it.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/profiles/sharing"
	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/auth"
	"github.com/kaigofhir/kaigofhir/server/intake"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/observe"
	"github.com/kaigofhir/kaigofhir/server/operation"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

// Config is what a server is made of. Store, Now, NewID and Key are required.
type Config struct {
	Store store.Store
	Now   func() time.Time
	NewID func() string
	// Key, 32 random bytes or more, protects paging links; it belongs in the
	// data folder, so that links outlive a restart.
	Key []byte
	Log *slog.Logger

	// BaseURL is the public address, "https://host/fhir"; "" takes it from
	// each request.
	BaseURL string
	Version string
	// Clients are the registered clients and Keys holds the key that signs
	// access tokens. Both are required, with BaseURL, unless Open is set.
	Clients *auth.Clients
	Keys    auth.KeyStore
	// Used keeps used client assertions; nil forgets them with the process.
	Used auth.UsedAssertions
	// TokenLife is how long access tokens live, 5 to 15 minutes; 0 is 5.
	TokenLife time.Duration
	// Open lets every caller in without a token, unrestricted; see OpenMode.
	Open    bool
	Options interaction.Options
	// Validation is how strictly the profiles of meta.profile are taken.
	Validation Validation
	// Definitions are known besides those of R4 and the guide of long-term
	// care: StructureDefinition, ValueSet, CodeSystem, ….
	Definitions []*fhir.Element
	// NoFullText leaves out the index of _text and _content, which is as large
	// as all others together.
	NoFullText bool
	// Matrix is the sharing matrix in force; nil is the national one with its
	// switches at their defaults.
	Matrix *sharing.Matrix
	// AuditWait lets every access answer only when its record is on disk; see
	// package audit. NewAuditID makes the ids of the records, nil is NewID.
	AuditWait  bool
	NewAuditID func() string

	// Metrics count what the server does; nil: nobody counts. Observers are
	// told of each request beside them.
	Metrics   *observe.Metrics
	Observers []observe.Observer
	// Tracer makes the spans of requests; nil: none are made.
	Tracer trace.TracerProvider
	// Jobs keeps the work that takes longer than a request; nil: in memory.
	Jobs job.Storage
	// Backups are written at an operator's request; nil: none are.
	Backups *upkeep.Backups
	// SharedEvery, where other servers write to the store too, is how often
	// this one looks for what they changed about search parameters.
	SharedEvery time.Duration
	// Number is this server's among them, from 0; each has lanes of its own in
	// the record of accesses, see package audit.
	Number int

	Origins []string
	MaxBody int64
	Rate    float64
	Burst   int
	// Home answers "/"; nil: nothing there.
	Home http.Handler
}

// Server is a server ready to answer.
type Server struct {
	http.Handler
	// Service is the door, for what runs inside the process.
	Service   *interaction.Service
	Policy    *policy.Policy
	store     store.Store
	trail     *audit.Log   // nil in the open mode
	authority *auth.Server // nil in the open mode
	jobs      *job.Manager
	custom    *custom
	upkeep    upkeepWork
}

// Close ends the jobs and writes what the record of accesses still holds back.
// It is called when no more requests come, before the store is closed.
func (s *Server) Close() error {
	s.custom.keeper.Close()
	s.jobs.Close()
	if s.trail == nil {
		return nil
	}
	return s.trail.Close()
}

// New puts a server together. It does not listen: the caller serves it.
func New(cfg Config) (*Server, error) {
	if cfg.Store == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("server: incomplete Config")
	}
	rekeyer, _ := cfg.Store.(store.Rekeyer)
	eraser, _ := cfg.Store.(store.Eraser)
	surveyor, _ := cfg.Store.(store.Surveyor)
	if cfg.Jobs == nil {
		cfg.Jobs = &job.Memory{}
	}
	params := &custom{}
	cfg.Store = watchedStore{cfg.Store, params}
	if cfg.Tracer != nil {
		cfg.Store = observe.TraceStore(cfg.Store, cfg.Tracer)
		cfg.Observers = append([]observe.Observer{observe.NewTracing(cfg.Tracer)}, cfg.Observers...)
	}
	if cfg.Matrix == nil {
		cfg.Matrix = sharing.National()
	}
	pol, err := policy.New(cfg.Store, policy.WithClock(cfg.Now), policy.WithMatrix(cfg.Matrix), policy.WithSurvey(surveyor))
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	known, err := cfg.knowledge()
	if err != nil {
		return nil, err
	}
	registry, err := cfg.registry(known)
	if err != nil {
		return nil, err
	}
	var service *interaction.Service // not yet there when the record of accesses is opened
	trail, recorder, err := cfg.audit(func(e *fhir.Element) ([][]byte, error) { return service.Keys(e) }, pol)
	if err != nil {
		return nil, err
	}
	service, err = interaction.New(interaction.Config{
		Store: cfg.Store, Policy: pol, Registry: registry, Recorder: recorder, Validator: checkedParameters{known, params},
		Definitions: known.definitions(), Now: cfg.Now, NewID: cfg.NewID, Key: cfg.Key, Options: cfg.Options,
	})
	if err != nil {
		return nil, err
	}
	authenticate, authority, err := cfg.authentication()
	if err != nil {
		return nil, err
	}
	s := &Server{Service: service, Policy: pol, store: cfg.Store, trail: trail, authority: authority, custom: params}
	list := append(operation.All(&operation.Env{
		Service: service, Validator: known.validator, Terminology: known.terms, Now: cfg.Now, NewID: cfg.NewID,
	}), operation.Sharing(service, pol), operation.Diff(service), reindexOperation(params))
	var more []operation.Operation
	if s.upkeep, more, err = cfg.upkeep(eraser, recorder, pol); err != nil {
		return nil, err
	}
	operations := operation.NewRegistry(append(list, more...)...)
	service.SetOperations(operations.Run)
	status, err := cfg.Store.Status(context.Background())
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	observers := cfg.observers(s)
	desk := &intake.Desk{Service: service, Now: cfg.Now, NewID: cfg.NewID}
	handler, err := api.New(api.Config{
		Service: service, Operations: operations, GraphQL: operation.GraphQL(service, cfg.Now), Intake: desk.Take, Authenticate: authenticate, More: outside(authority), TokenURL: cfg.tokenURL(),
		BaseURL: cfg.BaseURL, Health: s.health, Now: cfg.Now, NewID: cfg.NewID, Log: cfg.Log,
		Version: cfg.Version, Open: cfg.Open, SingleWrites: status.SingleWrites, Origins: cfg.Origins, MaxBody: cfg.MaxBody,
		Rate: cfg.Rate, Burst: cfg.Burst, Home: cfg.Home, Observers: observers,
	})
	if err != nil {
		return nil, err
	}
	s.Handler = handler
	if err := s.startParameters(&cfg, known, rekeyer); err != nil {
		return nil, err
	}
	if err := s.startJobs(&cfg, handler); err != nil {
		return nil, err
	}
	return s, nil
}

// observers returns those who are told of each request, and lets the metrics
// look into the server.
func (cfg *Config) observers(s *Server) []observe.Observer {
	if cfg.Metrics == nil {
		return cfg.Observers
	}
	source := observe.Source{Status: s.store.Status}
	if s.trail != nil {
		source.Backlog = s.trail.Backlog
	}
	source.Jobs = func() map[string]int { return s.jobs.Counts() }
	cfg.Metrics.Watch(source)
	return append([]observe.Observer{cfg.Metrics}, cfg.Observers...)
}

// audit opens the record of accesses. The open mode, which knows no callers,
// keeps none.
func (cfg *Config) audit(index func(*fhir.Element) ([][]byte, error), pol *policy.Policy) (*audit.Log, interaction.Recorder, error) {
	if cfg.Open {
		return nil, nil, nil
	}
	newID := cfg.NewAuditID
	if newID == nil {
		newID = cfg.NewID
	}
	trail, err := audit.New(context.Background(), audit.Config{
		Store: cfg.Store, Index: index, Now: cfg.Now, NewID: newID, Wait: cfg.AuditWait, Server: cfg.Number,
	})
	if err != nil {
		return nil, nil, err
	}
	return trail, audit.NewRecorder(trail, pol, cfg.Store), nil
}

// OpenMode sets the development mode: no token, every caller unrestricted, and
// what generic FHIR tools send is taken: resources under ids of their own, in
// any order, claiming profiles nobody knows.
func OpenMode(cfg *Config) {
	cfg.Open = true
	cfg.Options.ClientIDs = true
	cfg.Options.CheckReferences = false
	cfg.Validation = Lenient
}

// Where the token endpoint and the keys of its tokens lie, beside the FHIR
// service.
const (
	TokenPath  = "/auth/token"
	KeySetPath = "/auth/jwks"
)

// wellKnown is where SMART clients find the token endpoint.
const wellKnown = api.BasePath + "/.well-known/smart-configuration"

func (cfg *Config) tokenURL() string {
	if cfg.Open {
		return ""
	}
	return strings.TrimSuffix(cfg.BaseURL, api.BasePath) + TokenPath
}

// authentication tells who makes a request, and returns the authorization
// server by which clients get their tokens, nil in the open mode.
func (cfg *Config) authentication() (func(*http.Request) (policy.Caller, error), *auth.Server, error) {
	if cfg.Open {
		caller := policy.Caller{Client: "open", Kind: policy.Operator, Unrestricted: true}
		return func(*http.Request) (policy.Caller, error) { return caller, nil }, nil, nil
	}
	authority, err := auth.New(auth.Config{
		Used: cfg.Used, KeySetURL: strings.TrimSuffix(cfg.BaseURL, api.BasePath) + KeySetPath,
		Issuer: strings.TrimSuffix(cfg.BaseURL, api.BasePath), TokenURL: cfg.tokenURL(), Audience: cfg.BaseURL,
		Clients: cfg.Clients, Keys: cfg.Keys, Now: cfg.Now, NewID: cfg.NewID, Life: cfg.TokenLife, Log: cfg.Log, Matrix: cfg.Matrix,
	})
	if err != nil {
		return nil, nil, err
	}
	return authority.Authenticate, authority, nil
}

// outside are the endpoints of the authorization server, outside of the FHIR
// service.
func outside(authority *auth.Server) map[string]http.Handler {
	if authority == nil {
		return nil
	}
	return map[string]http.Handler{
		TokenPath:  http.HandlerFunc(authority.Token),
		KeySetPath: http.HandlerFunc(authority.KeySet),
		wellKnown:  http.HandlerFunc(authority.Configuration),
	}
}

// ReloadKeys takes up the keys that sign access tokens as they are kept now.
func (s *Server) ReloadKeys() error {
	if s.authority == nil {
		return nil
	}
	return s.authority.ReloadKeys()
}

// health reports whether the store answers.
func (s *Server) health(ctx context.Context) error {
	_, err := s.store.Status(ctx)
	return err
}
