package observe

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// scope names this server as the source of spans.
const scope = "github.com/kaigofhir/kaigofhir/server"

// Tracing makes a span of each request, below the caller's where the request
// has a traceparent. The caller's tracestate and baggage are not taken over:
// they may hold anything. https://www.w3.org/TR/trace-context/
//
// The instrumentation of net/http that OpenTelemetry offers is not used: it
// records the path, which here names people's records.
type Tracing struct{ tracer trace.Tracer }

var _ Observer = (*Tracing)(nil)

// NewTracing returns tracing by a provider.
func NewTracing(p trace.TracerProvider) *Tracing { return &Tracing{p.Tracer(scope)} }

// Begin starts the span of a request.
func (t *Tracing) Begin(r *http.Request) (context.Context, func(Exchange)) {
	caller := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(r.Header)))
	ctx := r.Context()
	if caller.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, caller.WithTraceState(trace.TraceState{}))
	}
	ctx, span := t.tracer.Start(ctx, Method(r.Method), trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(x Exchange) {
		span.SetName(x.Method + " " + x.Route)
		span.SetAttributes(
			attribute.String("http.request.method", x.Method),
			attribute.String("http.route", x.Route),
			attribute.Int("http.response.status_code", x.Status),
			attribute.String("fhir.interaction", x.Interaction),
			attribute.String("fhir.type", x.Type),
			attribute.String("kaigofhir.request", x.Request),
			attribute.String("kaigofhir.client", x.Client),
		)
		if x.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}
