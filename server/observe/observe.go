// Package observe watches the server for those who run it: metrics for
// Prometheus, one log line for each request, traces. Nothing it gives out holds
// personal data: paths appear as the patterns of the table of routes, types and
// interactions as the names R4 gives them, clients by their registered id;
// queries, ids of resources, bodies and addresses of people never appear. Every
// label has a bounded number of values.
package observe

import (
	"context"
	"net/http"
	"time"
)

// Exchange is a request that has been answered.
type Exchange struct {
	Method string // one of HTTP's methods, or "other"
	Route  string // pattern of the table of routes, "" where none matched
	// Interaction is R4's code ("read", "search-type"), "$name" of an operation
	// the server has, or "other".
	Interaction string
	Type        string // resource type of R4, "" for none or an unknown one
	Status      int
	Duration    time.Duration
	Bytes       int    // of the body of the answer
	Request     string // id of the request
	Client      string // registered client, "" for an anonymous one
}

// Observer is told of each request when it begins and when it has been
// answered. Implementations are safe for concurrent use.
type Observer interface {
	// Begin returns the context the request is to be served in, and what is
	// called exactly once when it has been answered.
	Begin(r *http.Request) (context.Context, func(Exchange))
}

// Method returns the method where it is one of HTTP's, else "other": a client
// may send any word as a method.
func Method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
