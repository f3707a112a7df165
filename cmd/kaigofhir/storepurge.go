package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

type storePurgeCommand struct {
	folderFlags
	Resources []string `arg:"" placeholder:"TYPE/ID" help:"Resources, deleted or not."`
	History   bool     `name:"history-only" help:"Keep the current version."`
	Confirm   bool     `name:"erase-for-good" help:"Do it. There is no way back, except from backups, which still hold them."`
}

// Run erases versions and everything made of them, then rewrites the files, so
// that no byte is left in the folder. Other resources that refer to them, the
// record of accesses among them, stay as they are.
func (c *storePurgeCommand) Run(a *app) error {
	keys := make([]store.Key, len(c.Resources))
	for i, text := range c.Resources {
		typ, id, ok := strings.Cut(text, "/")
		if !ok || typ == "" || id == "" || strings.Contains(id, "/") {
			return fmt.Errorf("%q is not of the form TYPE/ID", text)
		}
		keys[i] = store.Key{Type: typ, ID: id}
	}
	return c.with(a, !c.Confirm, func(e *embedded.Engine) error {
		for _, key := range keys { // all are there, or nothing is done
			if _, err := e.Read(a.ctx, key); err != nil && !errors.Is(err, store.ErrGone) {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		if !c.Confirm {
			return fmt.Errorf("nothing was erased: %d resources were found; repeat with --erase-for-good", len(keys))
		}
		n, err := e.Purge(a.ctx, !c.History, keys...)
		if err != nil {
			return err
		}
		if err := e.Compact(a.ctx); err != nil {
			return fmt.Errorf("%d versions were erased, but their bytes may still lie in the folder until compact: %w", n, err)
		}
		_, err = fmt.Fprintf(a.stdout, "%d versions erased\n", n)
		return err
	})
}
