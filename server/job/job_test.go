package job_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kaigofhir/kaigofhir/server/job"
)

// rig starts managers on one storage.
type rig struct {
	t       *testing.T
	storage job.Storage
	ids     atomic.Int64
	now     func() time.Time
}

func (r *rig) start(kinds map[string]job.Kind) *job.Manager {
	r.t.Helper()
	m, err := job.New(job.Config{Storage: r.storage, Kinds: kinds, Now: r.now, Limit: 3,
		NewID: func() string { return fmt.Sprintf("job-%d", r.ids.Add(1)) }})
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func add(t *testing.T, m *job.Manager, kind string, payload any) string {
	t.Helper()
	j, err := m.Add(kind, "me", payload)
	if err != nil {
		t.Fatal(err)
	}
	return j.ID
}

func wantState(t *testing.T, m *job.Manager, id string, want job.State) job.Job {
	t.Helper()
	synctest.Wait()
	j, err := m.Get(id, "me")
	if err != nil || j.State != want {
		t.Fatalf("job %s: %+v, %v, want %s", id, j, err, want)
	}
	return j
}

// on runs a test on each storage, with a clock of its own.
func on(t *testing.T, test func(t *testing.T, r *rig)) {
	for name, make := range map[string]func(t *testing.T) job.Storage{
		"memory": func(*testing.T) job.Storage { return &job.Memory{} },
		"folder": func(t *testing.T) job.Storage { return job.Folder(filepath.Join(t.TempDir(), "jobs")) },
	} {
		t.Run(name, func(t *testing.T) {
			storage := make(t)
			synctest.Test(t, func(t *testing.T) { test(t, &rig{t: t, storage: storage, now: time.Now}) })
		})
	}
}

func echo(_ context.Context, t *job.Task) ([]byte, error) { return t.Payload, nil }

func waiting(ctx context.Context, _ *job.Task) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestJobs(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		m := r.start(map[string]job.Kind{
			"echo":   {Run: echo},
			"fails":  {Run: func(context.Context, *job.Task) ([]byte, error) { return nil, errors.New("x") }},
			"panics": {Run: func(context.Context, *job.Task) ([]byte, error) { panic("x") }},
		})
		id := add(t, m, "echo", "hello")
		wantState(t, m, id, job.Done)
		if got, err := m.Result(id); err != nil || string(got) != `"hello"` {
			t.Errorf("result %s, %v", got, err)
		}
		if _, err := m.Get(id, "you"); !errors.Is(err, job.ErrUnknown) {
			t.Errorf("another owner: %v", err)
		}
		if err := m.Cancel(id, "you"); !errors.Is(err, job.ErrUnknown) {
			t.Errorf("cancel by another owner: %v", err)
		}
		wantState(t, m, add(t, m, "fails", nil), job.Failed)
		wantState(t, m, add(t, m, "panics", nil), job.Failed)
		wantState(t, m, add(t, m, "nothing", nil), job.Failed)
		if err := m.Again(id, "bye"); err != nil {
			t.Fatal(err)
		}
		wantState(t, m, id, job.Done)
		if got, err := m.Result(id); err != nil || string(got) != `"bye"` {
			t.Errorf("result again %s, %v", got, err)
		}
		m.Close()
		again := r.start(map[string]job.Kind{"echo": {Run: echo}})
		if got, err := again.Result(id); err != nil || string(got) != `"bye"` {
			t.Errorf("result after a restart %s, %v", got, err)
		}
		time.Sleep(25 * time.Hour)
		if _, err := again.Get(id, "me"); !errors.Is(err, job.ErrUnknown) {
			t.Errorf("after a day: %v", err)
		}
		if names, err := r.storage.Names(); err != nil || len(names) != 0 {
			t.Errorf("left in the storage: %v, %v", names, err)
		}
		again.Close()
	})
}

func TestCancel(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		m := r.start(map[string]job.Kind{"waits": {Run: waiting}})
		var ids []string
		for range 3 {
			ids = append(ids, add(t, m, "waits", nil))
		}
		wantState(t, m, ids[0], job.Running)
		wantState(t, m, ids[2], job.Queued) // two workers
		if _, err := m.Add("waits", "me", nil); !errors.Is(err, job.ErrTooMany) {
			t.Errorf("a fourth job: %v", err)
		}
		for _, id := range ids {
			if err := m.Cancel(id, "me"); err != nil {
				t.Error(err)
			}
			if _, err := m.Get(id, "me"); !errors.Is(err, job.ErrUnknown) {
				t.Errorf("cancelled: %v", err)
			}
		}
		synctest.Wait()
		if names, err := r.storage.Names(); err != nil || len(names) != 0 {
			t.Errorf("left in the storage: %v, %v", names, err)
		}
		m.Close()
	})
}

// A job that may run again goes on from its last mark; another is failed
// honestly; what had not begun begins.
func TestRestart(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		stopped := false
		count := func(ctx context.Context, t *job.Task) ([]byte, error) {
			n := 0
			if t.Mark != nil {
				if err := json.Unmarshal(t.Mark, &n); err != nil {
					return nil, err
				}
			}
			for ; n < 10; n++ {
				t.Progress(int64(n), 10)
				if err := t.SetMark(n); err != nil {
					return nil, err
				}
				if n == 5 && !stopped {
					return waiting(ctx, t)
				}
			}
			return json.Marshal(n)
		}
		yes := func(job.Job) bool { return true }
		kinds := map[string]job.Kind{"count": {Run: count, Again: yes}, "echo": {Run: echo}, "waits": {Run: waiting, Again: yes}}
		m := r.start(kinds)
		counted, waits := add(t, m, "count", nil), add(t, m, "waits", nil)
		begun := wantState(t, m, counted, job.Running)
		if begun.Done != 5 || begun.Total != 10 {
			t.Errorf("progress %d of %d", begun.Done, begun.Total)
		}
		queued := add(t, m, "echo", "later")
		m.Close()
		if _, err := m.Add("echo", "me", nil); !errors.Is(err, job.ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
		stopped = true
		delete(kinds, "waits") // nobody says that it may run again
		m = r.start(kinds)
		wantState(t, m, counted, job.Done)
		wantState(t, m, queued, job.Done)
		if j := wantState(t, m, waits, job.Failed); j.Problem != "interrupted" {
			t.Errorf("interrupted: %+v", j)
		}
		m.Close()
	})
}

// Close waits for what must not run twice.
func TestCloseWaits(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		m := r.start(map[string]job.Kind{"slow": {Run: func(ctx context.Context, _ *job.Task) ([]byte, error) {
			time.Sleep(time.Minute)
			return nil, ctx.Err()
		}}})
		id := add(t, m, "slow", nil)
		wantState(t, m, id, job.Running)
		m.Close()
		wantState(t, m, id, job.Done)
	})
}

func TestDamagedFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "half.tmp"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := job.Config{Storage: job.Folder(dir), Now: time.Now, NewID: func() string { return "x" }}
	m, err := job.New(cfg)
	if err != nil {
		t.Fatalf("a file half written: %v", err)
	}
	m.Close()
	if err := os.WriteFile(filepath.Join(dir, "a.job"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := job.New(cfg); err == nil {
		t.Error("a damaged job is no error")
	}
}

// TestForgetEnded removes what has ended, of one kind, from a storage at rest.
func TestForgetEnded(t *testing.T) {
	on(t, func(t *testing.T, r *rig) {
		kinds := map[string]job.Kind{"echo": {Run: echo}, "other": {Run: echo}, "waits": {Run: waiting, Again: func(job.Job) bool { return true }}}
		m := r.start(kinds)
		ended, other := add(t, m, "echo", "a"), add(t, m, "other", "b")
		wantState(t, m, ended, job.Done)
		wantState(t, m, other, job.Done)
		waits := add(t, m, "waits", "c")
		wantState(t, m, waits, job.Running)
		m.Close()
		for _, kind := range []string{"echo", "waits"} {
			if err := job.ForgetEnded(r.storage, kind); err != nil {
				t.Fatal(err)
			}
		}
		again := r.start(kinds)
		defer again.Close()
		if _, err := again.Get(ended, "me"); !errors.Is(err, job.ErrUnknown) {
			t.Errorf("what ended: %v", err)
		}
		if _, err := r.storage.Get(ended + ".result"); err == nil {
			t.Error("its result is still there")
		}
		wantState(t, again, other, job.Done)
		wantState(t, again, waits, job.Running)
	})
}
