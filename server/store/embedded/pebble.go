package embedded

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// memTables is how many write buffers there are at most.
const memTables = 3

// The first level below the write buffers is rewritten for every l0Threshold
// tables of a full buffer that come down to it. An import of 400,000 records wrote
// that level 4.3 times over with buffers of 32 MiB and 4 tables, 2.6 times with 64
// MiB and 4, 1.6 times with 64 MiB and 8. A search looks into as many tables more.
const (
	l0Threshold = 6
	baseBytes   = 64 << 20
)

// openPebble sets Pebble up. Blocks of 16 KiB were the best of a trial: smaller
// ones made fetching many rows slower.
func openPebble(dir string, e *Engine) (*pebble.DB, error) {
	// Pebble takes the memory of its memtables out of the cache.
	cache := pebble.NewCache(e.opts.CacheBytes + memTables*int64(e.opts.MemTableBytes))
	defer cache.Unref()
	older := tableFilters.FilterPolicy // of all keys, before format 4
	o := &pebble.Options{
		FS:                          faultFS{e.opts.FS, e},
		Cache:                       cache,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MemTableSize:                e.opts.MemTableBytes,
		MemTableStopWritesThreshold: memTables,
		L0CompactionThreshold:       l0Threshold,
		L0StopWritesThreshold:       4 * l0Threshold,
		LBaseMaxBytes:               baseBytes,
		MaxOpenFiles:                1000,
		BytesPerSync:                1 << 20,
		ReadOnly:                    e.opts.ReadOnly,
		Logger:                      pebbleLog{e},
		EventListener:               e.listener(),
		Filters:                     map[string]pebble.FilterPolicy{older.Name(): older},
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].IndexBlockSize = 32 << 10
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return e.opts.compression(i) }
		o.Levels[i].FilterPolicy = tableFilters
	}
	return pebble.Open(dir, o)
}

// blockCompression is snappy on every level; see DECISIONS.md, 37.
func blockCompression(int) *sstable.CompressionProfile { return sstable.SnappyCompression }
