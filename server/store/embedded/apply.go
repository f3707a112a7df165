package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Apply makes all writes of the transaction or none.
func (e *Engine) Apply(ctx context.Context, tx store.Tx) (store.Receipt, error) {
	if err := e.begin(ctx); err != nil {
		return store.Receipt{}, err
	}
	defer e.end()
	if err := checkTx(tx); err != nil {
		return store.Receipt{}, err
	}
	s, err := e.stageAndLog(ctx, tx)
	if err != nil {
		return store.Receipt{}, err
	}
	if s.batch != nil {
		err = s.batch.SyncWait()
		if err == nil {
			err = e.durable.publish(s.state)
		} else {
			e.durable.fail(err)
		}
		err = errors.Join(err, s.batch.Close())
	} else {
		err = e.durable.await(s.state.seq)
	}
	if err != nil {
		return store.Receipt{}, fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	return store.Receipt{Seq: s.state.seq, Versions: s.versions}, nil
}

// checkTx refuses what no store could hold.
func checkTx(tx store.Tx) error {
	if len(tx.Writes) > maxRank {
		return fmt.Errorf("embedded: a transaction of %d writes is too large", len(tx.Writes))
	}
	seen := make(map[store.Key]bool, len(tx.Writes))
	for _, w := range tx.Writes {
		if w.Key.Type == "" || w.Key.ID == "" || strings.IndexByte(w.Key.Type, 0) >= 0 || strings.IndexByte(w.Key.ID, 0) >= 0 {
			return errors.New("embedded: a write needs a type and an id")
		}
		if seen[w.Key] {
			return fmt.Errorf("%w: two writes of one resource in a transaction", store.ErrConflict)
		}
		seen[w.Key] = true
		if w.Method != store.Delete && w.Stamp == nil {
			return errors.New("embedded: a write needs content")
		}
	}
	return nil
}

// stageAndLog does what must happen one transaction at a time. When it fails
// because of what is there, it first waits until that is on disk, so that
// nobody is told of a write that a crash may still undo.
func (e *Engine) stageAndLog(ctx context.Context, tx store.Tx) (*staged, error) {
	e.write.Lock()
	s, err := e.stage(ctx, tx)
	seen := e.last.seq
	if err == nil && s.batch != nil {
		for _, w := range tx.Writes {
			e.totals.touch(w.Key.Type, s.state.seq)
		}
		if err = e.log(s.batch); err != nil {
			e.durable.fail(err)
			err = fmt.Errorf("%w: %w", store.ErrReadOnly, err)
		} else {
			e.last = s.state
			e.labels.adopt(s.freshLabels)
			e.addTypes(tx.Writes)
		}
	}
	e.write.Unlock()
	if errors.Is(err, store.ErrPrecondition) || errors.Is(err, store.ErrConflict) {
		if werr := e.durable.await(seen); werr != nil {
			return nil, fmt.Errorf("%w: %w", store.ErrReadOnly, werr)
		}
	}
	return s, err
}

// log hands a batch to the log. Pebble panics where it cannot write; that is
// the end of writing, not of the program.
func (e *Engine) log(b *pebble.Batch) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("embedded: cannot write: %v", p)
		}
	}()
	return e.db.ApplyNoSyncWait(b, pebble.Sync)
}

func (e *Engine) addTypes(writes []store.Write) {
	for _, w := range writes {
		e.addType(w.Key.Type)
	}
}

func (e *Engine) addType(typ string) {
	e.typesMu.RLock()
	known := e.types[typ]
	e.typesMu.RUnlock()
	if !known {
		e.typesMu.Lock()
		e.types[typ] = true
		e.typesMu.Unlock()
	}
}

// staged is a transaction ready for the log; batch is nil when it changes
// nothing.
type staged struct {
	e           *Engine
	batch       *pebble.Batch
	entries     entries
	state       state
	versions    []store.Version
	freshLabels map[string]uint64
}

// stage checks a transaction and builds its batch; Engine.write is held.
func (e *Engine) stage(ctx context.Context, tx store.Tx) (_ *staged, err error) {
	if e.opts.ReadOnly {
		return nil, store.ErrReadOnly
	}
	if err := e.durable.failure(); err != nil {
		return nil, fmt.Errorf("%w: %w", store.ErrReadOnly, err)
	}
	if err := e.checkExpectations(ctx, tx.Expect); err != nil {
		return nil, err
	}
	current, changes, err := e.checkWrites(tx.Writes)
	if err != nil {
		return nil, err
	}
	s := &staged{e: e, state: e.last, versions: make([]store.Version, len(tx.Writes)), freshLabels: map[string]uint64{}}
	if changes == 0 {
		for i, w := range tx.Writes {
			s.versions[i] = store.Version{Key: w.Key, Method: store.Delete}
		}
		return s, nil
	}
	s.state.seq++
	s.state.millis = max(e.last.millis, e.opts.Now().UnixMilli())
	s.batch = e.db.NewBatch()
	defer func() {
		if err != nil {
			err = errors.Join(err, s.batch.Close())
		}
	}()
	ranks := rank(tx.Writes)
	for i := range tx.Writes {
		if err := s.write(&tx.Writes[i], current[i], newDoc(s.state.seq, ranks[i]), &s.versions[i]); err != nil {
			return nil, err
		}
	}
	return s, s.finish()
}

// finish completes the batch.
func (s *staged) finish() error {
	return errors.Join(s.entries.writeTo(s.batch), s.batch.Set(metaKey(metaState), s.state.encode(), nil))
}

// rank orders writes by type and id; the first gets the highest rank.
func rank(writes []store.Write) []int {
	order := make([]int, len(writes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return compareKeys(writes[a].Key, writes[b].Key) })
	ranks := make([]int, len(writes))
	for place, i := range order {
		ranks[i] = len(writes) - 1 - place
	}
	return ranks
}

func compareKeys(a, b store.Key) int {
	if c := strings.Compare(a.Type, b.Type); c != 0 {
		return c
	}
	return strings.Compare(a.ID, b.ID)
}

// checkWrites reads the current versions, checks the conditions on them and
// counts the writes that will change something.
func (e *Engine) checkWrites(writes []store.Write) ([]pointer, int, error) {
	current := make([]pointer, len(writes))
	changes := 0
	for i, w := range writes {
		p, ok, err := e.pointerAt(e.db, w.Key, e.last.seq)
		if err != nil {
			return nil, 0, err
		}
		live := uint64(0)
		if ok && p.live() {
			live = p.version
		}
		if w.IfVersion != nil && *w.IfVersion != live {
			return nil, 0, &store.FailedPrecondition{Write: i, Expectation: -1, Current: live}
		}
		if w.Method == store.Create && live != 0 {
			return nil, 0, fmt.Errorf("%w: the resource to create exists", store.ErrConflict)
		}
		if w.Method != store.Delete || live != 0 {
			changes++
		}
		current[i] = p
	}
	return current, changes, nil
}

// write adds one write to the batch.
func (s *staged) write(w *store.Write, previous pointer, d doc, out *store.Version) error {
	live := previous.version != 0 && previous.live()
	if w.Method == store.Delete && !live {
		*out = store.Version{Key: w.Key, Method: store.Delete}
		return nil
	}
	p := pointer{doc: d, version: previous.version + 1, method: w.Method, millis: s.state.millis}
	*out = store.Version{
		Key: w.Key, Version: p.version, Seq: s.state.seq, Method: w.Method,
		Time: time.UnixMilli(s.state.millis).UTC(), Labels: w.Labels,
	}
	var err error
	if w.Method == store.Delete {
		p.labels = previous.labels
		out.Labels, err = s.e.labels.get(p.labels)
	} else {
		p.labels, err = s.e.labels.number(w.Labels, &s.state, s.freshLabels, s.batch)
	}
	if err != nil {
		return err
	}
	if previous.version != 0 {
		if err := s.supersede(w.Key, previous); err != nil {
			return err
		}
	}
	if w.Method != store.Delete {
		if err := s.index(w, p, out); err != nil {
			return err
		}
	}
	return s.record(p, out)
}

// index stamps the resource and enters it into the lists.
func (s *staged) index(w *store.Write, p pointer, out *store.Version) error {
	json, keys, err := w.Stamp(p.version, out.Time)
	if err != nil {
		return err
	}
	out.JSON, out.Keys = json, sortedKeys(keys)
	return s.enter(out, p, true)
}

// enter counts a resource and enters it into the lists. A version from a
// backup may have left them already.
func (s *staged) enter(v *store.Version, p pointer, indexed bool) error {
	s.state.resources++
	if !indexed {
		return nil
	}
	if err := s.batch.Set(termsKey(p.doc), encodeRow(v.ID, v.Keys), nil); err != nil {
		return err
	}
	return s.enterKeys(v.Type, v, p, 0)
}

// enterKeys makes every index entry of a version, which may have ended.
func (s *staged) enterKeys(typ string, v *store.Version, p pointer, ended uint64) error {
	return s.e.eachEntry(typ, v, p.doc, func(key, head []byte) error {
		s.entries.add(key, head, p.labels, ended)
		return nil
	})
}

// sortedKeys makes keys what Stamp promised them to be, without changing the
// caller's slice.
func sortedKeys(keys [][]byte) [][]byte {
	for i := 1; i < len(keys); i++ {
		if bytes.Compare(keys[i-1], keys[i]) >= 0 {
			keys = slices.Clone(keys)
			slices.SortFunc(keys, bytes.Compare)
			return slices.CompactFunc(keys, bytes.Equal)
		}
	}
	return keys
}

// set writes an index entry, whose value is in two parts.
func set(b *pebble.Batch, key, head, tail []byte) error {
	op := b.SetDeferred(len(key), len(head)+len(tail))
	copy(op.Key, key)
	copy(op.Value[copy(op.Value, head):], tail)
	return op.Finish()
}

// eachEntry calls f with the key of every index entry of a version and, in a
// timeline, what its value holds before the posting. Both are good until f
// returns.
func (e *Engine) eachEntry(typ string, v *store.Version, d doc, f func(key, head []byte) error) error {
	buf := make([]byte, 0, 128)
	head := typePrefix(spaceIndex, typ)
	entry := func(kind byte, term []byte) error {
		buf = append(append(buf[:0], head...), kind)
		if kind != listAll {
			buf = appendTerm(buf, term)
		}
		buf = appendNewestFirst(buf, d)
		return f(buf, nil)
	}
	if err := entry(listAll, nil); err != nil {
		return err
	}
	for i, p := range v.Labels.Patients {
		if slices.Contains(v.Labels.Patients[:i], p) {
			continue
		}
		if err := entry(listPatient, []byte(p)); err != nil {
			return err
		}
	}
	if v.Labels.Author != "" {
		if err := entry(listAuthor, []byte(v.Labels.Author)); err != nil {
			return err
		}
	}
	for _, k := range v.Keys {
		if !e.opts.Terms.Listed(typ, k, v.Keys) {
			continue
		}
		if err := entry(listTerm, k); err != nil {
			return err
		}
	}
	return e.eachMoment(typ, v.Keys, d, f)
}

// record writes the version itself and what points to it.
func (s *staged) record(p pointer, v *store.Version) error {
	s.state.versions++
	encoded := p.encode()
	return errors.Join(
		s.batch.Set(currentKey(v.Type, v.ID), encoded, nil),
		s.batch.Set(historyKey(v.Type, v.ID, v.Version), encoded, nil),
		s.batch.Set(versionKey(p.doc), encodeVersion(v, p.labels), nil),
		s.batch.Set(typeKey(v.Type, p.doc), event{labels: p.labels, millis: p.millis}.encode(), nil),
	)
}

// supersede notes in every entry of the previous version when it ended.
func (s *staged) supersede(key store.Key, previous pointer) error {
	ended := event{labels: previous.labels, millis: previous.millis, endMillis: s.state.millis, endSeq: s.state.seq}
	if err := s.batch.Set(typeKey(key.Type, previous.doc), ended.encode(), nil); err != nil {
		return err
	}
	if !previous.live() {
		return nil
	}
	s.state.resources--
	old, ok, err := s.e.indexed(previous)
	if err != nil || !ok {
		return err
	}
	if err := s.enterKeys(key.Type, &old, previous, s.state.seq); err != nil {
		return err
	}
	return s.batch.Set(endedKey(s.state.seq, previous.doc), binary.AppendVarint(nil, s.state.millis), nil)
}

// indexed returns what the index knows of a version, its labels and keys, if
// it is in the index.
func (e *Engine) indexed(p pointer) (store.Version, bool, error) {
	r, ok, err := e.rowOf(p.doc)
	if err != nil || !ok {
		return store.Version{}, false, err
	}
	labels, err := e.labels.get(p.labels)
	return store.Version{Labels: labels, Keys: r.keys}, err == nil, err
}

// rowOf returns what the index knows of a version besides its labels.
func (e *Engine) rowOf(d doc) (row, bool, error) {
	b, ok, err := e.get(e.db, termsKey(d))
	if err != nil || !ok {
		return row{}, false, err
	}
	r, err := decodeRow(b, nil)
	return r, err == nil, err
}
