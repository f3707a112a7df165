package job

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

// Task is a job while it runs.
type Task struct {
	Job
	m *Manager
	e *entry
}

// Progress tells how far the work is. It is kept in memory only.
func (t *Task) Progress(done, total int64) {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	t.e.job.Done, t.e.job.Total = done, total
}

// SetMark keeps how far the work is, so that it goes on from there after a
// restart; it returns once the mark is durable.
func (t *Task) SetMark(mark any) error {
	data, err := json.Marshal(mark)
	if err != nil {
		return err
	}
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	t.e.job.Mark, t.Mark = data, data
	if t.e.gone {
		return ErrCancelled
	}
	return t.m.save(&t.e.job)
}

// ForgetEnded forgets every job of a kind that has ended, with its result, as
// when what results were made of must not be known any more.
func (t *Task) ForgetEnded(kind string) {
	t.m.mu.Lock()
	defer t.m.mu.Unlock()
	for _, e := range t.m.jobs {
		if e.job.Kind == kind && e.job.State.Ended() {
			t.m.forget(e)
		}
	}
}

// work runs jobs until the manager is closed.
func (m *Manager) work() {
	for {
		e, ctx := m.next()
		if e == nil {
			return
		}
		result, err := m.run(ctx, e)
		m.ended(ctx, e, result, err)
	}
}

// next waits for a job and marks it as running; nil at the end.
func (m *Manager) next() (*entry, context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		if m.closed {
			return nil, nil
		}
		var first *entry
		for _, e := range m.jobs {
			if e.job.State == Queued && (first == nil || older(e.job, first.job) < 0) {
				first = e
			}
		}
		if first == nil {
			m.wake.Wait()
			continue
		}
		ctx, stop := context.WithCancelCause(context.Background())
		first.job.State, first.stop = Running, stop
		if err := m.save(&first.job); err != nil {
			m.settle(first, nil, err)
			continue
		}
		return first, ctx
	}
}

func (m *Manager) run(ctx context.Context, e *entry) (result []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("job: panic")
		}
	}()
	m.mu.Lock()
	t := &Task{Job: e.job, m: m, e: e}
	m.mu.Unlock()
	kind, ok := m.cfg.Kinds[t.Kind]
	if !ok {
		return nil, fmt.Errorf("job: no kind %q", t.Kind)
	}
	return kind.Run(ctx, t)
}

// ended notes how a run ended.
func (m *Manager) ended(ctx context.Context, e *entry, result []byte, err error) {
	cause := context.Cause(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case errors.Is(cause, ErrCancelled):
		e.stop = nil
		m.forget(e)
	case errors.Is(cause, errStopped) && err != nil:
		e.stop = nil // stays Running on disk: the next start goes on with it
	default:
		m.settle(e, result, err)
	}
}

// settle keeps the end of a job: first the result, then that there is one.
func (m *Manager) settle(e *entry, result []byte, err error) {
	e.stop = nil
	if err == nil {
		err = m.cfg.Storage.Put(e.job.ID+resultSuffix, result)
	}
	e.job.end(m.cfg.Now(), err)
	if err != nil {
		m.cfg.Log.Error("job failed", slog.String("job", e.job.ID), slog.String("kind", e.job.Kind), slog.Any("error", err))
	}
	if err := m.save(&e.job); err != nil {
		m.cfg.Log.Error("job not kept", slog.String("job", e.job.ID), slog.Any("error", err))
	}
}
