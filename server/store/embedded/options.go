package embedded

import (
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

// Options of Open. The zero value is ready for use.
type Options struct {
	// FS is where the folder lies; nil is the file system of the machine.
	FS vfs.FS
	// Master encrypts the folder; nil leaves it in the clear. A folder that is
	// encrypted opens with its key only, any other without one only.
	Master sealedfs.MasterKey
	// CacheBytes bounds the memory for blocks read from disk; 0 means 128 MiB.
	CacheBytes int64
	// MemTableBytes bounds each of the buffers of writes not yet in sorted
	// files, and so the log that is replayed after a crash; 0 means 64 MiB.
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

	plan planLimits
	// compression of the blocks of a level, 0 to 6; nil is blockCompression.
	compression func(level int) *sstable.CompressionProfile
}

// planLimits are where a search changes its plan; tests make them tiny.
type planLimits struct {
	// probes are the numbers of index entries looked at, one after the other,
	// to find a condition met by few.
	probes []int
	// nearSteps is how many entries of a list are tried before a seek.
	nearSteps int
	// union is the most lists walked as one.
	union int
	// driving is the most patient and author lists a search starts from.
	driving int
	// harden is how many rejected versions show that a test should be a set.
	harden int
	// rejects is how many rejected entries show that a timeline does not help.
	rejects int
	// timeline is how few versions another condition must leave for a
	// timeline not to be worth it.
	timeline int
	// changes is after how many changes of a type a total is counted anew.
	changes int
	// set bounds a set in memory: 24 bytes for each entry.
	set int
}

var defaultLimits = planLimits{probes: []int{64, 512}, nearSteps: 6, union: 32, driving: 64, harden: 256, rejects: 1000, timeline: 16, changes: 200, set: 2_000_000}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 128 << 20
	}
	if o.MemTableBytes == 0 {
		o.MemTableBytes = 64 << 20
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
	if o.compression == nil {
		o.compression = blockCompression
	}
	if o.plan.probes == nil {
		o.plan = defaultLimits
	}
	return o
}
