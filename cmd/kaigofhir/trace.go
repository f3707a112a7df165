package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/kaigofhir/kaigofhir/server/observe"
)

// traceFlush bounds the last delivery of spans.
const traceFlush = 5 * time.Second

// tracer returns the provider of the flags, nil where none is asked for, and
// what delivers the last spans.
func (c *serveCommand) tracer(log *slog.Logger) (trace.TracerProvider, func(), error) {
	if c.TraceURL == "" {
		return nil, func() {}, nil
	}
	if u, err := url.Parse(c.TraceURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, nil, fmt.Errorf("--trace-url must be an http or https URL")
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces", "error", err) }))
	// What a caller's traceparent says about sampling does not count: it would
	// let any caller decide how much the collector gets.
	share := sdktrace.TraceIDRatioBased(c.TraceRate)
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(&observe.OTLP{URL: c.TraceURL}),
		sdktrace.WithSampler(sdktrace.ParentBased(share, sdktrace.WithRemoteParentSampled(share), sdktrace.WithRemoteParentNotSampled(share))),
		sdktrace.WithResource(resource.NewSchemaless(attribute.String("service.name", "kaigofhir"), attribute.String("service.version", version()))),
	)
	return provider, func() {
		ctx, cancel := context.WithTimeout(context.Background(), traceFlush)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			log.Warn("traces", "error", err)
		}
	}, nil
}
