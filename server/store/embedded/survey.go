package embedded

import (
	"context"
	"encoding/binary"
	"iter"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

var _ store.Surveyor = (*Engine)(nil)

// Survey reads the histories of the types, which have the numbers of label sets,
// and then these sets, all in the order in which they lie.
func (e *Engine) Survey(ctx context.Context, types []string) iter.Seq2[search.Labels, error] {
	return func(yield func(search.Labels, error) bool) {
		if err := e.survey(ctx, types, yield); err != nil {
			yield(search.Labels{}, err)
		}
	}
}

// survey returns an error only if the loop it yields to is still running.
func (e *Engine) survey(ctx context.Context, types []string, yield func(search.Labels, error) bool) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	now := e.durable.state()
	v := e.viewAt(ctx, now.seq)
	defer v.close()
	var used numberSet
	for _, typ := range types {
		if err := v.labelsOf(typ, now.labels, &used); err != nil {
			return err
		}
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

// labelsOf adds the numbers, up to highest, of the label sets that versions of a
// type have.
func (v *view) labelsOf(typ string, highest uint64, used *numberSet) error {
	it, err := v.newIter(typePrefix(spaceType, typ))
	if err != nil {
		return err
	}
	for ok := it.SeekGE(typeKey(typ, newestAt(v.seq))); ok; ok = it.Next() {
		no, n := binary.Uvarint(it.Value())
		if n <= 0 || no > highest {
			return errCorrupt
		}
		used.add(no)
		if err := v.tick(); err != nil {
			return err
		}
	}
	return it.Error()
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
