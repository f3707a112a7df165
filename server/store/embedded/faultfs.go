package embedded

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// faultFS stands between Pebble and the disk. Pebble ends the program where it
// cannot write to a log. Here the store has failed before Pebble is told that
// all went well, so nothing in that log is acknowledged, and nothing is written
// behind the gap. After a fault no file is removed any more, as what replaces
// it may not be on disk.
type faultFS struct {
	vfs.FS
	e *Engine
}

func (fs faultFS) Unwrap() vfs.FS { return fs.FS }

func (fs faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.open(name, func() (vfs.File, error) { return fs.FS.Create(name, c) })
}

func (fs faultFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if fs.e.freshLogs.Load() {
		if err := fs.Remove(old); err != nil {
			return nil, err
		}
		return fs.Create(name, c)
	}
	return fs.open(name, func() (vfs.File, error) { return fs.FS.ReuseForWrite(old, name, c) })
}

// open opens a file for writing; a log never fails.
func (fs faultFS) open(name string, open func() (vfs.File, error)) (vfs.File, error) {
	if !strings.HasSuffix(name, ".log") {
		return open()
	}
	if fs.e.failed() {
		return logFile{vfs.NewMemFile(nil), fs.e}, nil
	}
	f, err := open()
	if err != nil {
		if err = fs.e.swallow("cannot begin a log", err); err != nil {
			return nil, err
		}
		f = vfs.NewMemFile(nil)
	}
	return logFile{f, fs.e}, nil
}

// failed tells whether an open store has met a fault.
func (e *Engine) failed() bool {
	if !e.opened.Load() {
		return false
	}
	err := e.durable.failure()
	return err != nil && err != errClosed
}

// swallow makes a fault one of the store. While it is being opened the fault
// is Open's.
func (e *Engine) swallow(what string, err error) error {
	if err == nil || !e.opened.Load() {
		return err
	}
	e.fault(what, err)
	return nil
}

// logFile is a log that never fails.
type logFile struct {
	vfs.File
	e *Engine
}

func (f logFile) do(what string, op func() error) error {
	if f.e.failed() {
		return nil
	}
	return f.e.swallow(what, op())
}

func (f logFile) Write(p []byte) (int, error) {
	err := f.do("cannot write a log", func() error { _, err := f.File.Write(p); return err })
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f logFile) Preallocate(offset, length int64) error {
	return f.do("cannot extend a log", func() error { return f.File.Preallocate(offset, length) })
}

func (f logFile) Sync() error { return f.do("cannot sync a log", f.File.Sync) }

func (f logFile) SyncData() error { return f.do("cannot sync a log", f.File.SyncData) }

func (f logFile) SyncTo(length int64) (full bool, err error) {
	err = f.do("cannot sync a log", func() error { full, err = f.File.SyncTo(length); return err })
	return full, err
}

func (f logFile) Close() error { return f.e.swallow("cannot close a log", f.File.Close()) }

func (fs faultFS) OpenDir(name string) (vfs.File, error) {
	f, err := fs.FS.OpenDir(name)
	if err != nil {
		return f, err
	}
	return directory{f, fs.e}, nil
}

func (fs faultFS) Remove(name string) error {
	if fs.e.failed() {
		return fs.e.durable.failure()
	}
	return fs.FS.Remove(name)
}

// directory notes that it could not be synced, and lets Pebble go on: nothing
// written from then on is acknowledged.
type directory struct {
	vfs.File
	e *Engine
}

func (d directory) Sync() error {
	return d.e.swallow("cannot sync a folder", d.File.Sync())
}
