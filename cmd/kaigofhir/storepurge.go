package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

type storePurgeCommand struct {
	folderFlags
	Resources []string `arg:"" placeholder:"TYPE/ID" help:"Resources, deleted or not."`
	History   bool     `name:"history-only" help:"Keep the current version."`
	Confirm   bool     `name:"erase-for-good" help:"Do it. There is no way back, except from backups, which still hold them."`
}

// Run erases versions and everything made of them, then rewrites the files, so
// that no byte is left in the store. The record of accesses tells of it. Other
// resources that refer to them, that record among them, stay as they are. Of a
// running server, $purge does the same.
func (c *storePurgeCommand) Run(a *app) error {
	keys := make([]store.Key, len(c.Resources))
	for i, text := range c.Resources {
		typ, id, ok := strings.Cut(text, "/")
		if !ok || typ == "" || id == "" || strings.Contains(id, "/") {
			return fmt.Errorf("%q is not of the form TYPE/ID", text)
		}
		keys[i] = store.Key{Type: typ, ID: id}
	}
	err := c.with(a, !c.Confirm, func(e *embedded.Engine) error {
		missing, err := (&upkeep.Eraser{Store: e}).Missing(a.ctx, keys)
		switch {
		case err != nil:
			return err
		case len(missing) > 0: // all are there, or nothing is done
			return fmt.Errorf("%s: %w", missing[0], store.ErrNotFound)
		case !c.Confirm:
			return fmt.Errorf("nothing was erased: %d resources were found; repeat with --erase-for-good", len(keys))
		}
		n, err := c.erase(a, e, keys)
		if err != nil {
			return err
		}
		if err := e.Compact(a.ctx); err != nil {
			return fmt.Errorf("%d versions were erased, but their bytes may still lie in the folder until compact: %w", n, err)
		}
		_, err = fmt.Fprintf(a.stdout, "%d versions erased\n", n)
		return err
	})
	if errors.Is(err, embedded.ErrInUse) {
		return a.inUse(c.Data, "$purge")
	}
	return err
}

// erase erases as the operator of this command, with the same record as the
// running server keeps.
func (c *storePurgeCommand) erase(a *app, e *embedded.Engine, keys []store.Key) (n int, err error) {
	jobs, err := c.jobs(a)
	if err != nil {
		return 0, err
	}
	_, index, err := (&searchFlags{}).registries(a, e, jobs)
	if err != nil {
		return 0, err
	}
	pol, err := policy.New(e, policy.WithClock(a.now))
	if err != nil {
		return 0, err
	}
	trail, err := audit.New(a.ctx, audit.Config{Store: e, Index: index.Keys, Now: a.now, NewID: uuid.NewString})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, trail.Close()) }()
	eraser := &upkeep.Eraser{Store: e, Engine: e, Recorder: audit.NewRecorder(trail, pol, e), Now: a.now,
		CatchUp: func(context.Context) error { return nil }} // nobody else follows the changes
	order := upkeep.Order{Keys: keys, HistoryOnly: c.History, Caller: policy.Caller{Client: "kaigofhir store purge", Kind: policy.Operator, Unrestricted: true}}
	n, err = eraser.Erase(a.ctx, order, 0, func(int) error { return nil })
	return n, errors.Join(err, job.ForgetEnded(jobs, api.AsyncKind)) // results may hold what was erased
}
