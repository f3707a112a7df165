package interaction

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// plan is a set of changes made ready for one Store.Apply, and what it was
// made from.
type plan struct {
	s     *Service
	c     *Call
	must  search.Must
	steps []*step // in the order of the changes
	tx    store.Tx
	// local maps full URLs of entries to "Type/id".
	local map[string]string
	// writes finds the step that writes a key.
	writes map[store.Key]*step
	// known are keys that are there: conditional creates matched them, seen or
	// not, or references were checked.
	known map[store.Key]bool
	// referred are those of them that references lead to.
	referred    []store.Key
	deletions   []deletion
	transaction bool
}

// step is one change with its target found.
type step struct {
	*change
	key store.Key
	// found is the version the change starts from: current, or a deletion
	// the caller may know of. Nil where there never was one.
	found   *store.Version
	deleted bool  // found records a deletion
	matched bool  // a conditional create found found: nothing to write
	nothing bool  // nothing to delete
	insurer bool  // found is hidden, but the caller's own insured: see Call.Insurer
	same    *step // the conditional create of the same transaction it repeats
	also    []store.Version
	writes  []int // indexes into tx.Writes
	issues  fhir.Issues
}

func (s *Service) plan(ctx context.Context, c *Call, changes []change) (*plan, error) {
	must, err := s.visibility(ctx, c)
	if err != nil {
		return nil, err
	}
	p := &plan{s: s, c: c, must: must, local: map[string]string{},
		writes: map[store.Key]*step{}, known: map[store.Key]bool{}}
	for i := range changes {
		p.steps = append(p.steps, &step{change: &changes[i], key: changes[i].key})
		p.transaction = p.transaction || changes[i].entry >= 0
	}
	for _, st := range p.ordered() {
		if err := p.target(ctx, st); err != nil {
			return nil, st.refused(err)
		}
		if err := p.claim(st); err != nil {
			return nil, st.refused(err)
		}
	}
	for _, st := range p.ordered() {
		if err := p.prepare(ctx, st); err != nil {
			return nil, st.refused(err)
		}
	}
	p.pinReferences()
	if err := p.checkReferrers(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// ordered returns the steps in R4's order of processing.
// https://hl7.org/fhir/R4/http.html#trules
func (p *plan) ordered() []*step {
	steps := slices.Clone(p.steps)
	slices.SortStableFunc(steps, func(a, b *step) int {
		return min(int(a.verb), int(verbUpdate)) - min(int(b.verb), int(verbUpdate))
	})
	return steps
}

// refused names the entry in what a refusal points to.
func (st *step) refused(err error) error {
	if st.entry < 0 {
		return err
	}
	r := AsRefusal(err)
	return r.at(fmt.Sprintf("Bundle.entry[%d]", st.entry))
}

// claim notes which key a step writes, refusing two writes of one, and under
// which local reference an entry's full URL is known from now on.
func (p *plan) claim(st *step) error {
	if st.fullURL != "" && st.key.ID != "" {
		p.local[st.fullURL] = st.key.String()
	}
	if st.matched {
		p.known[st.key] = true
	}
	if st.matched || st.nothing || st.same != nil {
		return nil
	}
	for _, v := range st.also {
		p.writes[v.Key] = st
	}
	if p.writes[st.key] != nil {
		return Refuse(BadRequest, fhir.Invalid, "entry-overlap", fhir.Messagef(
			"two entries write %s", "2つのエントリが %s に書き込みます", st.key.String()))
	}
	p.writes[st.key] = st
	return nil
}

// target finds what a change is about.
func (p *plan) target(ctx context.Context, st *step) error {
	if err := checkType(st.key.Type); err != nil {
		return err
	}
	if st.resource != nil {
		if err := checkResource(st.change); err != nil {
			return err
		}
	}
	if err := allow(p.c, st.key.Type, st.action()); err != nil {
		return err
	}
	if st.criteria != nil {
		return p.match(ctx, st)
	}
	if st.verb == verbCreate {
		st.key.ID = p.s.cfg.NewID()
		return nil
	}
	if err := checkKey(st.key); err != nil {
		return err
	}
	return p.find(ctx, st)
}

// find reads the version that an update, patch or delete by id starts from.
func (p *plan) find(ctx context.Context, st *step) error {
	v, err := p.s.current(ctx, p.must, st.key)
	refusal := (*Refusal)(nil)
	switch {
	case err == nil:
		st.found = &v
	case !errors.As(err, &refusal):
		return err
	case refusal.Reason == Gone:
		st.found, st.deleted = &v, true
	}
	present := st.found != nil && !st.deleted
	switch st.verb {
	case verbDelete:
		st.nothing = !present
	case verbPatch:
		if !present {
			return err
		}
	case verbUpdate:
		if st.found == nil && !p.clientIDs() {
			return noClientID(st.key)
		}
	}
	return st.precondition()
}

// clientIDs reports whether the caller may choose the id of a new resource.
func (p *plan) clientIDs() bool {
	return p.c.Caller.Unrestricted && p.s.cfg.Options.ClientIDs
}

func noClientID(key store.Key) *Refusal {
	return Refuse(Unallowed, fhir.NotSupported, "client-id", fhir.Messagef(
		"%s is not known, and the server chooses the ids of new resources: create it with POST",
		"%s は見つかりません。新しいリソースの id はサーバーが決めるため、POST で作成してください", key.String()))
}

// precondition compares If-Match and If-None-Match with the version found.
func (st *step) precondition() error {
	present := st.found != nil && !st.deleted
	if st.ifMatch != nil && (!present || st.found.Version != *st.ifMatch) {
		return Refuse(Failed, fhir.Conflict, "version-mismatch", fhir.Messagef(
			"the current version is not the one of If-Match", "現在の版が If-Match の版と異なります"))
	}
	if st.ifNone && present {
		return Refuse(Failed, fhir.Conflict, "exists", fhir.Messagef(
			"the resource exists already (If-None-Match: *)", "リソースはすでに存在します(If-None-Match: *)"))
	}
	return nil
}

// results tells what each change did, from the receipt of its plan.
func (p *plan) results(r store.Receipt) []Written {
	out := make([]Written, len(p.steps))
	for i, st := range p.steps {
		w := Written{Issues: st.issues}
		switch {
		case st.same != nil && st.same.matched:
			w.Effect, w.Version = Matched, *st.same.found
		case st.same != nil:
			w.Effect, w.Version = Matched, r.Versions[st.same.writes[0]]
		case st.matched:
			w.Effect, w.Version = Matched, *st.found
		case st.nothing:
			w.Effect = Nothing
		case st.verb == verbDelete:
			w.Effect = Deleted
		case st.found == nil || st.deleted:
			w.Effect = Created
		default:
			w.Effect = Updated
		}
		for n, at := range st.writes {
			if n == 0 {
				w.Version = r.Versions[at]
			} else {
				w.Also = append(w.Also, r.Versions[at])
			}
		}
		out[i] = w
	}
	return out
}
