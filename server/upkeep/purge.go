package upkeep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/job"
)

// Purges are the jobs that erase.
type Purges struct {
	Eraser *Eraser
	// Results are the kinds of jobs whose results may hold what is erased: they
	// are forgotten.
	Results []string
	// Forget lets go of what the server still knows from what was erased. It is
	// called before the job is done, or after it was cancelled.
	Forget func(context.Context) error
}

// Kind returns how the jobs are run. One that was interrupted goes on after
// its last mark; one that is cancelled leaves the rest alone.
func (p *Purges) Kind() job.Kind {
	return job.Kind{Run: p.run, Again: func(job.Job) bool { return true }}
}

func (p *Purges) run(ctx context.Context, t *job.Task) ([]byte, error) {
	var order Order
	if err := json.Unmarshal(t.Payload, &order); err != nil {
		return nil, fmt.Errorf("purge: %w", err)
	}
	done := 0
	if t.Mark != nil {
		if err := json.Unmarshal(t.Mark, &done); err != nil {
			return nil, fmt.Errorf("purge: %w", err)
		}
	}
	total := int64(len(order.Keys)) + 1 // the last is to rewrite the files
	t.Progress(int64(done), total)
	_, err := p.Eraser.Erase(ctx, order, done, func(done int) error {
		t.Progress(int64(done), total)
		return t.SetMark(done)
	})
	if err != nil && !errors.Is(context.Cause(ctx), job.ErrCancelled) {
		return nil, err // what comes is for the job when it goes on
	}
	for _, kind := range p.Results {
		t.ForgetEnded(kind)
	}
	if err := errors.Join(err, p.Forget(context.WithoutCancel(ctx))); err != nil {
		return nil, fmt.Errorf("purge: %w", err)
	}
	if err := p.Eraser.Engine.Compact(ctx); err != nil {
		return nil, fmt.Errorf("purge: everything is erased, but bytes of it may still lie in the files: %w", err)
	}
	t.Progress(total, total)
	r := fhir.NewResource("Parameters")
	r.Add("parameter").Set("name", "resources").Set("valueInteger", strconv.Itoa(len(order.Keys)))
	return fhirjson.Append(nil, r), nil
}
