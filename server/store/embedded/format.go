package embedded

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// formatVersion is the version of the layout this program writes. A change of
// the layout raises it and adds a step to migrations.
const formatVersion = 1

const (
	metaFormat    = "format"
	metaState     = "state"
	metaHorizon   = "horizon"
	metaCompacted = "compacted" // says nothing; see renewLogs
)

func metaKey(name string) []byte { return append([]byte{spaceMeta}, name...) }

// migrations[n] brings a store from format n to n+1, in one batch.
var migrations = map[int]func(*pebble.DB, *pebble.Batch) error{}

// checkFormat refuses a folder of a newer program and brings an older one up.
func (e *Engine) checkFormat() error {
	b, ok, err := e.get(e.db, metaKey(metaFormat))
	if err != nil {
		return err
	}
	if !ok {
		return e.initialize()
	}
	found, _ := binary.Uvarint(b)
	if found > formatVersion {
		return fmt.Errorf("embedded: the store has format %d, made by a newer program; this one knows formats up to %d", found, formatVersion)
	}
	for v := int(found); v < formatVersion; v++ {
		if err := e.migrate(v); err != nil {
			return fmt.Errorf("embedded: migrate format %d to %d: %w", v, v+1, err)
		}
	}
	return nil
}

func (e *Engine) migrate(from int) error {
	step := migrations[from]
	if step == nil {
		return fmt.Errorf("no step from format %d", from)
	}
	b := e.db.NewBatch()
	defer b.Close()
	if err := step(e.db, b); err != nil {
		return err
	}
	if err := b.Set(metaKey(metaFormat), binary.AppendUvarint(nil, uint64(from+1)), nil); err != nil {
		return err
	}
	return b.Commit(pebble.Sync)
}

// initialize marks an empty folder as ours.
func (e *Engine) initialize() error {
	it, err := e.db.NewIter(nil)
	if err != nil {
		return err
	}
	empty := !it.First()
	if err := it.Close(); err != nil {
		return err
	}
	if !empty {
		return fmt.Errorf("embedded: the folder holds a database of another program")
	}
	return e.db.Set(metaKey(metaFormat), binary.AppendUvarint(nil, formatVersion), pebble.Sync)
}
