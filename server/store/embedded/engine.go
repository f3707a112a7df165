package embedded

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

// Engine is a store.Store in a folder. It holds the folder alone: a second
// Open of the same folder fails.
type Engine struct {
	opts   Options
	db     *pebble.DB
	labels labelSets
	totals totals

	// write is held while a transaction is checked, numbered and handed to
	// the log, not while it waits for the disk.
	write sync.Mutex
	last  state // what has been handed to the log; under write

	horizon atomic.Uint64 // snapshots before this are gone
	origin  atomic.Pointer[string]
	durable durable

	typesMu sync.RWMutex
	types   map[string]bool // every type that ever had a version

	gate      gate
	opened    atomic.Bool
	freshLogs atomic.Bool // logs are not used again; see Compact
	closing   chan struct{}
	closeOnce sync.Once
	closeErr  error
	sweeps    sync.WaitGroup
	sweepMu   sync.Mutex
}

var _ store.Store = (*Engine)(nil)

// Open opens the store in a folder, which is made where it is missing.
func Open(dir string, opts Options) (*Engine, error) {
	opts = opts.withDefaults()
	disk, err := sealedfs.Open(context.Background(), opts.FS, dir, opts.Master, opts.ReadOnly)
	if err != nil {
		return nil, fmt.Errorf("embedded: open store: %w", err)
	}
	opts.FS = disk
	e := &Engine{opts: opts, types: map[string]bool{}, closing: make(chan struct{})}
	e.durable.init()
	e.labels.init(e)
	db, err := openPebble(dir, e)
	if err != nil {
		return nil, fmt.Errorf("embedded: open store: %w", inUse(err))
	}
	e.db = db
	if err := e.load(); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	e.opened.Store(true)
	if err := e.durable.failure(); err != nil {
		return nil, errors.Join(err, e.closeFailed())
	}
	if !opts.ReadOnly {
		e.sweeps.Add(1)
		go e.sweepLoop()
	}
	return e, nil
}

// OpenMemory opens an empty store in memory, for tests and trials.
func OpenMemory(opts Options) (*Engine, error) {
	opts.FS = vfs.NewMem()
	return Open("store", opts)
}

// load checks the format and reads what the engine keeps in memory.
func (e *Engine) load() error {
	if err := e.checkFormat(); err != nil {
		return err
	}
	if err := e.loadOrigin(); err != nil {
		return err
	}
	if b, ok, err := e.get(e.db, metaKey(metaState)); err != nil {
		return err
	} else if ok {
		if e.last, err = decodeState(b); err != nil {
			return err
		}
	}
	if b, ok, err := e.get(e.db, metaKey(metaHorizon)); err != nil {
		return err
	} else if ok {
		h, _ := binary.Uvarint(b)
		e.horizon.Store(h)
	}
	e.totals.init(e.last.seq)
	if err := e.durable.publish(e.last); err != nil {
		return err
	}
	return e.loadTypes()
}

// loadTypes finds the types by leaping from one to the next.
func (e *Engine) loadTypes() error {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: []byte{spaceType}, UpperBound: []byte{spaceType + 1}})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; {
		typ := typeOf(it.Key())
		e.types[typ] = true
		ok = it.SeekGE(after(typePrefix(spaceType, typ)))
	}
	return errors.Join(it.Error(), it.Close())
}

func typeOf(key []byte) string {
	for i := 1; i < len(key); i++ {
		if key[i] == 0 {
			return string(key[1:i])
		}
	}
	return string(key[1:])
}

// Close refuses new calls, waits for those that run, flushes, so that the next Open has
// no log to replay, and closes. Using the engine afterwards is an error.
func (e *Engine) Close() error {
	e.closeOnce.Do(func() {
		close(e.closing)
		e.gate.close()
		e.sweeps.Wait()
		if failure := e.durable.failure(); failure != nil {
			e.closeErr = errors.Join(failure, e.closeFailed())
			return
		}
		e.durable.fail(errClosed)
		if !e.opts.ReadOnly {
			e.closeErr = e.db.Flush()
		}
		e.closeErr = errors.Join(e.closeErr, e.db.Close())
	})
	return e.closeErr
}

var errClosed = errors.New("embedded: store is closed")

// Status tells size and health.
func (e *Engine) Status(ctx context.Context) (store.Status, error) {
	if err := ctx.Err(); err != nil {
		return store.Status{}, err
	}
	s := e.durable.state()
	origin := ""
	if o := e.origin.Load(); o != nil {
		origin = *o
	}
	return store.Status{
		Origin: origin,
		Engine: "embedded", Format: formatVersion, Seq: s.seq,
		Resources: s.resources, Versions: s.versions,
		ReadOnly: e.opts.ReadOnly || e.durable.failure() != nil,
	}, nil
}

// get reads one key and copies its value.
func (e *Engine) get(r pebble.Reader, key []byte) ([]byte, bool, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	out := append([]byte(nil), v...)
	return out, true, closer.Close()
}
