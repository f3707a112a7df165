package main

import (
	"fmt"
	"io"
	"os"

	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

type storeRestoreCommand struct {
	folderFlags
	BackupKeyFile string   `name:"backup-key-file" type:"path" help:"Master key of the backups, where it is another one."`
	Files         []string `arg:"" type:"path" help:"Backups: a full one and, in their order, what was written --after."`
}

// Run adds the backups to a store that is empty or holds just what earlier ones
// brought. It can be interrupted and repeated.
func (c *storeRestoreCommand) Run(a *app) error {
	if c.BackupKeyFile == "" {
		c.BackupKeyFile = c.KeyFile
	}
	master, err := masterKey(c.BackupKeyFile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	return c.withNew(a, false, func(e *embedded.Engine) error {
		for _, path := range c.Files {
			err := readBackup(a.ctx, path, master, func(r io.Reader) error { return e.Restore(a.ctx, r) })
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		st, err := e.Status(a.ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.stdout, "%d resources, %d versions, up to change %d\n", st.Resources, st.Versions, st.Seq)
		return err
	})
}
