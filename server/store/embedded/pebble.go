package embedded

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// openPebble sets Pebble up. Blocks of 16 KiB under snappy were the best of a
// trial: smaller or zstd blocks made fetching many rows 4–8 times slower.
func openPebble(dir string, e *Engine) (*pebble.DB, error) {
	cache := pebble.NewCache(e.opts.CacheBytes)
	defer cache.Unref()
	o := &pebble.Options{
		FS:                          e.opts.FS,
		Cache:                       cache,
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MemTableSize:                e.opts.MemTableBytes,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       24,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		BytesPerSync:                1 << 20,
		ReadOnly:                    e.opts.ReadOnly,
		Logger:                      pebbleLog{e},
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
	}
	for i := range o.Levels {
		o.Levels[i].BlockSize = 16 << 10
		o.Levels[i].IndexBlockSize = 32 << 10
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.SnappyCompression }
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return pebble.Open(dir, o)
}

// pebbleLog passes on what Pebble finds worth telling: only faults. Keys of
// the store hold identifiers of people, so messages are not repeated verbatim.
type pebbleLog struct{ e *Engine }

func (pebbleLog) Infof(string, ...any) {}

func (l pebbleLog) Errorf(format string, _ ...any) {
	l.e.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "storage", slog.String("fault", format))
}

// Fatalf is Pebble's way to say that it cannot go on.
func (l pebbleLog) Fatalf(format string, args ...any) {
	err := fmt.Errorf("embedded: storage failed: "+format, args...)
	l.e.durable.fail(err)
	l.e.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "storage failed", slog.String("fault", format))
	panic(err)
}
