package copy

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"iter"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// beginning is how many versions are compared before anything is copied into a
// store that is not empty.
const beginning = 1000

// checkBeginning compares the first versions, and those of the last
// transaction of the target, so that a copy into some other store is refused
// before it does harm.
func (j Job) checkBeginning(ctx context.Context, seq uint64) error {
	if seq == 0 {
		return nil
	}
	if _, err := j.compare(ctx, 0, seq, beginning); err != nil {
		return fmt.Errorf("%w: %w", ErrOther, err)
	}
	if _, err := j.compare(ctx, seq-1, seq, 0); err != nil {
		return fmt.Errorf("%w: %w", ErrOther, err)
	}
	return nil
}

// Compare reads all versions of source and target up to a sequence number and
// fails, with ErrDiffers, at the first that differ.
func (j Job) Compare(ctx context.Context, upTo uint64) (Report, error) {
	report, err := j.compare(ctx, 0, upTo, 0)
	if err != nil {
		return report, err
	}
	target, err := j.To.Status(ctx)
	if err != nil {
		return report, fmt.Errorf("target: %w", err)
	}
	report.Seq, report.Resources = target.Seq, target.Resources
	if target.Seq != upTo || target.Versions != report.Versions {
		return report, fmt.Errorf("%w: the target counts change %d and %d versions", ErrDiffers, target.Seq, target.Versions)
	}
	return report, nil
}

// compare goes through both; limit 0 has no end.
func (j Job) compare(ctx context.Context, since, upTo uint64, limit int64) (Report, error) {
	from, stopFrom := iter.Pull2(j.From.Changes(ctx, since))
	defer stopFrom()
	to, stopTo := iter.Pull2(j.To.Changes(ctx, since))
	defer stopTo()
	all := sha256.New()
	var report Report
	for limit == 0 || report.Versions < limit {
		a, more, err := next(from, upTo)
		if err != nil {
			return report, fmt.Errorf("source: %w", err)
		}
		b, moreB, err := next(to, upTo)
		if err != nil {
			return report, fmt.Errorf("target: %w", err)
		}
		if more != moreB {
			return report, fmt.Errorf("%w: one ends after %d versions", ErrDiffers, report.Versions)
		}
		if !more {
			break
		}
		one, other := digest(a), digest(b)
		if one != other {
			return report, fmt.Errorf("%w: version %d of a %s at change %d of the source", ErrDiffers, a.Version, a.Type, a.Seq)
		}
		all.Write(one[:])
		if report.Versions++; report.Versions%10_000 == 0 {
			j.tell(Progress{Comparing: true, Seq: a.Seq, Of: upTo, Versions: report.Versions})
		}
	}
	report.SHA256 = hex.EncodeToString(all.Sum(nil))
	return report, ctx.Err()
}

// next returns the next version up to a sequence number.
func next(pull func() (store.Version, error, bool), upTo uint64) (store.Version, bool, error) {
	v, err, ok := pull()
	if !ok || err != nil || v.Seq > upTo {
		return store.Version{}, false, err
	}
	return v, true, nil
}

// digest is a checksum of everything a version holds but its index keys.
func digest(v store.Version) [sha256.Size]byte {
	h := sha256.New()
	for _, n := range []uint64{v.Version, v.Seq, uint64(v.Method), uint64(v.Time.UnixMilli()), uint64(len(v.Labels.Patients))} {
		_ = binary.Write(h, binary.BigEndian, n) // a hash takes everything
	}
	for _, s := range append([]string{v.Type, v.ID, v.Labels.Form, v.Labels.Author}, v.Labels.Patients...) {
		field(h, []byte(s))
	}
	field(h, v.JSON)
	return [sha256.Size]byte(h.Sum(nil))
}

func field(h hash.Hash, b []byte) {
	_ = binary.Write(h, binary.BigEndian, uint64(len(b)))
	h.Write(b)
}
