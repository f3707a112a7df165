package parameter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// payload is the goal of a job: all custom parameters that are to be in force.
type payload struct {
	Parameters []json.RawMessage `json:"parameters"`
	// Origin is that of the content its marks are about.
	Origin string `json:"origin"`
	// KeysVersion is that of the keys it gives.
	KeysVersion int `json:"keysVersion"`
}

// goalOf reads the goal of a job, nothing where it cannot be read.
func goalOf(j job.Job) set {
	var p payload
	if json.Unmarshal(j.Payload, &p) != nil {
		return nil
	}
	s, err := decoded(p.Parameters)
	if err != nil {
		return nil
	}
	return s
}

// knows reports whether a job is about the content that is there, and gives it
// the keys of this program.
func (k *Keeper) knows(j job.Job) bool {
	var p payload
	return json.Unmarshal(j.Payload, &p) == nil && p.Origin == k.origin && p.KeysVersion == search.KeysVersion
}

// errOvertaken ends a job whose goal is not asked for any more.
var errOvertaken = errors.New("search parameters: the job was overtaken by another change")

// Reindex is the kind of job that indexes what is stored already. It goes
// through every change of the store, oldest first, and marks how far it is;
// what is written meanwhile has the new keys already.
func (k *Keeper) Reindex() job.Kind {
	return job.Kind{Run: k.reindex, Again: func(job.Job) bool { return true }}
}

// batch is how many resources get new keys at once.
const batch = 200

func (k *Keeper) reindex(ctx context.Context, t *job.Task) ([]byte, error) {
	k.run.Lock() // one that was cancelled may still be at its last batch
	defer k.run.Unlock()
	goal := goalOf(t.Job)
	if !k.aimsAt(goal) || !k.knows(t.Job) {
		return nil, errOvertaken
	}
	index, err := k.cfg.Build(goal...)
	if err != nil {
		return nil, fmt.Errorf("search parameters: %w", err)
	}
	p := &pass{k: k, t: t, index: index}
	if t.Mark != nil {
		if err := json.Unmarshal(t.Mark, &p.seq); err != nil {
			return nil, fmt.Errorf("search parameters: %w", err)
		}
	}
	// An empty transaction waits for those under way: from here on nothing is
	// committed that was indexed the old way.
	receipt, err := k.cfg.Store.Apply(ctx, store.Tx{})
	if err != nil {
		return nil, fmt.Errorf("search parameters: %w", err)
	}
	for p.seq < receipt.Seq {
		if err := p.through(ctx, int64(receipt.Seq)); err != nil {
			return nil, err
		}
	}
	return nil, k.reached(goal, receipt.Seq)
}

func (k *Keeper) aimsAt(goal set) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.wanted.signature() == goal.signature()
}

// reached puts the goal into force.
func (k *Keeper) reached(goal set, seq uint64) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.wanted.signature() != goal.signature() {
		return errOvertaken
	}
	k.force, k.seq, k.complete = goal, seq, true
	return errors.Join(k.save(), k.use())
}

// pass is one walk through the changes.
type pass struct {
	k     *Keeper
	t     *job.Task
	index *search.Registry
	seq   uint64 // every change up to here is done
	list  []store.Rekeying
}

// through goes on from the mark to the end of the changes.
func (p *pass) through(ctx context.Context, total int64) error {
	done := p.seq
	for v, err := range p.k.cfg.Store.Changes(ctx, p.seq) {
		if err != nil {
			return fmt.Errorf("search parameters: %w", err)
		}
		if v.Seq > done && len(p.list) >= batch { // whole transactions only
			if err := p.flush(ctx, done, total); err != nil {
				return err
			}
		}
		done = v.Seq
		if err := p.look(v); err != nil {
			return err
		}
	}
	return p.flush(ctx, done, total)
}

// look computes the keys of a version, which may have been superseded since:
// the store then leaves it alone.
func (p *pass) look(v store.Version) error {
	if v.Method == store.Delete {
		return nil
	}
	e, err := fhirjson.Decode(v.JSON, fhirjson.Options{MaxBytes: 1 << 30})
	if err != nil {
		return fmt.Errorf("search parameters: %w", err)
	}
	keys, err := p.index.Keys(e)
	if err != nil {
		return fmt.Errorf("search parameters: %w", err)
	}
	p.list = append(p.list, store.Rekeying{Key: v.Key, Version: v.Version, Keys: keys})
	return nil
}

// flush writes the keys and then the mark.
func (p *pass) flush(ctx context.Context, done uint64, total int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !p.k.aimsAt(goalOf(p.t.Job)) {
		return errOvertaken
	}
	if err := p.k.cfg.Rekeyer.Rekey(ctx, p.list); err != nil {
		return fmt.Errorf("search parameters: %w", err)
	}
	p.list, p.seq = p.list[:0], done
	p.t.Progress(int64(done), max(total, int64(done)))
	return p.t.SetMark(done)
}
