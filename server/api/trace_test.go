package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/kaigofhir/kaigofhir/server"
	"github.com/kaigofhir/kaigofhir/server/observe"
	"github.com/kaigofhir/kaigofhir/server/servertest"
)

func TestTraces(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans))
	srv := servertest.Start(t, func(c *server.Config) { c.Tracer = provider })
	op := srv.As(servertest.Operator)
	const parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	op.Search("Patient?name="+url.QueryEscape(personal[0]), "traceparent: "+parent, "tracestate: who="+personal[2], "baggage: who="+personal[2]).Want(200)
	names := map[string]sdktrace.ReadOnlySpan{}
	for _, s := range spans.Ended() {
		if s.SpanContext().TraceID().String() == parent[3:35] {
			names[s.Name()] = s
		}
	}
	root := names["GET /fhir/:type"]
	if root == nil || root.Parent().SpanID().String() != parent[36:52] {
		t.Fatalf("no span of the request below the caller's: %v", names)
	}
	search := names["store.Search"]
	if search == nil || search.Parent().SpanID() != root.SpanContext().SpanID() {
		t.Errorf("no span of the store below the request's: %v", names)
	}
	for _, v := range personal {
		op.Read("Patient/"+url.PathEscape(v), "traceparent: "+parent, "tracestate: who="+personal[2])
		op.Read("Patient?identifier="+url.QueryEscape(v), "X-Request-Id: r")
		op.Read("?_type=" + url.QueryEscape(v))
		op.Do("POST", "Patient", `{"resourceType":"`+v+`"}`)
		op.Create(`{"resourceType":"Patient","name":[{"text":"` + v + `"}]}`).Want(201)
	}
	told := exported(t, spans.Ended())
	for _, v := range personal {
		if strings.Contains(told, v) || strings.Contains(told, url.QueryEscape(v)) {
			t.Errorf("a span tells %s", v)
		}
	}
}

// exported returns the requests that a collector gets for spans.
func exported(t *testing.T, spans []sdktrace.ReadOnlySpan) string {
	t.Helper()
	var got []byte
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s, %v", r.Header.Get("Content-Type"), err)
		}
		got = body
		w.WriteHeader(http.StatusOK)
	}))
	defer collector.Close()
	if err := (&observe.OTLP{URL: collector.URL}).ExportSpans(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	var sent struct {
		ResourceSpans []struct {
			ScopeSpans []struct {
				Spans []struct{ TraceID, SpanID, ParentSpanID, Name, StartTimeUnixNano, EndTimeUnixNano string }
			}
		}
	}
	if err := json.Unmarshal(got, &sent); err != nil {
		t.Fatal(err)
	}
	list := sent.ResourceSpans[0].ScopeSpans[0].Spans
	if len(list) != len(spans) || !slices.ContainsFunc(list, func(s struct{ TraceID, SpanID, ParentSpanID, Name, StartTimeUnixNano, EndTimeUnixNano string }) bool {
		return s.Name == "store.Search" && len(s.TraceID) == 32 && len(s.SpanID) == 16 && len(s.ParentSpanID) == 16 && len(s.StartTimeUnixNano) > 15
	}) {
		t.Errorf("the collector got %d spans of %d: %.500s", len(list), len(spans), got)
	}
	return string(got)
}

func TestCollectorThatFails(t *testing.T) {
	collector := httptest.NewServer(http.NotFoundHandler())
	spans := tracetest.SpanStubs{{Name: "x"}}.Snapshots()
	o := &observe.OTLP{URL: collector.URL}
	if err := o.ExportSpans(t.Context(), spans); err == nil {
		t.Error("a 404 is no error")
	}
	collector.Close()
	if err := o.ExportSpans(t.Context(), spans); err == nil {
		t.Error("a collector that is not there is no error")
	}
}
