package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/kaigofhir/kaigofhir/server/observe"
)

// metricsTimeout bounds one scrape.
const metricsTimeout = 30 * time.Second

// metricsServer answers /metrics on an address of its own, which the public
// need not reach.
type metricsServer struct {
	url  string
	http *http.Server
}

// serveMetrics listens on the address and answers until Close.
func serveMetrics(addr string, m *observe.Metrics, log *slog.Logger) (*metricsServer, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	s := &metricsServer{
		url:  "http://" + listener.Addr().String() + "/metrics",
		http: &http.Server{Handler: mux, ReadHeaderTimeout: headerTimeout, WriteTimeout: metricsTimeout},
	}
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("metrics are no longer served", "error", err)
		}
	}()
	return s, nil
}

// Close ends the listener and the scrapes under way.
func (s *metricsServer) Close() error { return s.http.Close() }

// newLogger returns the logger that the flags ask for.
func (c *serveCommand) newLogger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
