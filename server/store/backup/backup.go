// Package backup keeps backups of an embedded store as files of a folder,
// encrypted where the store is: what the command line writes of a folder that
// no server uses and what a running server writes are the same files.
package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

// Source is a store that can be backed up; *embedded.Engine is one.
type Source interface {
	// Backup writes every version after since, 0 for all, as of this moment.
	Backup(ctx context.Context, w io.Writer, since uint64, progress func(done, of uint64)) (upTo uint64, err error)
	// Follows fails where no backup may begin after since.
	Follows(ctx context.Context, since uint64) error
}

var _ Source = (*embedded.Engine)(nil)

// The errors of a Folder, besides those of the disk and of the Source.
var (
	ErrExists    = errors.New("backup: there is a file of that name")
	ErrEncrypted = errors.New("backup: it is encrypted: its master key is needed")
)

// Report tells what was written.
type Report struct {
	File  string `json:"file"`
	Since uint64 `json:"since"` // the backup holds the changes after this
	UpTo  uint64 `json:"upTo"`
}

// Folder is where backups lie. No name leads out of it, by symbolic links
// neither. It is safe for concurrent use.
type Folder struct {
	root   *os.Root
	master sealedfs.MasterKey
	mu     sync.Mutex // held while a backup is written
}

// Open opens a folder, which must exist; master, where not nil, is the key of
// the backups that are written and read.
func Open(dir string, master sealedfs.MasterKey) (*Folder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return &Folder{root: root, master: master}, nil
}

// Close lets go of the folder.
func (f *Folder) Close() error { return f.root.Close() }

// unfinished ends the name of a file that is being written.
const unfinished = ".tmp"

// Usable reports whether a name can be that of a backup: letters, digits, dots,
// hyphens and underscores, 100 at most, the first a letter or digit.
func Usable(name string) bool {
	if name == "" || len(name) > 100 || strings.HasSuffix(name, unfinished) {
		return false
	}
	for i, c := range []byte(name) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !plain && (i == 0 || c != '.' && c != '-' && c != '_') {
			return false
		}
	}
	return true
}

// Exists reports whether there is something of that name.
func (f *Folder) Exists(name string) (bool, error) {
	_, err := f.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// Write writes a backup of everything after since, whole or not at all: until
// it is on disk the file has another name, and what a crash left of an earlier
// attempt is replaced. It fails with ErrExists where there is one of that name.
func (f *Folder) Write(ctx context.Context, from Source, name string, since uint64, progress func(done, of uint64)) (Report, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	report := Report{File: name, Since: since}
	if there, err := f.Exists(name); err != nil || there {
		return report, errors.Join(err, existing(there))
	}
	err := f.whole(name, func(w io.Writer) error {
		return f.sealing(ctx, w, func(w io.Writer) (err error) {
			report.UpTo, err = from.Backup(ctx, w, since, progress)
			return err
		})
	})
	return report, err
}

func existing(there bool) error {
	if there {
		return ErrExists
	}
	return nil
}

// sealing lets write encrypt where there is a key.
func (f *Folder) sealing(ctx context.Context, w io.Writer, write func(io.Writer) error) error {
	if f.master == nil {
		return write(w)
	}
	sealed, err := sealedfs.SealTo(ctx, w, f.master)
	if err != nil {
		return err
	}
	return errors.Join(write(sealed), sealed.Close())
}

// whole writes a file under another name and gives it its own once it and its
// content are on disk.
func (f *Folder) whole(name string, write func(io.Writer) error) (err error) {
	temporary := name + unfinished
	if err := f.root.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := f.root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.root.Remove(temporary))
		}
	}()
	buffered := bufio.NewWriterSize(file, 1<<20)
	if err = write(buffered); err == nil {
		err = errors.Join(buffered.Flush(), file.Sync())
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err = f.root.Rename(temporary, name); err != nil {
		return err
	}
	return f.sync()
}

// sync makes the names in the folder durable.
func (f *Folder) sync() error {
	dir, err := f.root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Read hands the content of a backup, decrypted, to use.
func (f *Folder) Read(ctx context.Context, name string, use func(io.Reader) error) error {
	file, err := f.root.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	return Read(ctx, file, f.master, use)
}

// Read hands the content of a backup, decrypted with its key where it needs one,
// to use.
func Read(ctx context.Context, r io.Reader, master sealedfs.MasterKey, use func(io.Reader) error) error {
	buffered := bufio.NewReaderSize(r, 1<<20)
	if !sealedfs.Sealed(buffered) {
		return use(buffered)
	}
	if master == nil {
		return ErrEncrypted
	}
	plain, err := sealedfs.UnsealFrom(ctx, buffered, master)
	if err != nil {
		return err
	}
	return use(plain)
}

// Range tells what a backup holds. The one after it goes on from its end.
func (f *Folder) Range(ctx context.Context, name string) (Report, error) {
	report := Report{File: name}
	err := f.Read(ctx, name, func(r io.Reader) (err error) {
		report.Since, report.UpTo, err = embedded.BackupRange(r)
		return err
	})
	return report, err
}
