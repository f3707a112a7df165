package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/trace"
)

// OTLP sends spans to an OpenTelemetry collector, as OTLP over HTTP in its
// JSON form. It stands in for OpenTelemetry's own exporter, which would bring
// gRPC into the binary.
// https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
type OTLP struct {
	URL  string // "http://127.0.0.1:4318/v1/traces"
	HTTP *http.Client
}

var _ trace.SpanExporter = (*OTLP)(nil)

// otlpTimeout bounds one delivery where the context does not.
const otlpTimeout = 10 * time.Second

// Shutdown has nothing to do: nothing is held back.
func (*OTLP) Shutdown(context.Context) error { return nil }

// ExportSpans delivers finished spans. What cannot be delivered is lost, and
// the error says so.
func (o *OTLP) ExportSpans(ctx context.Context, spans []trace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	body, err := json.Marshal(otlpRequest(spans))
	if err != nil {
		return fmt.Errorf("otlp: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, otlpTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, o.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("otlp: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	client := o.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("otlp: %w", err)
	}
	if err := res.Body.Close(); err != nil {
		return fmt.Errorf("otlp: %w", err)
	}
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("otlp: the collector answers %d", res.StatusCode)
	}
	return nil
}

type (
	otlpRoot struct {
		ResourceSpans []otlpResourceSpans `json:"resourceSpans"`
	}
	otlpResourceSpans struct {
		Resource   otlpResource     `json:"resource"`
		ScopeSpans []otlpScopeSpans `json:"scopeSpans"`
	}
	otlpResource struct {
		Attributes []otlpAttribute `json:"attributes,omitempty"`
	}
	otlpScopeSpans struct {
		Scope otlpScope  `json:"scope"`
		Spans []otlpSpan `json:"spans"`
	}
	otlpScope struct {
		Name string `json:"name"`
	}
	// otlpSpan has its ids in hexadecimal and its times, as 64-bit numbers, in
	// strings of decimal digits.
	otlpSpan struct {
		TraceID    string          `json:"traceId"`
		SpanID     string          `json:"spanId"`
		ParentID   string          `json:"parentSpanId,omitempty"`
		Name       string          `json:"name"`
		Kind       int             `json:"kind"`
		Start      string          `json:"startTimeUnixNano"`
		End        string          `json:"endTimeUnixNano"`
		Attributes []otlpAttribute `json:"attributes,omitempty"`
		Status     *otlpStatus     `json:"status,omitempty"`
	}
	otlpStatus struct {
		Code int `json:"code"`
	}
	otlpAttribute struct {
		Key   string         `json:"key"`
		Value map[string]any `json:"value"`
	}
)

// otlpError is the code of a failed span; in the SDK it is another number.
const otlpError = 2

// otlpRequest puts spans, all of one resource and one scope, into a request.
func otlpRequest(spans []trace.ReadOnlySpan) otlpRoot {
	all := otlpScopeSpans{Scope: otlpScope{scope}}
	for _, s := range spans {
		sc := s.SpanContext()
		out := otlpSpan{
			TraceID: sc.TraceID().String(), SpanID: sc.SpanID().String(), Name: s.Name(), Kind: int(s.SpanKind()),
			Start: nanos(s.StartTime()), End: nanos(s.EndTime()), Attributes: otlpAttributes(s.Attributes()),
		}
		if s.Parent().SpanID().IsValid() {
			out.ParentID = s.Parent().SpanID().String()
		}
		if s.Status().Code.String() == "Error" {
			out.Status = &otlpStatus{otlpError}
		}
		all.Spans = append(all.Spans, out)
	}
	return otlpRoot{[]otlpResourceSpans{{
		Resource:   otlpResource{otlpAttributes(spans[0].Resource().Attributes())},
		ScopeSpans: []otlpScopeSpans{all},
	}}}
}

func nanos(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) }

func otlpAttributes(list []attribute.KeyValue) []otlpAttribute {
	out := make([]otlpAttribute, 0, len(list))
	for _, kv := range list {
		out = append(out, otlpAttribute{string(kv.Key), otlpValue(kv.Value)})
	}
	return out
}

func otlpValue(v attribute.Value) map[string]any {
	switch v.Type() {
	case attribute.INT64:
		return map[string]any{"intValue": strconv.FormatInt(v.AsInt64(), 10)}
	case attribute.BOOL:
		return map[string]any{"boolValue": v.AsBool()}
	case attribute.STRINGSLICE:
		values := []map[string]any{}
		for _, s := range v.AsStringSlice() {
			values = append(values, map[string]any{"stringValue": s})
		}
		return map[string]any{"arrayValue": map[string]any{"values": values}}
	}
	return map[string]any{"stringValue": v.String()}
}
