package embedded

import (
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Options of Open. The zero value is ready for use.
type Options struct {
	// FS is where the folder lies; nil is the file system of the machine.
	FS vfs.FS
	// CacheBytes bounds the memory for blocks read from disk; 0 means 128 MiB.
	CacheBytes int64
	// MemTableBytes bounds each of the buffers of writes not yet in sorted
	// files, and so the log that is replayed after a crash; 0 means 32 MiB.
	MemTableBytes uint64
	// KeepSnapshots is how long a snapshot of a page answers after newer
	// writes; 0 means 30 minutes.
	KeepSnapshots time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Logger takes the engine's few messages; nil discards them.
	Logger *slog.Logger
	// Terms tells how criteria become keys; nil is store.FHIRTerms.
	Terms store.Terms
	// ReadOnly opens the folder without the right to write.
	ReadOnly bool
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 32 << 20
	}
	if o.KeepSnapshots == 0 {
		o.KeepSnapshots = 30 * time.Minute
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Terms == nil {
		o.Terms = store.FHIRTerms{}
	}
	return o
}
