package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// maxGroup bounds the entries of one transaction.
const maxGroup = 512

// Record keeps events. It blocks while too many wait to be written, and with
// Config.Wait until these are; where the last attempt to write failed it fails.
func (l *Log) Record(ctx context.Context, events ...Event) error {
	var told chan error
	if l.cfg.Wait {
		told = make(chan error, len(events))
	}
	if err := l.enqueue(events, told); err != nil {
		return err
	}
	l.signal()
	if !l.cfg.Wait {
		return nil
	}
	for range events {
		select {
		case err := <-told:
			if err != nil {
				return fmt.Errorf("audit: %w", err)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (l *Log) enqueue(events []Event, told chan error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) >= l.cfg.Limit && !l.closed && l.broken == nil {
		l.room.Wait()
	}
	switch {
	case l.closed:
		return ErrClosed
	case l.broken != nil && len(l.waiting) > 0:
		l.signal()
		return fmt.Errorf("audit: entries cannot be written: %w", l.broken)
	}
	for _, e := range events {
		l.waiting = append(l.waiting, pending{e, told})
	}
	return nil
}

// run writes groups until the log is closed and nothing waits.
func (l *Log) run() {
	defer close(l.done)
	for {
		<-l.wake
		if !l.cfg.Wait { // others gather meanwhile; waiters gather during a write
			l.pause(l.cfg.Interval)
		}
		for {
			more, err := l.writeGroup()
			if err != nil {
				if l.ending() {
					return
				}
				l.pause(100 * time.Millisecond)
				continue
			}
			if !more {
				break
			}
		}
		if l.ending() {
			return
		}
	}
}

func (l *Log) ending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.closed && (len(l.waiting) == 0 || l.broken != nil)
}

// pause waits, but not once the log is being closed.
func (l *Log) pause(d time.Duration) {
	l.mu.Lock()
	closed := l.closed
	l.mu.Unlock()
	if !closed {
		time.Sleep(d)
	}
}

// writeGroup writes up to maxGroup waiting entries in one transaction. Those
// that could not be written stay, in order; whoever waits for one is told.
func (l *Log) writeGroup() (more bool, err error) {
	l.mu.Lock()
	group := l.waiting[:min(len(l.waiting), maxGroup)]
	l.mu.Unlock()
	if len(group) == 0 {
		return false, nil
	}
	ln := <-l.lanes
	moved := *ln
	tx := store.Tx{Writes: make([]store.Write, 0, len(group))}
	for i := range group {
		tx.Writes = append(tx.Writes, l.link(&moved, &group[i].event))
	}
	_, err = l.cfg.Store.Apply(context.Background(), tx)
	l.giveBack(ln, moved, err)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken = err
	kept := l.waiting
	if err == nil {
		kept = l.waiting[len(group):]
	}
	for i := range group {
		if group[i].told != nil {
			group[i].told <- err
			group[i].told = nil
		}
	}
	l.waiting = append([]pending(nil), kept...)
	l.room.Broadcast()
	return len(l.waiting) > 0, err
}
