package embedded

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir/search"
)

// totals remembers how many resources of a type matched, so that an exact total
// costs next to nothing: where few resources of the type have changed since, it
// is enough to look at these. A total depends on the query, the predicate and
// the versions of the type alone: references to others were resolved into the
// ranges that are part of the key.
type totals struct {
	mu      sync.Mutex
	changed map[string]uint64 // sequence number of the last write, by type
	rekeyed map[string]uint64 // totals of a type counted before are void
	opened  uint64            // sequence number of the store when it was opened
	known   map[totalKey]knownTotal
}

type totalKey [sha256.Size]byte

type knownTotal struct {
	seq   uint64 // of the snapshot that was counted
	total int64
}

// maxTotals bounds the memory to about 2 MB; a full cache starts afresh.
const maxTotals = 20_000

func (t *totals) init(seq uint64) {
	t.opened, t.changed, t.rekeyed, t.known = seq, map[string]uint64{}, map[string]uint64{}, map[totalKey]knownTotal{}
}

// touch notes a write. It happens before the write can be seen.
func (t *totals) touch(typ string, seq uint64) {
	t.mu.Lock()
	t.changed[typ] = seq
	t.mu.Unlock()
}

// forget makes every total of a type void that was counted before seq.
func (t *totals) forget(typ string, seq uint64) {
	t.mu.Lock()
	t.rekeyed[typ] = seq
	t.mu.Unlock()
}

// get returns a total counted at or before seq; current tells that it has not
// changed until then.
func (t *totals) get(key totalKey, typ string, seq uint64) (k knownTotal, current, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok = t.known[key]
	ok = ok && k.seq <= seq && k.seq >= t.rekeyed[typ]
	return k, max(t.opened, t.changed[typ]) <= k.seq, ok
}

// put remembers a total.
func (t *totals) put(key totalKey, k knownTotal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old, ok := t.known[key]; ok && old.seq > k.seq {
		return
	}
	if len(t.known) >= maxTotals {
		clear(t.known)
	}
	t.known[key] = k
}

// knownTotal returns the total of a query where it need not be counted or, as
// that cannot be done along with the page, counts it.
func (v *view) knownTotal(types []string, nodes []node, must search.Must) (total int64, ok bool, err error) {
	if len(types) == 1 {
		return v.totalSince(types[0], nodes, must)
	}
	for i, typ := range types {
		if slices.Contains(types[:i], typ) {
			continue
		}
		n, ok, err := v.totalSince(typ, nodes, must)
		if err == nil && !ok {
			n, err = v.count(typ, nodes, must)
		}
		if err != nil {
			return 0, false, err
		}
		total += n
	}
	return total, true, nil
}

// count counts the resources of a type that match.
func (v *view) count(typ string, nodes []node, must search.Must) (n int64, err error) {
	err = v.each([]string{typ}, nodes, must, func(*candidate) error { n++; return nil })
	if err == nil {
		v.keepTotal(typ, nodes, must, n)
	}
	return n, err
}

// keepTotal remembers a total, if it can be.
func (v *view) keepTotal(typ string, nodes []node, must search.Must, n int64) {
	if key, ok := keyOfTotal(typ, must, nodes); ok {
		v.e.totals.put(key, knownTotal{seq: v.seq, total: n})
	}
}

// totalSince brings a remembered total up to date.
func (v *view) totalSince(typ string, nodes []node, must search.Must) (int64, bool, error) {
	key, ok := keyOfTotal(typ, must, nodes)
	if !ok {
		return 0, false, nil
	}
	k, current, ok := v.e.totals.get(key, typ, v.seq)
	if !ok || current {
		return k.total, ok, nil
	}
	if k.seq < v.e.horizon.Load() {
		return 0, false, nil
	}
	change, ok, err := v.changeSince(k.seq, typ, nodes, v.mustOf(must, typ))
	if ok && err == nil {
		k = knownTotal{seq: v.seq, total: k.total + change}
		v.e.totals.put(key, k)
	}
	return k.total, ok, err
}

// changeSince tells by how much the number of matches has grown since seq; ok
// is false where too much has changed to look at.
func (v *view) changeSince(seq uint64, typ string, nodes []node, must *mustFilter) (change int64, ok bool, err error) {
	nodes, possible := narrow(typ, nodes)
	if !possible {
		return 0, true, nil
	}
	budget := v.e.opts.plan.changes
	match := func(p posting) (int64, error) {
		visible, err := must.allows(p.doc, p.labels)
		if err != nil || !visible {
			return 0, err
		}
		c := candidate{v: v, typ: typ, posting: p}
		if ok, err := c.meets(nodes); err != nil || !ok {
			return 0, err
		}
		return 1, nil
	}
	came, ok, err := v.cameSince(seq, typ, &budget)
	if err != nil || !ok {
		return 0, false, err
	}
	went, ok, err := v.wentSince(seq, typ, &budget)
	if err != nil || !ok {
		return 0, false, err
	}
	for _, p := range came {
		n, err := match(p)
		if err != nil {
			return 0, false, err
		}
		change += n
	}
	for _, p := range went {
		n, err := match(p)
		if err != nil {
			return 0, false, err
		}
		change -= n
	}
	return change, true, nil
}

// cameSince returns the versions that are current now and were not at seq.
func (v *view) cameSince(seq uint64, typ string, budget *int) (came []posting, ok bool, err error) {
	w, err := v.walker()
	if err != nil {
		return nil, false, err
	}
	list := listKey(typ, listAll, nil)
	for ok := w.seekDoc(list, after(list), newestAt(v.seq)); ok && w.cur.doc.seq() > seq; ok = w.next() {
		if *budget--; *budget < 0 {
			return nil, false, nil
		}
		if v.visible(w.cur) {
			came = append(came, w.cur)
		}
	}
	return came, true, w.err
}

// wentSince returns the versions that were current at seq and are not now.
func (v *view) wentSince(seq uint64, typ string, budget *int) (went []posting, ok bool, err error) {
	it, err := v.looker()
	if err != nil {
		return nil, false, err
	}
	var docs []doc
	end := endedKey(v.seq+1, 0)
	for ok := it.SeekGE(endedKey(seq+1, 0)); ok && bytes.Compare(it.Key(), end) < 0; ok = it.Next() {
		if *budget--; *budget < 0 {
			return nil, false, nil
		}
		if d := doc(binary.BigEndian.Uint64(it.Key()[1+docBytes:])); d.seq() <= seq {
			docs = append(docs, d)
		}
	}
	if err := it.Error(); err != nil {
		return nil, false, err
	}
	w, err := v.walker()
	if err != nil {
		return nil, false, err
	}
	list := listKey(typ, listAll, nil)
	high := after(list)
	for _, d := range docs {
		if w.seekDoc(list, high, d) && w.cur.doc == d {
			went = append(went, w.cur)
		}
	}
	return went, true, w.err
}

// maxKeyPatients bounds the patient sets that become part of a key.
const maxKeyPatients = 1000

// keyOfTotal sums up what a total depends on; ok is false where that cannot be
// written out.
func keyOfTotal(typ string, must search.Must, nodes []node) (key totalKey, ok bool) {
	b := appendText(make([]byte, 0, 512), typ)
	if must.Unrestricted {
		b = append(b, 'u')
	}
	for _, g := range must.Any {
		if g.ID != "" || g.Patients != nil && g.Patients.Len() > maxKeyPatients {
			return key, false
		}
		b = append(b, 'g')
		b = appendTexts(appendTexts(appendTexts(b, g.Types), g.Forms), g.Authors)
		if g.Patients != nil {
			b = appendTexts(append(b, 'p'), g.Patients.IDs())
		}
	}
	b, ok = appendNodes(append(b, 'w'), nodes)
	return sha256.Sum256(b), ok
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
	case typeNode:
		return appendTexts(append(b, 't'), n), true
	case *containedNode:
		return appendNodes(append(b, 'c'), n.inner)
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
