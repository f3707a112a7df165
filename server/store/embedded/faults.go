package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// What happens when the disk fails.
//
// The first fault of a write (disk full, I/O error, a block whose checksum is
// wrong) makes the store read-only until it is opened again: writes answer
// store.ErrReadOnly, reads go on as far as the disk lets them. Readers look no
// further than what was on disk before, so a write whose outcome is unknown is
// never seen. Background work of Pebble stops at that point; left alone it
// would try again for ever, or end the program.

// listener takes note of faults that Pebble finds by itself.
func (e *Engine) listener() *pebble.EventListener {
	return &pebble.EventListener{
		BackgroundError: func(err error) {
			e.fault("background work failed", err)
			e.stopWorker()
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			e.fault("a file is damaged", info.Details)
		},
	}
}

func (e *Engine) fault(what string, err error) {
	e.durable.fail(fmt.Errorf("embedded: %s: %w", what, err))
	e.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "storage fault, the store is read-only", slog.String("fault", what))
}

// stopWorker ends a goroutine of Pebble's, whose deferred unlocks are run.
// While the store is being opened it goes on: Open waits for it and then
// reports the fault.
func (e *Engine) stopWorker() {
	if e.opened.Load() && !inCall() {
		runtime.Goexit()
	}
}

// inCall tells whether a caller of the engine is on the stack.
func inCall() bool {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "embedded.(*Engine).") && !strings.Contains(f.Function, ".listener.") &&
			!strings.Contains(f.Function, ".fault") || strings.Contains(f.Function, "embedded.Open") {
			return true
		}
		if !more {
			return false
		}
	}
}

// closeFailed closes a store with faults. Pebble may wait for ever for work
// that was stopped; the lock of the folder is then held until the program
// ends.
func (e *Engine) closeFailed() error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("embedded: close: %v", p)
			}
		}()
		done <- e.db.Close()
	}()
	select {
	case err := <-done:
		return err
	case <-time.After(2 * time.Second):
		return errors.New("embedded: the failed store could not be closed in order")
	}
}

// pebbleLog passes on what Pebble finds worth telling: only faults. Keys of
// the store hold identifiers of people, so messages are not repeated verbatim.
type pebbleLog struct{ e *Engine }

func (pebbleLog) Infof(string, ...any) {}

func (l pebbleLog) Errorf(format string, _ ...any) {
	l.e.opts.Logger.LogAttrs(context.Background(), slog.LevelError, "storage", slog.String("fault", format))
}

// Fatalf is Pebble's way to say that it cannot go on.
func (l pebbleLog) Fatalf(format string, args ...any) {
	err := fmt.Errorf(format, args...)
	l.e.fault("storage failed", err)
	if inCall() {
		panic(err)
	}
	l.e.stopWorker()
}
