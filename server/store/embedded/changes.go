package embedded

import (
	"context"
	"iter"

	"github.com/cockroachdb/pebble/v2"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Changes yields every version after since, oldest first, up to what is on
// disk when it is called. The versions carry their labels, not their keys.
func (e *Engine) Changes(ctx context.Context, since uint64) iter.Seq2[store.Version, error] {
	return func(yield func(store.Version, error) bool) {
		if err := e.changes(ctx, since, yield); err != nil {
			yield(store.Version{}, err)
		}
	}
}

// changes returns an error only if the loop it yields to is still running.
func (e *Engine) changes(ctx context.Context, since uint64, yield func(store.Version, error) bool) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer e.end()
	upTo := e.durable.seq()
	if since >= upTo {
		return nil
	}
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: versionKey(newDoc(since+1, 0)), UpperBound: versionKey(newDoc(upTo+1, 0))})
	if err != nil {
		return err
	}
	defer it.Close()
	for ok := it.First(); ok; ok = it.Next() {
		if err := e.usable(ctx); err != nil {
			return err
		}
		v, err := e.decode(it)
		if err != nil {
			return err
		}
		if !yield(v, nil) {
			return nil
		}
	}
	return it.Error()
}

// decode reads the version an iterator of space v stands at.
func (e *Engine) decode(it *pebble.Iterator) (store.Version, error) {
	value, err := it.ValueAndErr()
	if err != nil {
		return store.Version{}, err
	}
	key := it.Key()
	s, err := decodeVersion(doc(^uint64(docAtEnd(key))), value)
	if err != nil {
		return store.Version{}, err
	}
	s.Labels, err = e.labels.get(s.labels)
	return s.Version, err
}
