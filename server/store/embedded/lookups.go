package embedded

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// lookups are the Bloom filters of the keys that are looked up one by one, with 10
// bits for each. What is only walked through, most of the index, is left out: its
// filters were a twentieth of the CPU time of an import, and nobody asked them.
type lookups struct{ bloom.FilterPolicy }

// tableFilters are the filters of new tables.
var tableFilters = lookups{bloom.FilterPolicy(10)}

// Name is written into the tables.
func (lookups) Name() string { return "kaigofhir.Lookups" }

func (l lookups) NewWriter(t pebble.FilterType) pebble.FilterWriter {
	return lookupsWriter{l.FilterPolicy.NewWriter(t)}
}

func (l lookups) MayContain(t pebble.FilterType, filter, key []byte) bool {
	return !lookedUp(key) || l.FilterPolicy.MayContain(t, filter, key)
}

type lookupsWriter struct{ pebble.FilterWriter }

func (w lookupsWriter) AddKey(key []byte) {
	if lookedUp(key) {
		w.FilterWriter.AddKey(key)
	}
}

// lookedUp tells whether filters know a key. It is part of the format of a store.
func lookedUp(key []byte) bool {
	switch {
	case len(key) <= docBytes:
		return true
	case key[0] == spaceIndex:
		return docAtEnd(key).isGroup() // removal looks for it
	}
	return key[0] != spaceType && key[0] != spaceEnded
}
