package embedded

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// entries are the index entries of a transaction. They go to the batch in the
// order of their keys: records stored together share most of their terms, and a
// write buffer takes a key quickest next to the one before.
type entries struct {
	buf  []byte
	list []entry
}

// entry is where a key and its value stand in the buffer.
type entry struct {
	key, value, end int
	labels          uint64
	groups          bool // it may go into a group
}

// add takes an entry. head is what its value holds before the posting.
func (x *entries) add(key, head []byte, labels, ended uint64) {
	e := entry{key: len(x.buf), labels: labels, groups: head == nil && ended == 0}
	x.buf = append(x.buf, key...)
	e.value = len(x.buf)
	x.buf = appendPosting(append(x.buf, head...), labels, ended)
	e.end = len(x.buf)
	x.list = append(x.list, e)
}

func (x *entries) keyOf(e entry) []byte { return x.buf[e.key:e.value] }

func (x *entries) writeTo(b *pebble.Batch) error {
	slices.SortFunc(x.list, func(a, b entry) int { return bytes.Compare(x.keyOf(a), x.keyOf(b)) })
	for rest := x.list; len(rest) > 0; {
		n := x.together(rest)
		alone := rest[:n]
		if n > 1 {
			together := rest[:min(n, maxGroup)]
			if err := x.writeGroup(b, together); err != nil {
				return err
			}
			alone = rest[len(together):n]
		}
		for _, e := range alone {
			if err := b.Set(x.keyOf(e), x.buf[e.value:e.end], nil); err != nil {
				return err
			}
		}
		rest = rest[n:]
	}
	return nil
}

// together counts the entries at the start that have list and transaction in
// common and may be a group; it is at least 1.
func (x *entries) together(list []entry) int {
	first := x.keyOf(list[0])
	prefix := len(first) - docBytes
	n := 1
	for list[0].groups && n < len(list) && list[n].groups {
		key := x.keyOf(list[n])
		if len(key) != len(first) || !bytes.Equal(key[:prefix], first[:prefix]) || docAtEnd(key).seq() != docAtEnd(first).seq() {
			break
		}
		n++
	}
	return n
}

func (x *entries) writeGroup(b *pebble.Batch, list []entry) error {
	members := make([]posting, len(list))
	for i, e := range list {
		members[i] = posting{doc: docAtEnd(x.keyOf(e)), labels: e.labels}
	}
	key := bytes.Clone(x.keyOf(list[0]))
	key = appendNewestFirst(key[:len(key)-docBytes], groupOf(members[0].doc.seq()))
	return b.Set(key, appendGroup(nil, members), nil)
}
