package embedded

import (
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// History returns versions of a resource, a type or the whole store: an empty
// page where there are none. Its snapshots never expire, as versions stay.
func (e *Engine) History(ctx context.Context, q store.HistoryQuery) (store.Page, error) {
	pos, asOf, err := readPosition(q.After, q.AsOf)
	if err != nil {
		return store.Page{}, err
	}
	if err := e.begin(ctx); err != nil {
		return store.Page{}, err
	}
	defer e.end()
	v, err := e.newView(ctx, asOf)
	if err != nil {
		return store.Page{}, err
	}
	defer v.close()
	page, err := v.history(q, pos)
	return page, errors.Join(err, v.err)
}

func (v *view) history(q store.HistoryQuery, pos position) (store.Page, error) {
	counting := q.Total && pos.total < 0
	from := pos
	if counting {
		from = position{} // what comes before the page counts too
	}
	feed, err := v.openFeed(q, from)
	if err != nil {
		return store.Page{}, err
	}
	page := store.Page{Total: -1, AsOf: v.seq}
	var total int64
	more := false
	var docs []doc
	for {
		ev, typ, ok := feed.next()
		if !ok || (q.Count <= len(docs) && more && !counting) {
			break
		}
		if err := v.tick(); err != nil {
			return page, err
		}
		wanted, past := inPeriod(q, ev)
		if past {
			break
		}
		if !wanted || ev.doc.seq() > v.seq {
			continue
		}
		visible, err := v.allowsPast(q.Must, typ, ev)
		if err != nil {
			return page, err
		}
		if !visible {
			continue
		}
		total++
		switch {
		case pos.set && (ev.doc == pos.doc || (ev.doc > pos.doc) != q.Ascending):
			// before this page
		case len(docs) < q.Count:
			docs = append(docs, ev.doc)
		default:
			more = true
		}
	}
	if q.Total {
		page.Total = total
		if !counting {
			page.Total = pos.total
		}
	}
	for _, d := range docs {
		version, err := v.e.version(v.snap, d)
		if err != nil {
			return page, err
		}
		page.Versions = append(page.Versions, version)
	}
	if more && len(docs) > 0 {
		page.Next = position{set: true, asOf: v.seq, total: page.Total, doc: docs[len(docs)-1]}.encode()
	}
	return page, nil
}

// allowsPast judges a version by its own labels and, where another is current
// in the snapshot, by those of that one.
func (v *view) allowsPast(must search.Must, typ string, ev event) (bool, error) {
	f := v.mustOf(must, typ)
	ok, err := f.allowsEvent(ev)
	if !ok || err != nil || ev.endSeq == 0 || must.Unrestricted {
		return ok, err
	}
	version, err := v.e.version(v.snap, ev.doc)
	if err != nil {
		return false, err
	}
	p, ok, err := v.e.pointerAt(v.snap, version.Key, v.seq)
	if !ok || err != nil {
		return false, err
	}
	return f.allowsEvent(event{doc: p.doc, labels: p.labels})
}

// inPeriod applies Since, At and Until. past says that no version further on
// can be wanted.
func inPeriod(q store.HistoryQuery, ev event) (wanted, past bool) {
	if !q.Since.IsZero() && ev.millis < ceilMillis(q.Since) {
		return false, !q.Ascending
	}
	if q.At.IsZero() {
		return true, false
	}
	// Compared at full precision: [at, until) against whole milliseconds.
	begun := ev.millis*1000 < q.Until.UnixMicro()
	if q.Until.IsZero() || !q.Until.After(q.At) {
		begun = ev.millis*1000 <= q.At.UnixMicro()
	}
	ended := ev.endSeq != 0 && ev.endMillis*1000 <= q.At.UnixMicro()
	return begun && !ended, false
}

// feed merges the histories of several types.
type feed struct {
	v         *view
	ascending bool
	types     []string
	its       []*pebble.Iterator
	heads     []event
	valid     []bool
	one       []event // of a single resource, instead of its
	oneType   string
}

// openFeed opens what the query ranges over, at its beginning or, of a type, near
// the end of the page before.
func (v *view) openFeed(q store.HistoryQuery, from position) (*feed, error) {
	f := &feed{v: v, ascending: q.Ascending}
	if q.ID != "" {
		f.oneType = q.Type
		var err error
		f.one, err = v.eventsOf(store.Key{Type: q.Type, ID: q.ID})
		if q.Ascending {
			slices.Reverse(f.one)
		}
		return f, err
	}
	f.types = []string{q.Type}
	if q.Type == "" {
		f.types = v.e.knownTypes()
	}
	for i, typ := range f.types {
		prefix := typePrefix(spaceType, typ)
		it, err := v.newIter(prefix)
		if err != nil {
			return nil, err
		}
		f.its = append(f.its, it)
		f.heads, f.valid = append(f.heads, event{}), append(f.valid, false)
		switch {
		case q.Ascending && from.set:
			f.read(i, it.SeekLT(typeKey(typ, from.doc)))
		case q.Ascending:
			f.read(i, it.Last())
		case from.set:
			f.read(i, it.SeekGE(typeKey(typ, from.doc)))
		default:
			f.read(i, it.SeekGE(typeKey(typ, newestAt(v.seq))))
		}
	}
	return f, nil
}

// eventsOf returns the history of a resource, newest first.
func (v *view) eventsOf(key store.Key) ([]event, error) {
	it, err := v.newIter(historyPrefix(key.Type, key.ID))
	if err != nil {
		return nil, err
	}
	var out []event
	for ok := it.First(); ok; ok = it.Next() {
		p, err := decodePointer(it.Value())
		if err != nil {
			return nil, err
		}
		ev := event{doc: p.doc, labels: p.labels, millis: p.millis}
		if p.doc.seq() <= v.seq {
			if n := len(out); n > 0 {
				ev.endMillis, ev.endSeq = out[n-1].millis, out[n-1].doc.seq()
			}
			out = append(out, ev)
		}
	}
	return out, it.Error()
}

// read takes the head of one type. What ended after the snapshot had not
// ended then.
func (f *feed) read(i int, ok bool) {
	if f.valid[i] = ok; !ok {
		f.v.note(f.its[i].Error())
		return
	}
	ev, err := decodeEvent(f.its[i].Key(), f.its[i].Value())
	f.v.note(err)
	if ev.endSeq > f.v.seq {
		ev.endMillis, ev.endSeq = 0, 0
	}
	f.heads[i], f.valid[i] = ev, err == nil
}

// next returns the next event in order and its type.
func (f *feed) next() (event, string, bool) {
	if f.its == nil {
		if len(f.one) == 0 {
			return event{}, "", false
		}
		ev := f.one[0]
		f.one = f.one[1:]
		return ev, f.oneType, true
	}
	best := -1
	for i, ok := range f.valid {
		if ok && (best < 0 || (f.heads[i].doc > f.heads[best].doc) != f.ascending) {
			best = i
		}
	}
	if best < 0 {
		return event{}, "", false
	}
	ev := f.heads[best]
	if f.ascending {
		f.read(best, f.its[best].Prev())
	} else {
		f.read(best, f.its[best].Next())
	}
	return ev, f.types[best], true
}
