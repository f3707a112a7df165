package api

import (
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/interaction"
)

// noRoute answers a path that is none of the service's.
func noRoute(*exchange) error {
	return interaction.Refuse(interaction.Unknown, fhir.NotFound, "path-unknown", fhir.Messagef(
		"there is nothing at this address; the FHIR service lies at /fhir",
		"この URL には何もありません。FHIR サービスは /fhir にあります"))
}

// noMethod answers a method that a path does not have. OPTIONS every path has.
func (a *API) noMethod(g *gin.Context) {
	allow := g.Writer.Header().Get("Allow")
	if !strings.Contains(allow, http.MethodOptions) {
		g.Header("Allow", strings.TrimPrefix(allow+", OPTIONS", ", "))
	}
	if g.Request.Method == http.MethodOptions {
		a.handler(func(x *exchange) error {
			x.Writer.WriteHeader(http.StatusNoContent)
			x.Writer.WriteHeaderNow()
			return nil
		}, true)(g)
		return
	}
	a.handler(func(*exchange) error {
		return interaction.Refuse(interaction.Unallowed, fhir.NotSupported, "method", fhir.Messagef(
			"this address does not take the method %s", "この URL では %s メソッドを利用できません", g.Request.Method))
	}, true)(g)
}

// alive answers as long as the process does.
func (a *API) alive(g *gin.Context) { g.String(http.StatusOK, "ok\n") }

// ready answers 200 when requests can be served.
func (a *API) ready(g *gin.Context) {
	if a.cfg.Health != nil {
		if err := a.cfg.Health(g.Request.Context()); err != nil {
			g.String(http.StatusServiceUnavailable, "not ready\n")
			return
		}
	}
	g.String(http.StatusOK, "ready\n")
}
