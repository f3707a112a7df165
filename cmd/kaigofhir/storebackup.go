package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

type storeBackupCommand struct {
	folderFlags
	File  string `arg:"" type:"path" help:"New file. That of an encrypted store is encrypted under the same master key."`
	After string `type:"path" placeholder:"FILE" help:"Write only what is newer than this earlier backup."`
}

// backupReport is what backup prints.
type backupReport struct {
	File  string `json:"file"`
	Since uint64 `json:"since"` // the backup holds the changes after this
	UpTo  uint64 `json:"upTo"`
}

// Run writes the versions with their times, numbers and index keys. Keys of
// tokens and paging links and the jobs of the data folder are no part of it.
func (c *storeBackupCommand) Run(a *app) error {
	master, err := masterKey(c.KeyFile)
	if err != nil {
		return err
	}
	report := backupReport{File: c.File}
	if c.After != "" {
		if report.Since, err = endOfBackup(a.ctx, c.After, master); err != nil {
			return fmt.Errorf("%s: %w", c.After, err)
		}
	}
	err = c.with(a, true, func(e *embedded.Engine) error {
		return newFile(c.File, func(w io.Writer) error {
			return sealing(a.ctx, w, master, func(w io.Writer) (err error) {
				report.UpTo, err = e.Backup(a.ctx, w, report.Since)
				return err
			})
		})
	})
	if err != nil {
		return err
	}
	return a.printJSON(report)
}

// sealing lets f write encrypted where there is a key.
func sealing(ctx context.Context, w io.Writer, master sealedfs.MasterKey, f func(io.Writer) error) error {
	if master == nil {
		return f(w)
	}
	sealed, err := sealedfs.SealTo(ctx, w, master)
	if err != nil {
		return err
	}
	return errors.Join(f(sealed), sealed.Close())
}

// newFile writes a file that must not exist yet, whole or not at all.
func newFile(path string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s exists", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "*.tmp") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	buffered := bufio.NewWriterSize(f, 1<<20)
	if err = write(buffered); err == nil {
		err = errors.Join(buffered.Flush(), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// readBackup opens a backup, encrypted or not.
func readBackup(ctx context.Context, path string, master sealedfs.MasterKey, f func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewReaderSize(file, 1<<20)
	if !sealedfs.Sealed(buffered) {
		return f(buffered)
	}
	if master == nil {
		return errors.New("the backup is encrypted: give its --key-file")
	}
	plain, err := sealedfs.UnsealFrom(ctx, buffered, master)
	if err != nil {
		return err
	}
	return f(plain)
}

func endOfBackup(ctx context.Context, path string, master sealedfs.MasterKey) (upTo uint64, err error) {
	err = readBackup(ctx, path, master, func(r io.Reader) (err error) {
		_, upTo, err = embedded.BackupRange(r)
		return err
	})
	return upTo, err
}
