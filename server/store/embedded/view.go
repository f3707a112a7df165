package embedded

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// view is what one query reads: the store as of a sequence number. It is used
// by one goroutine and must be closed.
type view struct {
	e    *Engine
	ctx  context.Context
	snap *pebble.Snapshot
	seq  uint64
	its  []*pebble.Iterator
	// probe is an iterator over everything, for short looks here and there.
	probe *pebble.Iterator
	walk  walker // on probe
	musts map[string]*mustFilter
	keys  [][]byte // scratch of candidate.load
	steps int
	err   error // first fault of an iterator
	trace *trace
}

// newView opens a view; asOf 0 is everything on disk. It fails with
// store.ErrExpired when asOf lies ahead.
func (e *Engine) newView(ctx context.Context, asOf uint64) (*view, error) {
	seq := e.durable.seq()
	if asOf > seq {
		return nil, store.ErrExpired
	}
	if asOf != 0 {
		seq = asOf
	}
	return e.viewAt(ctx, seq), nil
}

// viewAt opens a view without looking whether seq is on disk.
func (e *Engine) viewAt(ctx context.Context, seq uint64) *view {
	return &view{e: e, ctx: ctx, snap: e.db.NewSnapshot(), seq: seq, musts: map[string]*mustFilter{}}
}

func (v *view) close() {
	for _, it := range v.its {
		v.note(it.Close())
	}
	v.its, v.probe = nil, nil
	v.note(v.snap.Close())
}

// note keeps the first fault.
func (v *view) note(err error) {
	if v.err == nil {
		v.err = err
	}
}

// tick is called in every long loop.
func (v *view) tick() error {
	if v.steps++; v.steps&1023 == 0 {
		if err := v.e.usable(v.ctx); err != nil {
			return err
		}
	}
	return v.err
}

// newIter opens an iterator over the keys with a prefix.
func (v *view) newIter(prefix []byte) (*pebble.Iterator, error) {
	it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err == nil {
		v.its = append(v.its, it)
	}
	return it, err
}

// looker returns the iterator for short looks.
func (v *view) looker() (*pebble.Iterator, error) {
	if v.probe == nil {
		it, err := v.snap.NewIter(nil)
		if err != nil {
			return nil, err
		}
		v.probe = it
		v.its = append(v.its, it)
	}
	return v.probe, nil
}

// walker returns a walker for a short walk, until the looker is used again.
func (v *view) walker() (*walker, error) {
	it, err := v.looker()
	v.walk.it = it
	return &v.walk, err
}

// visible tells whether a posting is current in this view.
func (v *view) visible(p posting) bool {
	return p.doc.seq() <= v.seq && (p.end == 0 || p.end > v.seq)
}

// rawRow reads id and index keys of a version, encoded. They are good until the
// next call.
func (v *view) rawRow(d doc) ([]byte, error) {
	it, err := v.looker()
	if err != nil {
		return nil, err
	}
	key := termsKey(d)
	if !it.SeekGE(key) || string(it.Key()) != string(key) {
		v.note(it.Error())
		return nil, errors.Join(v.err, errCorrupt)
	}
	return it.ValueAndErr()
}

// fetch reads whole versions, in the order of their keys, in which an iterator
// is quick. It is bounded by the first and the last of them: tables that hold only
// what came before or after are not looked into.
func (v *view) fetch(docs []doc) (_ []store.Version, err error) {
	if len(docs) == 0 {
		return nil, nil
	}
	it, err := v.snap.NewIter(&pebble.IterOptions{LowerBound: versionKey(slices.Min(docs)), UpperBound: after(versionKey(slices.Max(docs)))})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	out := make([]store.Version, len(docs))
	order := make([]int, len(docs))
	for i := range order {
		order[i] = len(docs) - 1 - i // mostly they come newest first
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(docs[a], docs[b]) })
	key := make([]byte, 0, docBytes+1)
	for _, i := range order {
		key = appendDoc(append(key[:0], spaceVersion), docs[i])
		if !it.SeekGE(key) || string(it.Key()) != string(key) {
			v.note(it.Error())
			return nil, errors.Join(v.err, errCorrupt)
		}
		if out[i], err = v.e.decode(it); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// mustOf returns the predicate for one type.
func (v *view) mustOf(m search.Must, typ string) *mustFilter {
	f := v.musts[typ]
	if f == nil {
		f = newMustFilter(v, m, typ)
		v.musts[typ] = f
	}
	return f
}

func (e *Engine) knownTypes() []string {
	e.typesMu.RLock()
	defer e.typesMu.RUnlock()
	out := make([]string, 0, len(e.types))
	for t := range e.types {
		out = append(out, t)
	}
	slices.Sort(out)
	return out
}

// ceilMillis is the first whole millisecond not before t.
func ceilMillis(t time.Time) int64 {
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}
