package api

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Bare returns a gin handler that answers every request with the same bytes
// and does nothing else. It is the yardstick of the benchmarks: no server on
// the same machine can be faster with the same router.
func Bare(contentType string, body []byte) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.NoRoute(func(g *gin.Context) { g.Data(http.StatusOK, contentType, body) })
	return e
}
