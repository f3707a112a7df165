package job

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Kind is how the jobs of one kind are run.
type Kind struct {
	// Run does the work and returns its result. It must end soon when ctx
	// does. A panic counts as a failure.
	Run func(ctx context.Context, t *Task) ([]byte, error)
	// Again reports whether a job that was interrupted may run again: whether
	// it does no harm to do its work, or the rest of it since the last mark,
	// twice. nil: it may not; the job fails instead.
	Again func(Job) bool
}

// Config wires a Manager. All but Workers, Keep and Log are required.
type Config struct {
	Storage Storage
	Kinds   map[string]Kind
	Now     func() time.Time
	NewID   func() string
	Workers int           // jobs that run at a time; 0 is 2
	Keep    time.Duration // how long ended jobs are kept; 0 is a day
	Limit   int           // unfinished jobs of one owner; 0 is 20
	Log     *slog.Logger
}

// Manager runs jobs. It is safe for concurrent use.
type Manager struct {
	cfg     Config
	mu      sync.Mutex
	jobs    map[string]*entry
	closed  bool
	wake    *sync.Cond
	workers sync.WaitGroup
}

// entry is a job in memory.
type entry struct {
	job  Job
	stop context.CancelCauseFunc // of the run, nil where it does not run
	gone bool                    // cancelled while it runs
}

// New reads the jobs there are and goes on with them.
func New(cfg Config) (*Manager, error) {
	if cfg.Storage == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("job: incomplete Config")
	}
	cfg.Workers, cfg.Limit = cmp.Or(cfg.Workers, 2), cmp.Or(cfg.Limit, 20)
	cfg.Keep = cmp.Or(cfg.Keep, 24*time.Hour)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	m := &Manager{cfg: cfg, jobs: map[string]*entry{}}
	m.wake = sync.NewCond(&m.mu)
	if err := m.load(); err != nil {
		return nil, err
	}
	if err := m.recover(); err != nil {
		return nil, err
	}
	for range cfg.Workers {
		m.workers.Go(m.work)
	}
	return m, nil
}

// recover decides about the jobs that ran when the server stopped.
func (m *Manager) recover() error {
	for _, e := range m.jobs {
		if e.job.State != Running {
			continue
		}
		e.job.State = Queued
		if k := m.cfg.Kinds[e.job.Kind]; k.Again == nil || !k.Again(e.job) {
			e.job.end(m.cfg.Now(), errInterrupted)
		}
		if err := m.save(&e.job); err != nil {
			return err
		}
	}
	return nil
}

// end notes how a run ended.
func (j *Job) end(now time.Time, err error) {
	j.Finished, j.State, j.Problem = now, Done, ""
	switch {
	case errors.Is(err, ErrCancelled):
		j.State = Cancelled
	case errors.Is(err, errInterrupted):
		j.State, j.Problem = Failed, "interrupted"
	case err != nil:
		j.State, j.Problem = Failed, "failed"
	}
}

// Add keeps a new job and returns once it is durable.
func (m *Manager) Add(kind, owner string, payload any) (Job, error) {
	data, err := json.Marshal(payload)
	if err != nil {
		return Job{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return Job{}, ErrClosed
	}
	m.sweep()
	if owner != "" && m.unfinished(owner) >= m.cfg.Limit {
		return Job{}, ErrTooMany
	}
	e := &entry{job: Job{ID: m.cfg.NewID(), Kind: kind, Owner: owner, State: Queued, Payload: data, Created: m.cfg.Now()}}
	if err := m.save(&e.job); err != nil {
		return Job{}, err
	}
	m.jobs[e.job.ID] = e
	m.wake.Signal()
	return e.job, nil
}

func (m *Manager) unfinished(owner string) int {
	n := 0
	for _, e := range m.jobs {
		if e.job.Owner == owner && !e.job.State.Ended() {
			n++
		}
	}
	return n
}

// sweep forgets what ended long ago.
func (m *Manager) sweep() {
	limit := m.cfg.Now().Add(-m.cfg.Keep)
	for _, e := range m.jobs {
		if e.job.State.Ended() && e.job.Finished.Before(limit) {
			m.forget(e)
		}
	}
}

// forget removes a job. What cannot be removed is tried again later.
func (m *Manager) forget(e *entry) {
	err := errors.Join(m.cfg.Storage.Delete(e.job.ID+resultSuffix), m.cfg.Storage.Delete(e.job.ID+jobSuffix))
	if err != nil {
		m.cfg.Log.Error("job not removed", slog.String("job", e.job.ID), slog.Any("error", err))
		return
	}
	delete(m.jobs, e.job.ID)
}

// Get returns a job of that owner, ErrUnknown for any other.
func (m *Manager) Get(id, owner string) (Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweep()
	e, ok := m.jobs[id]
	if !ok || e.gone || e.job.Owner != owner {
		return Job{}, ErrUnknown
	}
	return e.job, nil
}

// Expires is when an ended job is forgotten.
func (m *Manager) Expires(j Job) time.Time { return j.Finished.Add(m.cfg.Keep) }

// List returns the jobs of a kind, oldest first.
func (m *Manager) List(kind string) []Job {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []Job
	for _, e := range m.jobs {
		if e.job.Kind == kind && !e.gone {
			list = append(list, e.job)
		}
	}
	slices.SortFunc(list, older)
	return list
}

func older(a, b Job) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) }

// Counts returns how many jobs are in each state.
func (m *Manager) Counts() map[string]int {
	m.mu.Lock()
	defer m.mu.Unlock()
	counts := map[string]int{string(Queued): 0, string(Running): 0, string(Done): 0, string(Failed): 0, string(Cancelled): 0}
	for _, e := range m.jobs {
		counts[string(e.job.State)]++
	}
	return counts
}

// Result returns the result of a job that is Done.
func (m *Manager) Result(id string) ([]byte, error) {
	m.mu.Lock()
	e, ok := m.jobs[id]
	done := ok && e.job.State == Done
	m.mu.Unlock()
	switch {
	case !ok:
		return nil, ErrUnknown
	case !done:
		return nil, ErrUnfinished
	}
	return m.cfg.Storage.Get(id + resultSuffix)
}

// Again puts an ended job back with another payload, from its beginning; its
// result is forgotten.
func (m *Manager) Again(id string, payload any) error {
	data, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.jobs[id]
	switch {
	case m.closed:
		return ErrClosed
	case !ok:
		return ErrUnknown
	case !e.job.State.Ended():
		return nil
	}
	next := e.job
	next.State, next.Payload, next.Mark, next.Done, next.Total, next.Problem = Queued, data, nil, 0, 0, ""
	if err := errors.Join(m.cfg.Storage.Delete(id+resultSuffix), m.save(&next)); err != nil {
		return err
	}
	e.job = next
	m.wake.Signal()
	return nil
}

// Cancel stops a job and forgets it and its result.
func (m *Manager) Cancel(id, owner string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.jobs[id]
	if !ok || e.gone || e.job.Owner != owner {
		return ErrUnknown
	}
	if e.stop != nil {
		e.gone = true // nobody finds it any more; its run removes the rest
		e.stop(ErrCancelled)
		return m.cfg.Storage.Delete(e.job.ID + jobSuffix)
	}
	m.forget(e)
	return nil
}

// Close stops what may run again after the next start, and waits for all else.
func (m *Manager) Close() {
	m.mu.Lock()
	m.closed = true
	for _, e := range m.jobs {
		if k := m.cfg.Kinds[e.job.Kind]; e.stop != nil && k.Again != nil && k.Again(e.job) {
			e.stop(errStopped)
		}
	}
	m.wake.Broadcast()
	m.mu.Unlock()
	m.workers.Wait()
}
