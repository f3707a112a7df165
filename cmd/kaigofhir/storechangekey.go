package main

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kaigofhir/kaigofhir/server/store/embedded/sealedfs"
)

type storeChangeKeyCommand struct {
	Data       string `required:"" type:"path" env:"KAIGOFHIR_DATA" help:"Data folder; its server may run, and needs the new key at its next start."`
	KeyFile    string `required:"" name:"key-file" type:"path" env:"KAIGOFHIR_KEY_FILE" help:"Master key so far."`
	NewKeyFile string `required:"" name:"new-key-file" type:"path" help:"Master key from now on."`
}

// Run wraps the keys of the folder anew: no record is rewritten. Backups keep
// the key they were written under.
func (c *storeChangeKeyCommand) Run(a *app) error {
	from, err1 := masterKey(c.KeyFile)
	to, err2 := masterKey(c.NewKeyFile)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	return sealedfs.ChangeMaster(a.ctx, vfs.Default, storeFolder(c.Data), from, to)
}
