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
type entry struct{ key, value, end int }

// add takes an entry, whose value is in two parts.
func (x *entries) add(key, head, tail []byte) {
	e := entry{key: len(x.buf)}
	x.buf = append(x.buf, key...)
	e.value = len(x.buf)
	x.buf = append(append(x.buf, head...), tail...)
	e.end = len(x.buf)
	x.list = append(x.list, e)
}

func (x *entries) writeTo(b *pebble.Batch) error {
	slices.SortFunc(x.list, func(a, b entry) int { return bytes.Compare(x.buf[a.key:a.value], x.buf[b.key:b.value]) })
	for _, e := range x.list {
		if err := b.Set(x.buf[e.key:e.value], x.buf[e.value:e.end], nil); err != nil {
			return err
		}
	}
	return nil
}
