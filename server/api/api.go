// Package api puts the interactions on the wire: one table of routes, content
// negotiation, headers and statuses of R4's RESTful API. Gin lives here and
// only here. https://hl7.org/fhir/R4/http.html
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/kaigofhir/kaigofhir/mapping"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/observe"
	"github.com/kaigofhir/kaigofhir/server/operation"
	"github.com/kaigofhir/kaigofhir/server/policy"
)

// BasePath is where the FHIR service lies.
const BasePath = "/fhir"

// Config wires the API.
type Config struct {
	Service    *interaction.Service
	Operations *operation.Registry
	// Intake takes in the files of $intake; nil: there is no such operation.
	Intake func(context.Context, interaction.Call, []File) (*interaction.Bundle, error)
	// GraphQL answers $graphql with JSON; nil: there is no such operation.
	GraphQL func(context.Context, interaction.Call, interaction.OperationRequest, operation.GraphQLRequest) ([]byte, error)
	// Authenticate tells who makes a request. An error is answered 401.
	Authenticate func(*http.Request) (policy.Caller, error)
	// BaseURL is the public address of the service, "https://host/fhir"; ""
	// takes it from each request's Host.
	BaseURL string
	// Health returns nil when the server can answer; for /readyz.
	Health func(context.Context) error
	Now    func() time.Time
	NewID  func() string // request ids
	Log    *slog.Logger

	Version string // of the software, for the CapabilityStatement
	// Open marks the development mode without tokens.
	Open bool
	// SingleWrites says that the store takes transactions of one resource
	// only: the CapabilityStatement then offers none.
	SingleWrites bool
	// TokenURL and AuthorizeURL are told in the CapabilityStatement.
	TokenURL, AuthorizeURL string

	Origins []string // that may call from a browser; "*" for every one
	MaxBody int64    // bytes of a request body; 64 MiB
	// Rate is how many requests a second one client may make, Burst how many
	// at once; 0: no limit.
	Rate  float64
	Burst int

	// Observers are told of each request and its answer.
	Observers []observe.Observer

	// Home answers "/", More other paths outside the FHIR service
	// ("/token"); both may be empty.
	Home http.Handler
	More map[string]http.Handler
}

// API is the HTTP handler of the server.
type API struct {
	cfg        Config
	engine     *gin.Engine
	statements *statements
	// description makes the OpenAPI document, once.
	description func() *statement
	limiter     *limiter
	jobs        *job.Manager      // of asynchronous requests; nil: there are none
	names       map[string]string // of the interactions, by "METHOD route"
	started     time.Time
}

// File is an uploaded file under its own name.
type File = mapping.File

// New returns the handler.
func New(cfg Config) (*API, error) {
	if cfg.Service == nil || cfg.Authenticate == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("api: incomplete Config")
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = 64 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Operations == nil {
		cfg.Operations = operation.NewRegistry()
	}
	a := &API{cfg: cfg, started: cfg.Now(), limiter: newLimiter(cfg.Rate, cfg.Burst, cfg.Now)}
	a.names = a.interactionNames()
	a.statements = newStatements(a)
	a.description = newDescription(a)
	a.engine = a.build()
	return a, nil
}

// ServeHTTP cuts a trailing slash off the path, for which there is never a
// redirect, and serves the request.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p := r.URL.Path; len(p) > 1 && strings.HasSuffix(p, "/") && strings.HasPrefix(p, BasePath) {
		r2 := *r
		u := *r.URL
		u.Path, u.RawPath = strings.TrimSuffix(p, "/"), strings.TrimSuffix(u.RawPath, "/")
		r2.URL = &u
		r = &r2
	}
	a.engine.ServeHTTP(w, r)
}

// build makes the gin engine from the table of routes.
func (a *API) build() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.RedirectTrailingSlash, e.RedirectFixedPath = false, false
	e.HandleMethodNotAllowed = true
	e.UseRawPath, e.UnescapePathValues = true, true
	e.ContextWithFallback = true
	_ = e.SetTrustedProxies(nil) //nolint:errcheck // nil cannot fail
	if len(a.cfg.Observers) > 0 {
		e.Use(a.observed)
	}
	for _, r := range routes() {
		h := a.handler(r.handle, r.public)
		e.Handle(r.method, BasePath+r.path, h)
		if r.method == http.MethodGet {
			e.HEAD(BasePath+r.path, h)
		}
	}
	e.NoRoute(a.handler(noRoute, true))
	e.NoMethod(a.noMethod)
	e.GET("/healthz", a.alive)
	e.GET("/readyz", a.ready)
	if a.cfg.Home != nil {
		e.GET("/", gin.WrapH(a.cfg.Home))
	}
	for path, h := range a.cfg.More {
		e.Any(path, gin.WrapH(h))
	}
	return e
}
