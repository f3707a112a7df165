package interaction

import (
	"context"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Joiner is a Recorder that records a write inside the write's own
// transaction, so that neither exists without the other.
type Joiner interface {
	Recorder
	// Join returns the writes that record the access. done is called exactly
	// once with the result of Apply.
	Join(ctx context.Context, a Access) (writes []store.Write, done func(error), err error)
}

// apply applies the plan. Where the Recorder is a Joiner the record is part of
// the transaction, and a.joined says that it is kept.
func (p *plan) apply(ctx context.Context, a *Access) (store.Receipt, error) {
	joiner, ok := p.s.cfg.Recorder.(Joiner)
	if !ok {
		return p.s.cfg.Store.Apply(ctx, p.tx)
	}
	a.Time, a.RequestID, a.Caller, a.Seen = p.s.cfg.Now(), p.c.RequestID, p.c.Caller, p.touched()
	records, done, err := joiner.Join(ctx, *a)
	if err != nil {
		return store.Receipt{}, err
	}
	tx := p.tx
	tx.Writes = append(tx.Writes[:len(tx.Writes):len(tx.Writes)], records...)
	receipt, err := p.s.cfg.Store.Apply(ctx, tx)
	done(err)
	a.joined = err == nil
	return receipt, err
}

// touched lists what the plan writes, and what conditional creates found. The
// new versions are not known yet.
func (p *plan) touched() []Seen {
	var list []Seen
	for _, st := range p.steps {
		for i, at := range st.writes {
			w := &p.tx.Writes[at]
			labels := w.Labels
			if w.Method == store.Delete {
				labels = append([]store.Version{*st.found}, st.also...)[i].Labels
			}
			list = append(list, Seen{Key: w.Key, Labels: labels})
		}
		if st.matched {
			list = append(list, seen(*st.found)...)
		}
	}
	return list
}
