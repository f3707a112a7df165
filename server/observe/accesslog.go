package observe

import (
	"context"
	"log/slog"
	"net/http"
)

// AccessLog writes one line for each request that has been answered.
type AccessLog struct{ Log *slog.Logger }

var _ Observer = AccessLog{}

// Begin waits for the answer.
func (l AccessLog) Begin(r *http.Request) (context.Context, func(Exchange)) {
	ctx := r.Context()
	return ctx, func(x Exchange) {
		l.Log.LogAttrs(ctx, slog.LevelInfo, "request",
			slog.String("method", x.Method),
			slog.String("route", x.Route),
			slog.String("interaction", x.Interaction),
			slog.Int("status", x.Status),
			slog.Duration("duration", x.Duration),
			slog.Int("bytes", x.Bytes),
			slog.String("request", x.Request),
			slog.String("client", x.Client),
		)
	}
}
