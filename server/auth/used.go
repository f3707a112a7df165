package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// UsedAssertions remembers, beyond the life of the process, which client
// assertions were used. An id is a hash, and tells nothing about a client.
type UsedAssertions interface {
	// Load returns what was kept, with the time until which each matters.
	Load() (map[UsedID]time.Time, error)
	// Keep returns once an id is durable.
	Keep(id UsedID, until time.Time) error
	// Trim forgets what ended before now.
	Trim(now time.Time) error
}

// UsedID stands for an assertion.
type UsedID [sha256.Size]byte

// UsedFile keeps used assertions in a file that grows by a record with each,
// and is written anew, without those that expired, when it is opened and when
// most of them have.
type UsedFile struct {
	path string

	mu    sync.Mutex
	file  *os.File
	live  map[UsedID]time.Time
	count int // records in the file
}

// OpenUsedFile opens the file, or makes it where it is missing.
func OpenUsedFile(path string, now time.Time) (*UsedFile, error) {
	f := &UsedFile{path: path, live: map[UsedID]time.Time{}}
	data, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("auth: used assertions: %w", err)
	}
	for ; len(data) >= usedRecord; data = data[usedRecord:] { // the last may be torn: it was not acknowledged
		f.live[UsedID(data[8:usedRecord])] = time.UnixMilli(int64(binary.BigEndian.Uint64(data)))
	}
	if err := f.rewrite(now); err != nil {
		return nil, err
	}
	return f, nil
}

// usedRecord is the length of a record: a time in milliseconds and an id.
const usedRecord = 8 + sha256.Size

func record(id UsedID, until time.Time) []byte {
	return append(binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli())), id[:]...)
}

// Load implements UsedAssertions.
func (f *UsedFile) Load() (map[UsedID]time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	known := make(map[UsedID]time.Time, len(f.live))
	for id, until := range f.live {
		known[id] = until
	}
	return known, nil
}

// Keep implements UsedAssertions. After a failure, which may have left half a
// record, the file is written anew first.
func (f *UsedFile) Keep(id UsedID, until time.Time) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live[id] = until
	if f.file == nil {
		return f.rewrite(time.Time{})
	}
	_, err = f.file.Write(record(id, until))
	if err = errors.Join(err, f.file.Sync()); err != nil {
		err = errors.Join(err, f.file.Close())
		f.file = nil
		return fmt.Errorf("auth: used assertions: %w", err)
	}
	f.count++
	return nil
}

// usedTrim is how many records the file has at least before it is written anew.
const usedTrim = 1000

// Trim implements UsedAssertions.
func (f *UsedFile) Trim(now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(now)
	if f.count < usedTrim || f.count < 2*len(f.live) {
		return nil
	}
	return f.rewrite(now)
}

func (f *UsedFile) drop(now time.Time) {
	for id, until := range f.live {
		if !until.After(now) {
			delete(f.live, id)
		}
	}
}

// rewrite puts a file with what matters after now in the place of the old one.
func (f *UsedFile) rewrite(now time.Time) error {
	f.drop(now)
	var data []byte
	for id, until := range f.live {
		data = append(data, record(id, until)...)
	}
	file, err := replaceFile(f.path, data)
	if err != nil {
		return fmt.Errorf("auth: used assertions: %w", err)
	}
	if f.file != nil {
		err = f.file.Close()
	}
	f.file, f.count = file, len(f.live)
	return err
}

// Close closes the file.
func (f *UsedFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// replaceFile puts a new file, which only its owner may read, in the place of
// another, durably, and returns it open at its end.
func replaceFile(path string, data []byte) (_ *os.File, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name()))
		}
	}()
	if _, err = tmp.Write(data); err != nil {
		return nil, err
	}
	if err = tmp.Sync(); err != nil {
		return nil, err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return nil, err
	}
	return tmp, syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder durable.
func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
