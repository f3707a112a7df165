package embedded

import (
	"context"
	"encoding/binary"
	"iter"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Surveyor = (*Engine)(nil)

// Survey reads the history of the type, which has the numbers of label sets, and
// then these sets, both in the order in which they lie.
func (e *Engine) Survey(ctx context.Context, resourceType string) iter.Seq2[search.Labels, error] {
	return func(yield func(search.Labels, error) bool) {
		if err := e.survey(ctx, resourceType, yield); err != nil {
			yield(search.Labels{}, err)
		}
	}
}

// survey returns an error only if the loop it yields to is still running.
func (e *Engine) survey(ctx context.Context, typ string, yield func(search.Labels, error) bool) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	now := e.durable.state()
	v := e.viewAt(ctx, now.seq)
	defer v.close()
	used, err := v.labelsOf(typ, now.labels)
	if err != nil || len(used) == 0 {
		return err
	}
	it, err := v.newIter([]byte{spaceLabels})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if !used.has(binary.BigEndian.Uint64(it.Key()[1:])) {
			continue
		}
		l, err := decodeLabels(it.Value())
		if err != nil {
			return err
		}
		if !yield(l, nil) {
			return nil
		}
	}
	return it.Error()
}

// labelsOf returns the numbers, up to highest, of the label sets that versions of
// a type have.
func (v *view) labelsOf(typ string, highest uint64) (numberSet, error) {
	it, err := v.newIter(typePrefix(spaceType, typ))
	if err != nil {
		return nil, err
	}
	var used numberSet
	for ok := it.SeekGE(typeKey(typ, newestAt(v.seq))); ok; ok = it.Next() {
		no, n := binary.Uvarint(it.Value())
		if n <= 0 || no > highest {
			return nil, errCorrupt
		}
		used.add(no)
		if err := v.tick(); err != nil {
			return nil, err
		}
	}
	return used, it.Error()
}

// numberSet is a set of small numbers.
type numberSet []uint64

func (s *numberSet) add(n uint64) {
	for uint64(len(*s)) <= n/64 {
		*s = append(*s, 0)
	}
	(*s)[n/64] |= 1 << (n % 64)
}

func (s numberSet) has(n uint64) bool { return n/64 < uint64(len(s)) && s[n/64]&(1<<(n%64)) != 0 }
