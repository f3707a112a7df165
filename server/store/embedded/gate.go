package embedded

import (
	"context"
	"sync/atomic"
	"time"
)

// gate lets Close wait for the calls that are running. A call may run inside
// another one (a read in a loop over changes), which a sync.RWMutex forbids.
type gate struct {
	running atomic.Int64
	closed  atomic.Bool
}

func (g *gate) close() {
	g.closed.Store(true)
	for pause := 100 * time.Microsecond; g.running.Load() > 0; pause = min(2*pause, 10*time.Millisecond) {
		time.Sleep(pause)
	}
}

// begin starts a call; without an error, end must follow.
func (e *Engine) begin(ctx context.Context) error {
	e.gate.running.Add(1)
	err := e.usable(ctx)
	if err != nil {
		e.end()
	}
	return err
}

func (e *Engine) end() { e.gate.running.Add(-1) }

// usable is asked at the beginning of a call and in its loops.
func (e *Engine) usable(ctx context.Context) error {
	if e.gate.closed.Load() {
		return errClosed
	}
	return ctx.Err()
}
