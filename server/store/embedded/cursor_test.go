package embedded_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

// TestSortPostings merges runs of any number and length, with repetitions.
func TestSortPostings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := rapid.SliceOfN(rapid.Uint64Range(0, 200), 0, 300).Draw(t, "docs")
		for i := 0; i < len(docs); { // mostly in runs, as they come from lists
			n := min(rapid.IntRange(1, 40).Draw(t, "run"), len(docs)-i)
			slices.SortFunc(docs[i:i+n], func(a, b uint64) int { return int(b) - int(a) })
			i += n
		}
		want := slices.Sorted(slices.Values(docs))
		want = slices.Compact(want)
		slices.Reverse(want)
		if want == nil {
			want = []uint64{}
		}
		if diff := cmp.Diff(want, embedded.SortDocs(docs)); diff != "" {
			t.Fatal(diff)
		}
	})
}
