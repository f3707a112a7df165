package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
)

// Tiny makes every plan of a search happen with a handful of resources.
func (o Options) Tiny() Options {
	o.plan = planLimits{probes: []int{1, 3}, nearSteps: 1, union: 3, driving: 2, harden: 2, rejects: 2, timeline: 0, changes: 3, set: 8}
	return o
}

// Compressed chooses the compression of the blocks of a level, 0 to 6.
func (o Options) Compressed(level func(int) *sstable.CompressionProfile) Options {
	o.compression = level
	return o
}

// WithDefaults are the options with everything filled in.
func (o Options) WithDefaults() Options { return o.withDefaults() }

// CatchUp waits until Pebble has no compaction to do.
func (e *Engine) CatchUp(ctx context.Context) error {
	for idle := 0; idle < 3; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if m := e.db.Metrics(); m.Compact.NumInProgress == 0 && m.Flush.NumInProgress == 0 {
			idle++
		} else {
			idle = 0
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// Damage changes the last record of a space, or removes it where f returns
// nil.
func (e *Engine) Damage(space byte, f func([]byte) []byte) bool {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err != nil {
		return false
	}
	defer it.Close()
	if !it.Last() {
		return false
	}
	if v := f(it.Value()); v != nil {
		return e.db.Set(it.Key(), v, pebble.Sync) == nil
	}
	return e.db.Delete(it.Key(), pebble.Sync) == nil
}

// index goes through the index.
func (e *Engine) index() *pebble.Iterator {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceIndex}, UpperBound: []byte{spaceIndex + 1}})
	if err != nil {
		panic(err)
	}
	return it
}

// DamageGroup is Damage for the last group of the index.
func (e *Engine) DamageGroup(f func([]byte) []byte) bool {
	it := e.index()
	defer it.Close()
	for ok := it.Last(); ok; ok = it.Prev() {
		if !docAtEnd(it.Key()).isGroup() {
			continue
		}
		if v := f(append([]byte(nil), it.Value()...)); v != nil {
			return e.db.Set(it.Key(), v, pebble.Sync) == nil
		}
		return e.db.Delete(it.Key(), pebble.Sync) == nil
	}
	return false
}

// Stray copies the last index entry to a version that there is not.
func (e *Engine) Stray() {
	it := e.index()
	defer it.Close()
	it.Last()
	key := append([]byte(nil), it.Key()...)
	key[len(key)-docBytes] ^= 1
	if err := e.db.Set(key, it.Value(), pebble.Sync); err != nil {
		panic(err)
	}
}

// ForgetLabels empties the cache of labels.
func (e *Engine) ForgetLabels() { clear(e.labels.byNo) }

// SetFormat writes another format version.
func (e *Engine) SetFormat(n uint64) {
	if err := e.db.Set(metaKey(metaFormat), binary.AppendUvarint(nil, n), pebble.Sync); err != nil {
		panic(err)
	}
}

// MakeOlder makes the store one of an older format and returns how many entries
// that format did not have.
func (e *Engine) MakeOlder(format uint64) int {
	it := e.index()
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		_, rest := cutKey(it.Key())
		d := docAtEnd(it.Key())
		if rest[0] == listKindMoment && format < 3 || rest[0] == listMoment && format < 2 || d.isGroup() && format < 4 {
			n++
			if err := e.db.Delete(it.Key(), pebble.NoSync); err != nil {
				panic(err)
			}
		}
		if d.isGroup() {
			e.split(it.Key(), d, it.Value())
		}
	}
	e.SetFormat(format)
	return n
}

// split gives the members of a group entries of their own, unless they have
// some.
func (e *Engine) split(key []byte, d doc, value []byte) {
	members, err := readGroup(nil, d, value)
	if err != nil {
		panic(err)
	}
	for _, p := range members {
		own := appendNewestFirst(append([]byte(nil), key[:len(key)-docBytes]...), p.doc)
		if _, ok, err := e.get(e.db, own); ok || err != nil {
			continue
		}
		if err := e.db.Set(own, appendPosting(nil, p.labels, 0), pebble.NoSync); err != nil {
			panic(err)
		}
	}
}

// Repeat copies the entries of some lists to others, named by how they begin, and
// returns how many there are.
func (e *Engine) Repeat(from, to string) int {
	it := e.index()
	defer it.Close()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if _, rest := cutKey(it.Key()); !strings.HasPrefix(rest, from) {
			continue
		}
		n++
		if err := e.db.Set(bytes.Replace(it.Key(), []byte(from), []byte(to), 1), it.Value(), pebble.NoSync); err != nil {
			panic(err)
		}
	}
	return n
}

// SortDocs is sortPostings of postings that have nothing but a doc.
func SortDocs(docs []uint64) []uint64 {
	set := make([]posting, len(docs))
	for i, d := range docs {
		set[i].doc = doc(d)
	}
	out := []uint64{}
	for _, p := range sortPostings(set) {
		out = append(out, uint64(p.doc))
	}
	return out
}
