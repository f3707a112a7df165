package api

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/observe"
)

// exchangeKey is where a handler leaves its exchange for the observers.
const exchangeKey = "exchange"

// observed tells the observers of each request and its answer.
func (a *API) observed(g *gin.Context) {
	start := a.cfg.Now()
	ends := make([]func(observe.Exchange), len(a.cfg.Observers))
	for i, o := range a.cfg.Observers {
		ctx, end := o.Begin(g.Request)
		g.Request, ends[i] = g.Request.WithContext(ctx), end
	}
	defer func() {
		seen := a.seen(g)
		seen.Duration = a.cfg.Now().Sub(start)
		for i := len(ends) - 1; i >= 0; i-- {
			ends[i](seen)
		}
	}()
	g.Next()
}

// seen says of a request what may be told of it.
func (a *API) seen(g *gin.Context) observe.Exchange {
	s := observe.Exchange{
		Method: observe.Method(g.Request.Method), Route: g.FullPath(), Interaction: a.interactionOf(g),
		Status: g.Writer.Status(), Bytes: max(0, g.Writer.Size()),
	}
	if name := g.Param("type"); interaction.IsResourceType(name) {
		s.Type = name
	}
	if x, ok := g.Value(exchangeKey).(*exchange); ok {
		s.Request, s.Client = x.call.RequestID, x.call.Caller.Client
	}
	return s
}

// interactionOf names what a request asked for by one of a bounded set of
// names.
func (a *API) interactionOf(g *gin.Context) string {
	for _, name := range [...]string{"member", "id", "type"} {
		if p := g.Param(name); isOperation(p) {
			if name, ok := a.names[p]; ok {
				return name
			}
			return "other"
		}
	}
	method := g.Request.Method
	if method == "HEAD" {
		method = "GET"
	}
	if name, ok := a.names[method+" "+g.FullPath()]; ok {
		return name
	}
	return "other"
}

// interactionNames gives each route the name of its interaction, and each
// operation its own.
func (a *API) interactionNames() map[string]string {
	names := map[string]string{}
	for _, o := range a.operations() {
		names["$"+o.Name] = "$" + o.Name
	}
	for _, r := range routes() {
		name := strings.Join(r.codes, "-")
		switch {
		case r.path == "/metadata":
			name = "capabilities"
		case strings.HasPrefix(r.path, asyncPath):
			name = "async"
		case strings.HasSuffix(r.path, "/_search"), r.path == "/:type/:id/:member":
			name = "search-type"
		case r.path == "/:type" && name == "":
			name = map[string]string{"PUT": "update", "PATCH": "patch", "DELETE": "delete"}[r.method]
		}
		if r.path == "/_search" {
			name = "search-system"
		}
		if name != "" {
			names[r.method+" "+BasePath+r.path] = name
		}
	}
	return names
}
