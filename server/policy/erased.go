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
	p.view.mu.Lock()
	defer p.view.mu.Unlock()
	p.view.reset()
	return p.view.catchUp(ctx) // where it fails, the next question begins anew
}
