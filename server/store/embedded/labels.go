package embedded

import (
	"encoding/binary"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// labelSets numbers the sets of labels. A set is written once; every index
// entry refers to its number, which makes the mandatory predicate a look into
// a small map.
type labelSets struct {
	e *Engine

	mu   sync.RWMutex
	byNo map[uint64]search.Labels // a bounded part of space l

	numbers map[string]uint64 // a bounded part of space L; under Engine.write
}

// maxCachedLabels bounds each map; a full one starts afresh.
const maxCachedLabels = 200_000

func (s *labelSets) init(e *Engine) {
	s.e = e
	s.byNo = map[uint64]search.Labels{}
	s.numbers = map[string]uint64{}
}

func labelsKey(no uint64) []byte { return binary.BigEndian.AppendUint64([]byte{spaceLabels}, no) }

func labelNoKey(encoded []byte) []byte { return append([]byte{spaceLabelNo}, encoded...) }

// get returns a set by number.
func (s *labelSets) get(no uint64) (search.Labels, error) {
	s.mu.RLock()
	l, ok := s.byNo[no]
	s.mu.RUnlock()
	if ok {
		return l, nil
	}
	b, ok, err := s.e.get(s.e.db, labelsKey(no))
	if err != nil {
		return l, err
	}
	if !ok {
		return l, errCorrupt
	}
	if l, err = decodeLabels(b); err != nil {
		return l, err
	}
	s.mu.Lock()
	if len(s.byNo) >= maxCachedLabels {
		clear(s.byNo)
	}
	s.byNo[no] = l
	s.mu.Unlock()
	return l, nil
}

// number returns the number of a set, a new one where it is unknown: that one
// is written to the batch and counted in st, and belongs to the transaction
// until adopt.
func (s *labelSets) number(l search.Labels, st *state, fresh map[string]uint64, b *pebble.Batch) (uint64, error) {
	encoded := encodeLabels(l)
	if no, ok := s.numbers[string(encoded)]; ok {
		return no, nil
	}
	if no, ok := fresh[string(encoded)]; ok {
		return no, nil
	}
	v, ok, err := s.e.get(s.e.db, labelNoKey(encoded))
	if err != nil {
		return 0, err
	}
	if ok {
		no, n := binary.Uvarint(v)
		if n <= 0 {
			return 0, errCorrupt
		}
		s.adopt(map[string]uint64{string(encoded): no})
		return no, nil
	}
	st.labels++
	fresh[string(encoded)] = st.labels
	if err := b.Set(labelsKey(st.labels), encoded, nil); err != nil {
		return 0, err
	}
	return st.labels, b.Set(labelNoKey(encoded), binary.AppendUvarint(nil, st.labels), nil)
}

// adopt remembers numbers that are in the store.
func (s *labelSets) adopt(fresh map[string]uint64) {
	if len(s.numbers)+len(fresh) > maxCachedLabels {
		clear(s.numbers)
	}
	for k, no := range fresh {
		s.numbers[k] = no
	}
}
