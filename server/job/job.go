// Package job runs work that takes longer than a request: it keeps each job on
// disk before it starts, runs a few at a time, tells how far each has come,
// stops them on demand, and goes on after a restart where a job can.
package job

import (
	"encoding/json"
	"errors"
	"time"
)

// State of a job.
type State string

// The states. A job ends in Done, Failed or Cancelled and stays so, unless it
// is put back by Again.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Failed    State = "failed"
	Cancelled State = "cancelled"
)

// Ended reports whether nothing more will happen.
func (s State) Ended() bool { return s == Done || s == Failed || s == Cancelled }

// Job is one piece of work, as it is kept. Payload and result belong to its
// kind and may hold personal data; the rest does not.
type Job struct {
	ID    string `json:"id"`
	Kind  string `json:"kind"`
	Owner string `json:"owner"` // who may ask for it; "" for the server's own
	State State  `json:"state"`
	// Payload is what to do, Mark how far it got: a kind that leaves marks
	// goes on from the last one after a restart.
	Payload json.RawMessage `json:"payload,omitempty"`
	Mark    json.RawMessage `json:"mark,omitempty"`
	// Done of Total units of work; Total is 0 where it is not known.
	Done     int64     `json:"done,omitempty"`
	Total    int64     `json:"total,omitempty"`
	Created  time.Time `json:"created"`
	Finished time.Time `json:"finished,omitzero"`
	// Problem is the id of what made it fail.
	Problem string `json:"problem,omitempty"`
}

// The errors of this package.
var (
	ErrUnknown    = errors.New("job: no such job")
	ErrTooMany    = errors.New("job: too many jobs are waiting")
	ErrUnfinished = errors.New("job: it has not finished")
	ErrClosed     = errors.New("job: the server is stopping")
	// ErrCancelled is the cause of the end of a run's context when the job was
	// cancelled; a stop of the server has another.
	ErrCancelled   = errors.New("job: cancelled")
	errStopped     = errors.New("job: stopped with the server")
	errInterrupted = errors.New("job: the server stopped while it ran")
)
