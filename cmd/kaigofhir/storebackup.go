package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/server/store/backup"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

type storeBackupCommand struct {
	folderFlags
	File  string `arg:"" type:"path" help:"New file. That of an encrypted store is encrypted under the same master key."`
	After string `type:"path" placeholder:"FILE" help:"Write only what is newer than this earlier backup."`
}

// Run writes the versions with their times, numbers and index keys. Keys of
// tokens and paging links and the jobs of the data folder are no part of it. Of
// a running server, $backup writes the same.
func (c *storeBackupCommand) Run(a *app) error {
	master, err := masterKey(c.KeyFile)
	if err != nil {
		return err
	}
	var since uint64
	if c.After != "" {
		if since, err = endOfBackup(a.ctx, c.After, master); err != nil {
			return fmt.Errorf("%s: %w", c.After, err)
		}
	}
	var report backup.Report
	err = c.with(a, true, func(e *embedded.Engine) error {
		folder, err := backup.Open(filepath.Dir(c.File), master)
		if err != nil {
			return err
		}
		defer folder.Close() //nolint:errcheck // nothing is lost
		report, err = folder.Write(a.ctx, e, filepath.Base(c.File), since, nil)
		return err
	})
	switch {
	case errors.Is(err, embedded.ErrInUse):
		return a.inUse(c.Data, "$backup")
	case errors.Is(err, embedded.ErrErased):
		return a.tell(err, fhir.Messagef("records were erased since %s, which still holds them; make a whole backup, without --after",
			"%s の後に消去された記録があります。--after を指定せず、全体のバックアップを作成してください", c.After))
	case errors.Is(err, backup.ErrExists):
		return fmt.Errorf("%s exists", c.File)
	case err != nil:
		return err
	}
	report.File = c.File
	return a.printJSON(report)
}

// readBackup opens a backup, encrypted or not.
func readBackup(ctx context.Context, path string, master sealedfs.MasterKey, use func(io.Reader) error) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	err = backup.Read(ctx, file, master, use)
	if errors.Is(err, backup.ErrEncrypted) {
		return errors.New("the backup is encrypted: give its --key-file")
	}
	return err
}

func endOfBackup(ctx context.Context, path string, master sealedfs.MasterKey) (upTo uint64, err error) {
	err = readBackup(ctx, path, master, func(r io.Reader) (err error) {
		_, upTo, err = embedded.BackupRange(r)
		return err
	})
	return upTo, err
}
