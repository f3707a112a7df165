package embedded

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// memTables is how many write buffers there are at most.
const memTables = 4

// openPebble sets Pebble up. Blocks of 16 KiB were the best of a trial: smaller
// ones made fetching many rows slower.
func openPebble(dir string, e *Engine) (*pebble.DB, error) {
	// Pebble takes the memory of its memtables out of the cache.
	cache := pebble.NewCache(e.opts.CacheBytes + memTables*int64(e.opts.MemTableBytes))
	defer cache.Unref()
	o := &pebble.Options{
		FS:                          faultFS{e.opts.FS, e},
		Cache:                       cache,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MemTableSize:                e.opts.MemTableBytes,
		MemTableStopWritesThreshold: memTables,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		BytesPerSync:                1 << 20,
		ReadOnly:                    e.opts.ReadOnly,
		Logger:                      pebbleLog{e},
		EventListener:               e.listener(),
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].IndexBlockSize = 32 << 10
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return e.opts.compression(i) }
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return pebble.Open(dir, o)
}

// blockCompression is snappy on every level; see DECISIONS.md, 37.
func blockCompression(int) *sstable.CompressionProfile { return sstable.SnappyCompression }
