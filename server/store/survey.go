package store

import (
	"context"
	"iter"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// Surveyor is a Store that tells which labels there are without reading what
// they are on: a server that starts on millions of records has no time for that.
// Without it the policy reads all changes.
type Surveyor interface {
	// Survey yields every set of labels that some version of one of the types
	// has, deletions included, each once and in no order. It tells of everything
	// that Status counts when it is called, and nothing of what is erased.
	Survey(ctx context.Context, types []string) iter.Seq2[search.Labels, error]
}
