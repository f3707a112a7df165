package search_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// TestLastUpdatedKey compares the key made directly with the extracted one.
func TestLastUpdatedKey(t *testing.T) {
	r, err := search.NewRegistry()
	if err != nil {
		t.Fatal(err)
	}
	for _, ms := range []int64{0, 1, -1, 999, 1_776_000_000_123, 4_102_444_799_999} {
		at := time.UnixMilli(ms).UTC()
		p := fhir.NewResource("Patient")
		p.Add("meta").Set("lastUpdated", at.Format("2006-01-02T15:04:05.000Z"))
		keys, err := r.Keys(p)
		if err != nil {
			t.Fatal(err)
		}
		keys = slices.DeleteFunc(keys, func(k []byte) bool { return !bytes.HasPrefix(k, []byte("_lastUpdated\x00")) })
		if len(keys) != 1 || !bytes.Equal(keys[0], search.LastUpdatedKey(at)) {
			t.Errorf("%v: got %q, want %q", at, search.LastUpdatedKey(at), keys)
		}
	}
}
