// Package copy moves a store from one engine to another: every version with
// its number, time, labels and place among the changes, resumable, and
// compared with the source at the end.
package copy

import (
	"context"
	"errors"
	"fmt"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Target is an engine that takes versions as they are.
type Target interface {
	store.Store
	// Import adds versions with the numbers and times they have, keys
	// included. They are whole transactions, newer than everything in the
	// store, in the order of Changes. When it returns, they are on disk and the
	// sequence number is upTo. An Import that was broken off may have kept a
	// beginning of it, in whole transactions.
	Import(ctx context.Context, versions []store.Version, upTo uint64) error
}

// The ways a copy fails that are no failure of an engine.
var (
	// ErrOther: the target holds something that did not come from the source.
	ErrOther = errors.New("the target holds other versions than the source")
	// ErrDiffers: a comparison at the end found a difference.
	ErrDiffers = errors.New("source and target differ")
)

// Job is a copy. It can be repeated after an interruption and goes on where it
// ended: what has been copied is told by the target alone.
type Job struct {
	From store.Store
	To   Target
	// Keys returns the index keys of a version, which is no deletion.
	Keys func(store.Version) ([][]byte, error)
	// Batch is about how many versions are imported at once; 0 means 500.
	Batch int
	// Progress, where not nil, is told of every batch and every ten thousand
	// versions compared.
	Progress func(Progress)
}

// Progress of a copy.
type Progress struct {
	Comparing bool
	Seq       uint64 // done up to here
	Of        uint64 // sequence number of the source
	Versions  int64  // copied or compared in this run
}

// Report of a finished copy.
type Report struct {
	Seq       uint64 `json:"seq"`
	Versions  int64  `json:"versions"`  // in source and target
	Resources int64  `json:"resources"` // current ones
	Copied    int64  `json:"copied"`    // versions, in this run
	SHA256    string `json:"sha256"`    // over all versions, the same for equal stores
}

// Run copies what the target lacks and compares everything. The source may be
// written meanwhile; what comes after the beginning is left for another run.
func (j Job) Run(ctx context.Context) (Report, error) {
	source, err := j.From.Status(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("source: %w", err)
	}
	target, err := j.To.Status(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("target: %w", err)
	}
	if target.Seq > source.Seq {
		return Report{}, fmt.Errorf("%w: it is at change %d, the source at %d", ErrOther, target.Seq, source.Seq)
	}
	if err := j.checkBeginning(ctx, target.Seq); err != nil {
		return Report{}, err
	}
	copied, err := j.copy(ctx, target.Seq, source.Seq)
	if err != nil {
		return Report{}, err
	}
	report, err := j.Compare(ctx, source.Seq)
	report.Copied = copied
	return report, err
}

// copy imports the versions after since, up to upTo.
func (j Job) copy(ctx context.Context, since, upTo uint64) (copied int64, err error) {
	if since == upTo {
		return 0, nil
	}
	size := j.Batch
	if size <= 0 {
		size = 500
	}
	var batch []store.Version
	flush := func(seq uint64) error {
		if err := j.To.Import(ctx, batch, seq); err != nil {
			return fmt.Errorf("import up to change %d: %w", seq, err)
		}
		copied += int64(len(batch))
		batch = batch[:0]
		j.tell(Progress{Seq: seq, Of: upTo, Versions: copied})
		return nil
	}
	for v, err := range j.From.Changes(ctx, since) {
		if err != nil {
			return copied, fmt.Errorf("source: %w", err)
		}
		if v.Seq > upTo {
			break
		}
		if n := len(batch); n >= size && batch[n-1].Seq != v.Seq {
			if err := flush(batch[n-1].Seq); err != nil {
				return copied, err
			}
		}
		if v.Method != store.Delete {
			if v.Keys, err = j.Keys(v); err != nil {
				return copied, fmt.Errorf("index keys at change %d: %w", v.Seq, err)
			}
		}
		batch = append(batch, v)
	}
	if err := ctx.Err(); err != nil {
		return copied, err
	}
	return copied, flush(upTo)
}

func (j Job) tell(p Progress) {
	if j.Progress != nil {
		j.Progress(p)
	}
}
