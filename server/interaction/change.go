package interaction

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// verb is what a change does. The order is R4's order of processing.
type verb uint8

const (
	verbDelete verb = iota
	verbCreate
	verbUpdate
	verbPatch
)

// change is one write asked for, by a request of its own or by an entry of a
// transaction.
type change struct {
	verb verb
	key  store.Key // ID is "" for a create and where criteria choose
	// criteria, where not nil, is the raw query of a conditional interaction.
	criteria *string
	resource *fhir.Element // as sent; never changed
	patch    Patch
	ifMatch  *uint64 // If-Match
	ifNone   bool    // If-None-Match: * on an update: only where there is none
	entry    int     // index in the Bundle, -1 for a request of its own
	fullURL  string
}

// Patch turns the current content of a resource into the new one. It returns
// a new tree, or changes and returns the one given, which is its own. It may
// be called more than once.
type Patch func(current *fhir.Element) (*fhir.Element, error)

// Effect is what a write did.
type Effect uint8

// The effects.
const (
	Created Effect = iota + 1
	Updated
	Deleted
	Matched // a conditional create found the resource, which stays as it was
	Nothing // there was nothing to delete
)

// Written is the result of a write.
type Written struct {
	Effect Effect
	// Version is the one written or, for Matched, the one found. It is zero
	// for Nothing.
	Version store.Version
	// Also are further resources that a conditional delete deleted.
	Also []store.Version
	// Issues are warnings of the validation.
	Issues fhir.Issues
}

// attempts bounds how often a write that others overtook is planned anew. Each
// round somebody wins, so as many writers of one resource get through.
const attempts = 100

// write plans the changes against the store as it is now and applies them all
// or none. Every plan pins what it was made from; where somebody else wrote in
// between, it is made again.
func (s *Service) write(ctx context.Context, c *Call, changes []change, a *Access) ([]Written, error) {
	for try := 1; ; try++ {
		written, planned, err := s.attempt(ctx, c, changes, a)
		if err == nil {
			return written, nil
		}
		overtaken := planned && errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrPrecondition)
		if !overtaken {
			return nil, err
		}
		if try == attempts {
			return nil, store.ErrConflict
		}
		if err := pause(ctx, try); err != nil {
			return nil, err
		}
	}
}

// attempt plans the writes and applies the plan; planned tells whether it came
// as far as that.
func (s *Service) attempt(ctx context.Context, c *Call, changes []change, a *Access) (w []Written, planned bool, err error) {
	s.writes.RLock()
	defer s.writes.RUnlock()
	p, err := s.plan(ctx, c, changes)
	if err != nil {
		return nil, false, err
	}
	if len(p.tx.Writes) == 0 {
		return p.results(store.Receipt{}), true, nil
	}
	receipt, err := p.apply(ctx, a)
	if err != nil {
		return nil, true, err
	}
	return p.results(receipt), true, nil
}

// pause waits a little, longer with each try, at random so that rivals part.
func pause(ctx context.Context, try int) error {
	if try < 3 {
		return ctx.Err()
	}
	//nolint:gosec // spreads load, protects nothing
	t := time.NewTimer(time.Duration(rand.Int64N(int64(min(try, 20)))) * 200 * time.Microsecond)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// one performs a single change and records it.
func (s *Service) one(ctx context.Context, c *Call, name string, ch change) (Written, error) {
	ch.entry = -1
	var w Written
	a := Access{Interaction: name, Type: ch.key.Type}
	if ch.key.ID != "" {
		a.Asked = ch.key
	}
	if ch.criteria != nil {
		a.Query = *ch.criteria
	}
	written, err := s.write(ctx, c, []change{ch}, &a)
	if err == nil {
		w = written[0]
	}
	if w.Effect != Nothing {
		a.Seen = seen(append([]store.Version{w.Version}, w.Also...)...)
	}
	return w, s.record(ctx, c, a, err)
}
