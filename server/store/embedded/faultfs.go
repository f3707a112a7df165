package embedded

import (
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// faultFS stands between Pebble and the disk. Where Pebble would end the
// program because it cannot begin a new log, it gets one that cannot be synced
// instead: the transactions in it fail and nothing else does. After a fault no
// file is removed any more, as what replaces it may not be on disk.
type faultFS struct {
	vfs.FS
	e *Engine
}

func (fs faultFS) Unwrap() vfs.FS { return fs.FS }

func (fs faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, c)
	return fs.log(name, f, err)
}

func (fs faultFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if fs.e.freshLogs.Load() {
		if err := fs.Remove(old); err != nil {
			return nil, err
		}
		return fs.Create(name, c)
	}
	f, err := fs.FS.ReuseForWrite(old, name, c)
	return fs.log(name, f, err)
}

func (fs faultFS) log(name string, f vfs.File, err error) (vfs.File, error) {
	if err == nil || !strings.HasSuffix(name, ".log") || !fs.e.opened.Load() {
		return f, err
	}
	fs.e.fault("cannot begin a log", err)
	return brokenLog{vfs.NewMemFile(nil), err}, nil
}

func (fs faultFS) OpenDir(name string) (vfs.File, error) {
	f, err := fs.FS.OpenDir(name)
	if err != nil {
		return f, err
	}
	return directory{f, fs.e}, nil
}

func (fs faultFS) Remove(name string) error {
	if fs.e.opened.Load() {
		if err := fs.e.durable.failure(); err != nil && err != errClosed {
			return err
		}
	}
	return fs.FS.Remove(name)
}

// brokenLog takes writes and fails to sync them.
type brokenLog struct {
	vfs.File
	err error
}

func (brokenLog) Write(p []byte) (int, error)     { return len(p), nil }
func (brokenLog) Preallocate(_, _ int64) error    { return nil }
func (l brokenLog) Sync() error                   { return l.err }
func (l brokenLog) SyncData() error               { return l.err }
func (l brokenLog) SyncTo(int64) (bool, error)    { return false, l.err }
func (brokenLog) Prefetch(_ int64, _ int64) error { return nil }

// directory notes that it could not be synced, and lets Pebble go on: nothing
// written from then on is acknowledged.
type directory struct {
	vfs.File
	e *Engine
}

func (d directory) Sync() error {
	err := d.File.Sync()
	if err != nil && d.e.opened.Load() {
		d.e.fault("cannot sync a folder", err)
		return nil
	}
	return err
}
