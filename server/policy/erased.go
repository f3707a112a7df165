package policy

import "context"

// CatchUp takes in everything that is committed. The policy does so before
// each answer; who is about to erase records must do it first, for what is
// erased is in no change any more.
func (p *Policy) CatchUp(ctx context.Context) error { return p.view.refresh(ctx) }

// Rebuild forgets everything and reads the store anew: that an organisation
// once made a record about a person is known from that record alone, and must
// not outlive its erasure. Questions wait meanwhile, and so does CatchUp: another
// erasure has been seen as a deletion by now, or will be.
func (p *Policy) Rebuild(ctx context.Context) error {
	old := p.view
	old.mu.Lock()
	defer old.mu.Unlock()
	fresh := newView(old.st)
	fresh.survey, fresh.now, fresh.matrix, fresh.forms = old.survey, old.now, old.matrix, old.forms
	if err := fresh.refresh(ctx); err != nil {
		return err
	}
	old.seq, old.people, old.facts, old.kinds = fresh.seq, fresh.people, fresh.facts, fresh.kinds
	old.rosters, old.dirty, old.due, old.answers = fresh.rosters, fresh.dirty, fresh.due, fresh.answers
	return nil
}
