package embedded

import (
	"encoding/binary"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// totals remembers how many resources matched, so that an exact total costs
// nothing while the types it is about do not change. A total depends on the
// query, the predicate and the versions of those types alone: references to
// others were resolved into the ranges that are part of the key.
type totals struct {
	mu      sync.Mutex
	changed map[string]uint64 // sequence number of the last write, by type
	opened  uint64            // that of the store when it was opened
	known   map[string]knownTotal
}

type knownTotal struct {
	seq   uint64 // of the snapshot that was counted
	total int64
}

// maxTotals bounds the memory; a full cache starts afresh.
const maxTotals = 20_000

func (t *totals) init(seq uint64) {
	t.opened, t.changed, t.known = seq, map[string]uint64{}, map[string]knownTotal{}
}

// touch notes a write. It happens before the write can be seen.
func (t *totals) touch(typ string, seq uint64) {
	t.mu.Lock()
	t.changed[typ] = seq
	t.mu.Unlock()
}

// get returns a total counted when the types were as they are at seq.
func (t *totals) get(key string, types []string, seq uint64) (int64, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.known[key]
	return k.total, ok && t.lastChange(types) <= min(seq, k.seq)
}

func (t *totals) lastChange(types []string) uint64 {
	last := t.opened
	for _, typ := range types {
		last = max(last, t.changed[typ])
	}
	return last
}

// put remembers a total, unless the types have changed since.
func (t *totals) put(key string, types []string, seq uint64, total int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lastChange(types) > seq {
		return
	}
	if len(t.known) >= maxTotals {
		clear(t.known)
	}
	t.known[key] = knownTotal{seq: seq, total: total}
}

// maxKeyPatients bounds the patient sets that become part of a key.
const maxKeyPatients = 16

// totalKey writes out what a total depends on; ok is false where that cannot
// be written.
func totalKey(types []string, must search.Must, nodes []node) (key string, ok bool) {
	b := appendTexts(nil, types)
	if must.Unrestricted {
		b = append(b, 'u')
	}
	for _, g := range must.Any {
		if g.ID != "" || g.Patients != nil && g.Patients.Len() > maxKeyPatients {
			return "", false
		}
		b = append(b, 'g')
		b = appendTexts(appendTexts(appendTexts(b, g.Types), g.Forms), g.Authors)
		if g.Patients != nil {
			b = appendTexts(append(b, 'p'), g.Patients.IDs())
		}
	}
	b, ok = appendNodes(append(b, 'w'), nodes)
	return string(b), ok
}

func appendTexts(b []byte, list []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, s)
	}
	return b
}

func appendNodes(b []byte, nodes []node) (_ []byte, ok bool) {
	b = binary.AppendUvarint(b, uint64(len(nodes)))
	for _, n := range nodes {
		if b, ok = appendNode(b, n); !ok {
			return nil, false
		}
	}
	return b, true
}

func appendNode(b []byte, n node) (_ []byte, ok bool) {
	switch n := n.(type) {
	case *rangesNode:
		b = binary.AppendUvarint(append(b, 'r'), uint64(len(n.ranges)))
		for _, r := range n.ranges {
			if r.Keep != nil {
				return nil, false
			}
			b = appendText(appendText(b, string(r.Low)), string(r.High))
		}
		return b, true
	case notNode:
		return appendNode(append(b, 'n'), n.inner)
	case *anyNode:
		b = binary.AppendUvarint(append(b, 'a'), uint64(len(n.alternatives)))
		for _, all := range n.alternatives {
			if b, ok = appendNodes(b, all); !ok {
				return nil, false
			}
		}
		return b, true
	}
	return nil, false
}
