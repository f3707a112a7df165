package interaction

import (
	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Registry returns the search parameters in force.
func (s *Service) Registry() *search.Registry { return s.registry.Load() }

// Keys returns the index keys of a resource that is about to be written: those
// of the parameters in force and of those that are being indexed.
func (s *Service) Keys(e *fhir.Element) ([][]byte, error) { return s.indexing.Load().Keys(e) }

// SetRegistries changes the search parameters: force are those that queries may
// use, index those by which writes are indexed, which include the former. It
// returns when no write is under way that was indexed by the former ones.
func (s *Service) SetRegistries(force, index *search.Registry) {
	s.writes.Lock()
	defer s.writes.Unlock()
	s.registry.Store(force)
	s.indexing.Store(index)
}
