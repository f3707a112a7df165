package r4

import (
	_ "embed" // the tables
	"fmt"
	"sort"
	"sync"
	"weak"
)

//go:embed conformance.gob.zst
var conformanceIndexData []byte

//go:embed conformance.blocks.zst
var conformanceBlocks []byte

// conformanceIndex is the table of contents of the blocks as fhirgen writes
// it, its entries sorted by URL.
type conformanceIndex struct {
	Entries []conformanceEntry
	Blocks  []struct{ Start, End, Size int }
}

// conformanceEntry tells where a resource lies: in which block, and from where
// to where in the decompressed block.
type conformanceEntry struct {
	Type, URL         string
	Block, Start, End int
}

// conformance is the index with what is decompressed at the moment.
type conformance struct {
	conformanceIndex
	urls map[string][]string // by resource type

	mu     sync.Mutex
	recent []weak.Pointer[[]byte] // blocks in use; the collector may take them
}

var loadConformance = sync.OnceValue(func() *conformance {
	c := &conformance{urls: map[string][]string{}}
	if err := decodeGob(conformanceIndexData, &c.conformanceIndex); err != nil {
		panic(fmt.Sprintf("r4: embedded index: %v", err))
	}
	c.recent = make([]weak.Pointer[[]byte], len(c.Blocks))
	for _, e := range c.Entries {
		c.urls[e.Type] = append(c.urls[e.Type], e.URL)
	}
	return c
})

// Conformance returns the JSON of a conformance resource of the base
// specification (StructureDefinition with snapshot, ValueSet, CodeSystem,
// ConceptMap, SearchParameter, OperationDefinition, CompartmentDefinition) by
// its canonical URL without version, without its narrative. The bytes must not
// be changed.
func Conformance(url string) ([]byte, bool) {
	c := loadConformance()
	i := sort.Search(len(c.Entries), func(i int) bool { return c.Entries[i].URL >= url })
	if i == len(c.Entries) || c.Entries[i].URL != url {
		return nil, false
	}
	e := c.Entries[i]
	return c.block(e.Block)[e.Start:e.End:e.End], true
}

// ConformanceURLs returns the canonical URLs of the embedded conformance
// resources of a resource type ("ValueSet"), sorted. The slice must not be
// changed.
func ConformanceURLs(resourceType string) []string {
	return loadConformance().urls[resourceType]
}

// block returns a decompressed block, the one in memory where there is one.
func (c *conformance) block(n int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if b := c.recent[n].Value(); b != nil {
		return *b
	}
	at := c.Blocks[n]
	raw, err := decompress(conformanceBlocks[at.Start:at.End], at.Size)
	if err != nil {
		panic(fmt.Sprintf("r4: embedded block %d: %v", n, err))
	}
	c.recent[n] = weak.Make(&raw)
	return raw
}
