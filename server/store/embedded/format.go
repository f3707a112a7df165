package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// formatVersion is the version of the layout this program writes. A change of
// the layout raises it and adds a step to migrations.
const formatVersion = 4

const (
	metaFormat    = "format"
	metaState     = "state"
	metaHorizon   = "horizon"
	metaOrigin    = "origin"    // see store.Status.Origin
	metaCompacted = "compacted" // says nothing; see renewLogs
	metaErased    = "erased"    // sequence number of the last erasure
)

func metaKey(name string) []byte { return append([]byte{spaceMeta}, name...) }

// ErrOldFormat is what Open says of a store that an older program wrote and
// that it may only read: the next Open that may write brings it up.
var ErrOldFormat = errors.New("embedded: the store is of an older format")

// migrations[n] brings a store from format n to n+1. A step may write in
// pieces; it must be able to begin anew after a crash, because the new number
// is written last.
var migrations = map[int]func(*Engine) error{
	1: (*Engine).addTimelines,
	2: (*Engine).addTimelines, // those of kinds
	3: (*Engine).dropRepeated,
}

// checkFormat refuses a folder of a newer program and brings an older one up.
func (e *Engine) checkFormat() error {
	b, ok, err := e.get(e.db, metaKey(metaFormat))
	if err != nil {
		return err
	}
	if !ok {
		return e.initialize()
	}
	found, _ := binary.Uvarint(b)
	if found > formatVersion {
		return fmt.Errorf("embedded: the store has format %d, made by a newer program; this one knows formats up to %d", found, formatVersion)
	}
	if found < formatVersion && e.opts.ReadOnly {
		return fmt.Errorf("%w: it has format %d, this program reads format %d", ErrOldFormat, found, formatVersion)
	}
	for v := int(found); v < formatVersion; v++ {
		if err := e.migrate(v); err != nil {
			return fmt.Errorf("embedded: migrate format %d to %d: %w", v, v+1, err)
		}
	}
	return nil
}

func (e *Engine) migrate(from int) error {
	step := migrations[from]
	if step == nil {
		return fmt.Errorf("no step from format %d", from)
	}
	if err := step(e); err != nil {
		return err
	}
	return e.db.Set(metaKey(metaFormat), binary.AppendUvarint(nil, uint64(from+1)), pebble.Sync)
}

// migrateBatch is the size in bytes of the pieces a migration writes.
const migrateBatch = 4 << 20

// addTimelines adds the timelines of every version in the index. Format 1 had
// none, format 2 none of a kind.
func (e *Engine) addTimelines() error {
	return e.eachInPieces(spaceTerms, func(b *pebble.Batch, key, value []byte) error {
		return e.addTimeline(b, docAtEnd(key), value)
	})
}

// eachInPieces calls f with every record of a space and commits its batch when
// it has grown large.
func (e *Engine) eachInPieces(space byte, f func(b *pebble.Batch, key, value []byte) error) (err error) {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{space}, UpperBound: []byte{space + 1}})
	if err != nil {
		return err
	}
	b := e.db.NewBatch()
	defer func() { err = errors.Join(err, it.Close(), b.Close()) }()
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(b, it.Key(), it.Value()); err != nil {
			return err
		}
		if b.Len() > migrateBatch {
			if err := b.Commit(pebble.NoSync); err != nil {
				return err
			}
			b.Reset()
		}
	}
	if err := it.Error(); err != nil {
		return err
	}
	return b.Commit(pebble.Sync)
}

func (e *Engine) addTimeline(b *pebble.Batch, d doc, keys []byte) error {
	raw, ok, err := e.get(e.db, versionKey(d))
	if err != nil || !ok {
		return errors.Join(err, errCorrupt)
	}
	s, err := decodeVersion(d, raw)
	if err != nil {
		return err
	}
	r, err := decodeRow(keys, nil)
	if err != nil {
		return err
	}
	posting, ok, err := e.get(e.db, appendNewestFirst(listKey(s.Type, listAll, nil), d))
	if err != nil || !ok {
		return errors.Join(err, errCorrupt)
	}
	return e.eachMoment(s.Type, r.keys, d, func(key, head []byte) error { return set(b, key, head, posting) })
}

// dropRepeated removes the entries of versions that are found in other lists,
// which format 3 had. It had no groups either, but no list must have one.
func (e *Engine) dropRepeated() error {
	return e.eachInPieces(spaceIndex, func(b *pebble.Batch, key, _ []byte) error {
		typ, rest := cutKey(key)
		repeated := false
		switch rest[0] {
		case listMoment, listKindMoment:
			term := cutTerm([]byte(rest[1:]))
			_, list := e.opts.Terms.Timeline(typ, term)
			repeated = !bytes.Equal(list, term)
		case listTerm:
			term := cutTerm([]byte(rest[1:]))
			if _, ok := e.opts.Terms.AlsoIn(typ, exactRange(term)); !ok {
				return nil
			}
			known, ok, err := e.rowOf(docAtEnd(key))
			if err != nil || !ok {
				return errors.Join(err, errCorrupt)
			}
			repeated = !e.opts.Terms.Listed(typ, term, known.keys)
		}
		if !repeated {
			return nil
		}
		return b.Delete(key, nil)
	})
}

// loadOrigin reads the origin of the content, or gives it one.
func (e *Engine) loadOrigin() error {
	b, ok, err := e.get(e.db, metaKey(metaOrigin))
	if err != nil {
		return err
	}
	if !ok {
		if e.opts.ReadOnly {
			return nil
		}
		return e.newOrigin()
	}
	origin := string(b)
	e.origin.Store(&origin)
	return nil
}

// newOrigin notes that the content comes from elsewhere, and when it came.
func (e *Engine) newOrigin() error {
	origin := e.opts.Now().UTC().Format(time.RFC3339Nano)
	e.origin.Store(&origin)
	return e.db.Set(metaKey(metaOrigin), []byte(origin), pebble.Sync)
}

// initialize marks an empty folder as ours.
func (e *Engine) initialize() error {
	it, err := e.db.NewIter(nil)
	if err != nil {
		return err
	}
	empty := !it.First()
	if err := it.Close(); err != nil {
		return err
	}
	if !empty {
		return fmt.Errorf("embedded: the folder holds a database of another program")
	}
	return e.db.Set(metaKey(metaFormat), binary.AppendUvarint(nil, formatVersion), pebble.Sync)
}
