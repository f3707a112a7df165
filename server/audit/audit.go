// Package audit keeps the record of every access to people's data as
// AuditEvents in the store, chained by hashes so that a change, an insertion or
// a removal in the middle shows.
// https://hl7.org/fhir/R4/auditevent.html
//
// Durability: the record of a write is part of the write's own transaction
// (Join), so neither exists without the other. The records of reads and
// refusals (Record) go to the store in groups, one transaction and one sync for
// many of them: with Config.Wait an access answers only when its record is on
// disk, without it a crash can lose the records of the last Config.Interval.
// Where records cannot be written, Record and Join fail, and so do the accesses.
//
// The chain: an entry holds the lane it is in, its number there and the SHA-256
// of the entry before (its JSON as written, without meta). There are several
// lanes so that writers do not wait for each other's syncs. A lane cut off at
// its end cannot be told from one that is shorter: keep the Heads that Verify
// reports somewhere else and give them to it the next time.
package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Event is one access, as far as it concerns one person.
type Event struct {
	Time        time.Time
	Request     string // id of the request
	Caller      policy.Caller
	Interaction string // code of http://hl7.org/fhir/restful-interaction, or an operation's name
	Type        string // resource type asked for, "" for the system
	// Parameters are the names of the search parameters used, never values.
	Parameters []string
	// Patient is the person it is about, "" where there is none.
	Patient string
	What    []Reference
	More    int // how many more there were than What holds
	// Erased says that What is erased for good, with all versions up to the one
	// named.
	Erased bool
	// Refusal is the id of the rule or problem that refused the access, "" for
	// one that was allowed. Broken says that the server itself failed.
	Refusal string
	Broken  bool
	Rules   []string // rules that led to the decision
}

// Reference is what was handed out or written. Version is 0 where it is not
// known yet.
type Reference struct {
	store.Key
	Version uint64
}

// Config wires a Log. Store, Index, Now and NewID are required.
type Config struct {
	Store store.Store
	// Index returns the index keys of a resource: Registry.Keys.
	Index func(*fhir.Element) ([][]byte, error)
	Now   func() time.Time
	NewID func() string
	// Wait makes Record wait until its entry is on disk.
	Wait bool
	// Interval is how long entries gather before they are written; 0 is 20 ms.
	Interval time.Duration
	// Lanes is how many writes can be on their way at a time; 0 is 16.
	Lanes int
	// Server is the number, from 0, of this process among those that write to
	// the same store. Each has lanes of its own: all must have as many.
	Server int
	// Limit is how many entries may wait to be written before Record blocks;
	// 0 is 10,000.
	Limit int
}

// Log keeps the record. It is safe for concurrent use.
type Log struct {
	cfg Config
	// lanes are those nobody uses at the moment. They take turns, so that the
	// newest entries hold the end of each.
	lanes chan *lane

	mu      sync.Mutex
	room    *sync.Cond
	waiting []pending
	broken  error // last failure to write, nil after a success
	closed  bool
	wake    chan struct{}
	done    chan struct{}
}

type pending struct {
	event Event
	told  chan error // nil where nobody waits
}

// lane is one chain.
type lane struct {
	number int
	next   uint64 // number of the next entry, from 1
	head   string // hash of the last, hex; "" before the first
}

// ErrClosed is returned after Close.
var ErrClosed = errors.New("audit: the log is closed")

// New returns a Log that goes on where the store's chains end.
func New(ctx context.Context, cfg Config) (*Log, error) {
	if cfg.Store == nil || cfg.Index == nil || cfg.Now == nil || cfg.NewID == nil {
		return nil, errors.New("audit: incomplete Config")
	}
	def := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	def(&cfg.Lanes, 16)
	def(&cfg.Limit, 10_000)
	if cfg.Interval <= 0 {
		cfg.Interval = 20 * time.Millisecond
	}
	lanes, err := recoverLanes(ctx, &cfg)
	if err != nil {
		return nil, err
	}
	l := &Log{cfg: cfg, lanes: make(chan *lane, cfg.Lanes), wake: make(chan struct{}, 1), done: make(chan struct{})}
	l.room = sync.NewCond(&l.mu)
	for _, ln := range lanes {
		l.lanes <- ln
	}
	go l.run()
	return l, nil
}

// Close writes what is waiting and ends the log.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil
	}
	l.closed = true
	l.room.Broadcast()
	l.mu.Unlock()
	l.signal()
	<-l.done
	return l.failure()
}

func (l *Log) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *Log) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return fmt.Errorf("audit: entries cannot be written: %w", l.broken)
	}
	return nil
}
