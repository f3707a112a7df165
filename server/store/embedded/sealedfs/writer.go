package sealedfs

import (
	"crypto/cipher"
	"errors"
	"io"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// writer seals a file from begin to end. It holds back less than a block until
// the file is synced or closed. After a failed write nothing more is written:
// no nonce is used for two texts.
type writer struct {
	vfs.File
	aead cipher.AEAD

	mu     sync.Mutex
	next   head   // of the next block, length left out
	buf    []byte // the beginning of the next block
	out    []byte // sealed, not yet handed to the disk; begins with the header
	failed error
}

func (w *writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed != nil {
		return 0, w.failed
	}
	n := len(p)
	for len(w.buf)+len(p) >= blockBytes {
		if len(w.buf) == 0 {
			w.block(p[:blockBytes])
			p = p[blockBytes:]
			continue
		}
		take := blockBytes - len(w.buf)
		w.buf = append(w.buf, p[:take]...)
		p = p[take:]
		w.block(w.buf)
		w.buf = w.buf[:0]
	}
	w.buf = append(w.buf, p...)
	if w.next.number == 0 { // not even the header is needed yet
		return n, nil
	}
	if err := w.drain(); err != nil {
		return 0, err
	}
	return n, nil
}

// block seals up to blockBytes.
func (w *writer) block(plain []byte) {
	h := w.next
	h.length = uint32(len(plain))
	w.out = seal(w.aead, w.out, h, plain)
	w.next.number++
	w.next.offset += uint64(len(plain))
}

// drain hands to the disk what is sealed.
func (w *writer) drain() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.File.Write(w.out)
	w.out = w.out[:0]
	if err != nil {
		w.failed = err
	}
	return err
}

// flush hands everything to the disk.
func (w *writer) flush() error {
	if w.failed != nil {
		return w.failed
	}
	if len(w.buf) > 0 {
		w.block(w.buf)
		w.buf = w.buf[:0]
	}
	if w.next.number == 0 {
		return nil
	}
	return w.drain()
}

func (w *writer) sync(sync func() error) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.flush(); err != nil {
		return err
	}
	if err := sync(); err != nil {
		return err
	}
	w.next.synced = w.next.offset
	return nil
}

func (w *writer) Sync() error { return w.sync(w.File.Sync) }

func (w *writer) SyncData() error { return w.sync(w.File.SyncData) }

// SyncTo begins to sync what has been handed over, and promises nothing.
func (w *writer) SyncTo(length int64) (bool, error) {
	w.mu.Lock()
	length = min(length, int64(w.next.offset))
	w.mu.Unlock()
	_, err := w.File.SyncTo(sealedSize(length))
	return false, err
}

func (w *writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.flush(), w.File.Close())
}

func (w *writer) Preallocate(offset, length int64) error {
	return w.File.Preallocate(offset, length)
}

func (w *writer) Stat() (vfs.FileInfo, error) {
	info, err := w.File.Stat()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return plainInfo{info, int64(w.next.offset) + int64(len(w.buf))}, nil
}

var errWriteOnly = errors.New("sealedfs: the file is being written")

func (w *writer) Read([]byte) (int, error)                  { return 0, errWriteOnly }
func (w *writer) ReadAt([]byte, int64) (int, error)         { return 0, errWriteOnly }
func (w *writer) WriteAt([]byte, int64) (int, error)        { return 0, errors.ErrUnsupported }
func (w *writer) Prefetch(offset int64, length int64) error { return nil }

var _ io.Writer = (*writer)(nil)
