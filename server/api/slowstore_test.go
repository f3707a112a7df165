package api_test

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// slowStore lets searches wait, once its gate is closed, until their context
// ends.
type slowStore struct {
	store.Store
	gate chan struct{}
}

func (s *slowStore) Search(ctx context.Context, q search.Query) (store.Page, error) {
	select {
	case <-s.gate:
		<-ctx.Done()
		return store.Page{}, ctx.Err()
	default:
		return s.Store.Search(ctx, q)
	}
}
