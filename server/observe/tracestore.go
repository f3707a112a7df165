package observe

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// TraceStore returns the store with a span for each access that belongs to a
// traced request. Spans tell resource types and counts, never keys or values.
func TraceStore(st store.Store, p trace.TracerProvider) store.Store {
	return &tracedStore{Store: st, tracer: p.Tracer(scope)}
}

type tracedStore struct {
	store.Store
	tracer trace.Tracer
}

func (s *tracedStore) start(ctx context.Context, name string, attrs ...attribute.KeyValue) (context.Context, trace.Span) {
	if !trace.SpanContextFromContext(ctx).IsValid() { // work of the server itself
		return ctx, noop.Span{}
	}
	return s.tracer.Start(ctx, "store."+name, trace.WithAttributes(attrs...))
}

// end ends a span. What the caller may expect to happen is no error of it; the
// text of others may hold anything and is left out.
func end(span trace.Span, err error, attrs ...attribute.KeyValue) {
	for _, expected := range []error{store.ErrNotFound, store.ErrGone, store.ErrPrecondition, store.ErrConflict, store.ErrExpired} {
		if errors.Is(err, expected) {
			attrs = append(attrs, attribute.String("store.result", expected.Error()))
			err = nil
		}
	}
	if err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.SetAttributes(attrs...)
	span.End()
}

func (s *tracedStore) Read(ctx context.Context, key store.Key) (store.Version, error) {
	ctx, span := s.start(ctx, "Read", attribute.String("fhir.type", key.Type))
	v, err := s.Store.Read(ctx, key)
	end(span, err)
	return v, err
}

func (s *tracedStore) ReadVersion(ctx context.Context, key store.Key, version uint64) (store.Version, error) {
	ctx, span := s.start(ctx, "ReadVersion", attribute.String("fhir.type", key.Type))
	v, err := s.Store.ReadVersion(ctx, key, version)
	end(span, err)
	return v, err
}

func (s *tracedStore) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	ctx, span := s.start(ctx, "Apply", attribute.Int("store.writes", len(tx.Writes)), attribute.Int("store.expectations", len(tx.Expect)))
	r, err := s.Store.Apply(ctx, tx)
	end(span, err)
	return r, err
}

func (s *tracedStore) Search(ctx context.Context, q search.Query) (store.Page, error) {
	ctx, span := s.start(ctx, "Search", attribute.StringSlice("fhir.types", q.Types), attribute.Int("search.clauses", len(q.Where)))
	page, err := s.Store.Search(ctx, q)
	end(span, err, attribute.Int("search.found", len(page.Versions)))
	return page, err
}

func (s *tracedStore) History(ctx context.Context, q store.HistoryQuery) (store.Page, error) {
	ctx, span := s.start(ctx, "History", attribute.String("fhir.type", q.Type))
	page, err := s.Store.History(ctx, q)
	end(span, err, attribute.Int("search.found", len(page.Versions)))
	return page, err
}
