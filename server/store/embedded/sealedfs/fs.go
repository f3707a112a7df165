package sealedfs

import (
	"errors"
	"os"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// sealedFS seals files; folders, names and locks are those of the disk.
type sealedFS struct {
	vfs.FS
	keys *Keys
}

func newFS(disk vfs.FS, keys *Keys) vfs.FS { return &sealedFS{FS: disk, keys: keys} }

// Unwrap implements vfs.FS.
func (fs *sealedFS) Unwrap() vfs.FS { return fs.FS }

// Create implements vfs.FS. The file can be written, once, and not read.
func (fs *sealedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	header, aead, err := fs.keys.newHeader()
	if err != nil {
		return nil, err
	}
	f, err := fs.FS.Create(name, c)
	if err != nil {
		return nil, err
	}
	return &writer{File: f, aead: aead, out: header}, nil
}

// ReuseForWrite makes a new file: an old one would need its nonces again.
func (fs *sealedFS) ReuseForWrite(old, name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	if err := fs.Remove(old); err != nil {
		return nil, err
	}
	return fs.Create(name, c)
}

// OpenReadWrite is refused: blocks are never written twice.
func (fs *sealedFS) OpenReadWrite(string, vfs.DiskWriteCategory, ...vfs.OpenOption) (vfs.File, error) {
	return nil, errors.ErrUnsupported
}

// Open implements vfs.FS.
func (fs *sealedFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := fs.FS.Open(name, opts...)
	if err != nil {
		return nil, err
	}
	r := &reader{File: f, name: fs.PathBase(name)}
	if err := r.open(fs.keys); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// Stat tells the plain size, exactly for files that were not synced before
// their end. For logs, of which Pebble wants an estimate, it is somewhat high.
func (fs *sealedFS) Stat(name string) (vfs.FileInfo, error) {
	info, err := fs.FS.Stat(name)
	if err != nil || info.IsDir() {
		return info, err
	}
	return plainInfo{info, plainSize(info.Size())}, nil
}

// plainSize is the plain size of a file whose blocks are full but the last.
func plainSize(size int64) int64 {
	size -= int64(headerBytes)
	if size <= 0 {
		return 0
	}
	plain := size / frameBytes * blockBytes
	return plain + max(0, size%frameBytes-overhead)
}

// sealedSize is the size on disk of that much plain text.
func sealedSize(plain int64) int64 {
	return int64(headerBytes) + plain + (plain+blockBytes-1)/blockBytes*overhead
}

type plainInfo struct {
	vfs.FileInfo
	size int64
}

func (i plainInfo) Size() int64 { return i.size }

var _ os.FileInfo = plainInfo{}

// mayBeTorn tells the files whose end a crash may tear: those that are used
// while they are written.
func mayBeTorn(name string) bool {
	return strings.HasSuffix(name, ".log") || strings.HasPrefix(name, "MANIFEST-")
}
