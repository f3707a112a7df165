package api

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"
)

const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
	corsHeaders = "Accept, Accept-Language, Authorization, Content-Type, Content-Disposition, If-Match, If-Modified-Since, If-None-Exist, If-None-Match, Prefer, X-Request-Id"
	corsExposed = "Content-Location, ETag, Last-Modified, Location, Retry-After, WWW-Authenticate, X-Request-Id"
)

// cors tells browsers which origins may read the answer.
// https://fetch.spec.whatwg.org/#http-cors-protocol
func (a *API) cors(g *gin.Context) {
	origin := g.GetHeader("Origin")
	if origin == "" || len(a.cfg.Origins) == 0 {
		return
	}
	g.Writer.Header().Add("Vary", "Origin")
	if !slices.Contains(a.cfg.Origins, origin) && !slices.Contains(a.cfg.Origins, "*") {
		return
	}
	g.Header("Access-Control-Allow-Origin", origin)
	g.Header("Access-Control-Expose-Headers", corsExposed)
	if g.Request.Method == http.MethodOptions && g.GetHeader("Access-Control-Request-Method") != "" {
		g.Header("Access-Control-Allow-Methods", corsMethods)
		g.Header("Access-Control-Allow-Headers", corsHeaders)
		g.Header("Access-Control-Max-Age", "600")
	}
}
