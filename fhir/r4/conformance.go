package r4

import (
	_ "embed" // the tables
	"fmt"
	"sort"
	"strings"
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
	ID                string // "" where it is what the URL ends in
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
	return c.content(i), true
}

// ConformanceByID returns what Conformance does, by resource type and id.
func ConformanceByID(resourceType, id string) ([]byte, bool) {
	i, ok := conformanceIDs()[[2]string{resourceType, id}]
	if !ok {
		return nil, false
	}
	return loadConformance().content(i), true
}

// conformanceIDs finds entries by type and id.
var conformanceIDs = sync.OnceValue(func() map[[2]string]int {
	entries := loadConformance().Entries
	at := make(map[[2]string]int, len(entries))
	for i, e := range entries {
		if e.ID == "" {
			e.ID = e.URL[strings.LastIndexByte(e.URL, '/')+1:]
		}
		at[[2]string{e.Type, e.ID}] = i
	}
	return at
})

// ConformanceURLs returns the canonical URLs of the embedded conformance
// resources of a resource type ("ValueSet"), sorted. The slice must not be
// changed.
func ConformanceURLs(resourceType string) []string {
	return loadConformance().urls[resourceType]
}

// content returns the JSON of an entry.
func (c *conformance) content(i int) []byte {
	e := &c.Entries[i]
	return c.block(e.Block)[e.Start:e.End:e.End]
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
