package embedded

import (
	"bytes"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// entries are the index entries of a transaction, in groups where versions have
// lists in common. They go to the batch in the order of their keys: a write
// buffer takes a key quickest next to the one before.
type entries struct {
	buf   []byte // keys and values of list
	list  []entry
	lists map[string]int // place in list of what may be a group, by what stands before ^doc
}

// entry is one key and its value, or what may be a group: then key is what stands
// before ^doc, and there is no value.
type entry struct {
	key, value, end int
	members         []posting
}

// add takes an entry. head is what its value holds before the posting.
func (x *entries) add(key, head []byte, labels, ended uint64) {
	if head == nil && ended == 0 {
		x.member(key[:len(key)-docBytes], posting{doc: docAtEnd(key), labels: labels})
		return
	}
	e := entry{key: len(x.buf)}
	x.buf = append(x.buf, key...)
	e.value = len(x.buf)
	x.buf = appendPosting(append(x.buf, head...), labels, ended)
	e.end = len(x.buf)
	x.list = append(x.list, e)
}

// member takes a posting of a version that came with this transaction.
func (x *entries) member(list []byte, p posting) {
	if i, known := x.lists[string(list)]; known {
		x.list[i].members = append(x.list[i].members, p)
		return
	}
	if x.lists == nil {
		x.lists = map[string]int{}
	}
	x.lists[string(list)] = len(x.list)
	e := entry{key: len(x.buf), members: []posting{p}}
	x.buf = append(x.buf, list...)
	e.value, e.end = len(x.buf), len(x.buf)
	x.list = append(x.list, e)
}

func (x *entries) keyOf(e entry) []byte { return x.buf[e.key:e.value] }

func (x *entries) writeTo(b *pebble.Batch) error {
	slices.SortFunc(x.list, func(a, b entry) int { return bytes.Compare(x.keyOf(a), x.keyOf(b)) })
	for _, e := range x.list {
		var err error
		if e.members == nil {
			err = b.Set(x.keyOf(e), x.buf[e.value:e.end], nil)
		} else {
			err = writeList(b, x.keyOf(e), e.members)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeList enters versions of one transaction into a list.
func writeList(b *pebble.Batch, list []byte, members []posting) error {
	slices.SortFunc(members, func(a, b posting) int { return newestFirst(a, b.doc) })
	key := make([]byte, 0, len(list)+docBytes)
	if len(members) > 1 {
		together := members[:min(len(members), maxGroup)]
		members = members[len(together):]
		key = appendNewestFirst(append(key, list...), groupOf(together[0].doc.seq()))
		if err := b.Set(key, appendGroup(nil, together), nil); err != nil {
			return err
		}
	}
	for _, p := range members {
		key = appendNewestFirst(append(key[:0], list...), p.doc)
		if err := b.Set(key, appendPosting(nil, p.labels, 0), nil); err != nil {
			return err
		}
	}
	return nil
}
