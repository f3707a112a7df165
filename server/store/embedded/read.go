package embedded

import (
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Read returns the current version.
func (e *Engine) Read(ctx context.Context, key store.Key) (store.Version, error) {
	if err := e.begin(ctx); err != nil {
		return store.Version{}, err
	}
	defer e.end()
	p, ok, err := e.pointerAt(e.db, key, e.durable.seq())
	if err != nil {
		return store.Version{}, err
	}
	if !ok {
		return store.Version{}, store.ErrNotFound
	}
	v, err := e.version(e.db, p.doc)
	if err == nil && !p.live() {
		err = store.ErrGone
	}
	return v, err
}

// ReadVersion returns one version.
func (e *Engine) ReadVersion(ctx context.Context, key store.Key, version uint64) (store.Version, error) {
	if err := e.begin(ctx); err != nil {
		return store.Version{}, err
	}
	defer e.end()
	p, ok, err := getPointer(e.db, historyKey(key.Type, key.ID, version))
	if err != nil {
		return store.Version{}, err
	}
	if !ok || p.doc.seq() > e.durable.seq() {
		return store.Version{}, store.ErrNotFound
	}
	return e.version(e.db, p.doc)
}

// pointerAt finds the version of a resource that was current at seq.
func (e *Engine) pointerAt(r pebble.Reader, key store.Key, seq uint64) (pointer, bool, error) {
	p, ok, err := getPointer(r, currentKey(key.Type, key.ID))
	if err != nil || !ok {
		return pointer{}, false, err
	}
	if p.doc.seq() <= seq {
		return p, true, nil
	}
	prefix := historyPrefix(key.Type, key.ID)
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: after(prefix)})
	if err != nil {
		return pointer{}, false, err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if p, err = decodePointer(it.Value()); err != nil || p.doc.seq() <= seq {
			return p, err == nil, err
		}
	}
	return pointer{}, false, it.Error()
}

// getPointer reads a pointer, if there is one.
func getPointer(r pebble.Reader, key []byte) (pointer, bool, error) {
	value, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return pointer{}, false, nil
	}
	if err != nil {
		return pointer{}, false, err
	}
	p, err := decodePointer(value)
	err = errors.Join(err, closer.Close())
	return p, err == nil, err
}

// version reads one version with its labels.
func (e *Engine) version(r pebble.Reader, d doc) (store.Version, error) {
	value, closer, err := r.Get(versionKey(d))
	if errors.Is(err, pebble.ErrNotFound) {
		return store.Version{}, store.ErrNotFound // purged a moment ago
	}
	if err != nil {
		return store.Version{}, err
	}
	s, err := decodeVersion(d, value)
	if cerr := closer.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return store.Version{}, err
	}
	s.Labels, err = e.labels.get(s.labels)
	return s.Version, err
}
