package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// A group is one index entry for many versions: those of one transaction that
// are in a list. Records that come together have most of their terms in common,
// and an index a third as long is filled, compacted and searched the quicker.
//
//	key   i type 00 list ^doc, with the rank that no version has
//	value for each version, newest first: rank of the one before less its own,
//	      and its labels less those of the one before
//
// Besides the group a version may have an entry of its own, which then counts:
// it is how a version leaves a list that it entered in a group. Timelines have
// no groups.

// maxGroup bounds a group; what is more gets entries of its own.
const maxGroup = 1024

// groupOf is the doc in the key of a group.
func groupOf(seq uint64) doc { return newestAt(seq) }

func (d doc) isGroup() bool { return uint64(d)&maxRank == maxRank }

func appendGroup(b []byte, members []posting) []byte {
	rank, labels := uint64(maxRank), uint64(0)
	for _, p := range members {
		next := uint64(p.doc) & maxRank
		b = binary.AppendUvarint(b, rank-next)
		b = binary.AppendVarint(b, int64(p.labels-labels))
		rank, labels = next, p.labels
	}
	return b
}

// readGroup appends the members of a group.
func readGroup(members []posting, d doc, value []byte) ([]posting, error) {
	r := reader{b: value}
	labels := uint64(0)
	for len(r.b) > 0 && r.err == nil {
		down := r.uvarint()
		if down == 0 || down > uint64(d)&maxRank {
			return nil, errCorrupt
		}
		d -= doc(down)
		labels += uint64(r.varint())
		members = append(members, posting{doc: d, labels: labels})
	}
	return members, r.err
}

// walker goes through lists of the index in the order of their keys, posting by
// posting.
type walker struct {
	it    *pebble.Iterator
	high  []byte // where the walk ends; nil: where the iterator does
	cur   posting
	list  []byte // what stands before ^doc in the key of cur; good until the next move
	rest  []posting
	ahead bool // the iterator is behind the group already, and whether it is
	valid bool // somewhere
	err   error

	group  []posting // rest and list of a group are kept in here
	prefix []byte
}

// seek goes to the first posting in a range of keys, which begins with no member
// of a group.
func (w *walker) seek(low, high []byte) bool {
	w.high, w.rest = high, nil
	return w.load(w.it.SeekGE(low))
}

// seekDoc goes to the newest posting of a list that is not newer than d. high is
// the end of the list or nil.
func (w *walker) seekDoc(list, high []byte, d doc) bool {
	w.prefix = appendNewestFirst(append(w.prefix[:0], list...), groupOf(d.seq()))
	ok := w.seek(w.prefix, high)
	for ok && w.cur.doc > d {
		w.skip(d)
		ok = w.next()
	}
	return ok
}

// next goes on by one.
func (w *walker) next() bool {
	switch {
	case len(w.rest) > 0:
		w.cur, w.rest = w.rest[0], w.rest[1:]
		return true
	case w.ahead:
		return w.load(w.valid)
	}
	return w.load(w.it.Next())
}

// skip passes over postings of the current group that are newer than d.
func (w *walker) skip(d doc) {
	for len(w.rest) > 0 && w.rest[0].doc > d {
		w.rest = w.rest[1:]
	}
}

// load reads what the iterator is at.
func (w *walker) load(ok bool) bool {
	w.ahead = false
	if !ok || w.high != nil && bytes.Compare(w.it.Key(), w.high) >= 0 {
		w.note(w.it.Error())
		return false
	}
	key := w.it.Key()
	value, err := w.it.ValueAndErr()
	w.note(err)
	w.list = key[:len(key)-docBytes]
	d := docAtEnd(key)
	switch {
	case w.err != nil:
		return false
	case d.isGroup():
		w.open(d, value)
	default:
		w.cur, err = decodePosting(key, value)
		w.note(err)
	}
	return w.err == nil
}

// open reads a group and the entries that its versions have of their own.
func (w *walker) open(d doc, value []byte) {
	w.prefix = append(w.prefix[:0], w.list...)
	w.list = w.prefix
	var err error
	w.group, err = readGroup(w.group[:0], d, value)
	if err != nil || len(w.group) == 0 {
		w.note(errors.Join(err, errCorrupt))
		return
	}
	members := len(w.group)
	w.ahead = true
	for w.valid = w.it.Next(); w.valid && w.follows(d.seq()); w.valid = w.it.Next() {
		value, err := w.it.ValueAndErr()
		w.note(err)
		p, err := decodePosting(w.it.Key(), value)
		w.note(err)
		w.group = append(w.group, p)
	}
	w.note(w.it.Error())
	if own := w.group[members:]; len(own) > 0 {
		w.group = slices.Concat(own, w.group[:members])
		slices.SortStableFunc(w.group, func(a, b posting) int { return newestFirst(a, b.doc) })
		w.group = slices.CompactFunc(w.group, func(a, b posting) bool { return a.doc == b.doc })
	}
	w.cur, w.rest = w.group[0], w.group[1:]
}

// follows tells whether the iterator is at an entry of the list and transaction
// of the group.
func (w *walker) follows(seq uint64) bool {
	key := w.it.Key()
	n := len(w.prefix)
	return len(key) == n+docBytes && bytes.Equal(key[:n], w.prefix) && docAtEnd(key).seq() == seq
}

// note keeps the first fault.
func (w *walker) note(err error) {
	if w.err == nil {
		w.err = err
	}
}

// removal takes versions out of the index, in one batch. Nobody else may change
// groups meanwhile: Engine.sweepMu is held.
type removal struct {
	e      *Engine
	b      *pebble.Batch
	groups map[string]*group // by key, each that was looked for
}

// group is what a removal leaves of one.
type group struct {
	members []posting
	changed bool
}

func (e *Engine) removal(b *pebble.Batch) *removal {
	return &removal{e: e, b: b, groups: map[string]*group{}}
}

// remove drops all entries of a version.
func (r *removal) remove(typ string, known *store.Version, d doc) error {
	key := make([]byte, 0, 128)
	return r.e.eachEntry(typ, known, d, func(own, head []byte) error {
		if err := r.b.Delete(own, nil); err != nil || head != nil {
			return err
		}
		key = appendNewestFirst(append(key[:0], own[:len(own)-docBytes]...), groupOf(d.seq()))
		g, err := r.group(key)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(g.members, func(p posting) bool { return p.doc == d }); i >= 0 {
			g.members, g.changed = slices.Delete(g.members, i, i+1), true
		}
		return nil
	})
}

func (r *removal) group(key []byte) (*group, error) {
	if g := r.groups[string(key)]; g != nil {
		return g, nil
	}
	g := &group{}
	value, ok, err := r.e.get(r.e.db, key)
	if err == nil && ok {
		g.members, err = readGroup(nil, docAtEnd(key), value)
	}
	r.groups[string(key)] = g
	return g, err
}

// finish writes what is left of the groups.
func (r *removal) finish() error {
	for key, g := range r.groups {
		var err error
		switch {
		case !g.changed:
		case len(g.members) == 0:
			err = r.b.Delete([]byte(key), nil)
		default:
			err = r.b.Set([]byte(key), appendGroup(nil, g.members), nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
