package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/copy"
)

type storeCommand struct {
	Copy      storeCopyCommand      `cmd:"" help:"Copy a store to another engine, all versions kept, and compare."`
	Fsck      storeFsckCommand      `cmd:"" help:"Check every record and index entry against each other."`
	Backup    storeBackupCommand    `cmd:"" help:"Write all versions, or those since another backup, to a file."`
	Restore   storeRestoreCommand   `cmd:"" help:"Fill an empty store from backups."`
	Compact   storeCompactCommand   `cmd:"" help:"Rewrite all files: what was removed is gone from the disk."`
	Purge     storePurgeCommand     `cmd:"" help:"Erase resources with all their versions, for good."`
	Explain   storeExplainCommand   `cmd:"" help:"Run a search and tell how it was done."`
	ChangeKey storeChangeKeyCommand `cmd:"" name:"change-key" help:"Give an encrypted store another master key."`
}

type storeCopyCommand struct {
	searchFlags
	From         string `arg:"" help:"Data folder of a server that is not running, or mongodb://…"`
	To           string `arg:"" help:"Data folder, made where it does not exist, or mongodb://…"`
	Batch        int    `default:"500" help:"Versions imported at once."`
	FromKeyFile  string `name:"from-key-file" type:"path" help:"Master key of FROM, where it is encrypted."`
	ToKeyFile    string `name:"to-key-file" type:"path" help:"Master key of TO, which is or becomes encrypted."`
	CompareOnly  bool   `name:"compare-only" help:"Copy nothing, only compare."`
	SingleWrites bool   `name:"single-writes" env:"KAIGOFHIR_SINGLE_WRITES" help:"Accept a MongoDB without transactions (for trials)."`
}

// Run copies what TO lacks and compares everything; it can be interrupted and
// repeated. Progress goes to the standard error, the report, as JSON, to the
// standard output. The exit status is 0 only if both are the same.
func (c *storeCopyCommand) Run(a *app) (err error) {
	source := placeOf(c.From)
	source.readOnly, source.mustExist, source.singleWrites, source.now = true, true, c.SingleWrites, a.now
	if source.master, err = masterKey(c.FromKeyFile); err != nil {
		return err
	}
	from, err := source.open(a.ctx)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	target := placeOf(c.To)
	target.singleWrites, target.mustExist, target.now = c.SingleWrites, c.CompareOnly, a.now
	if target.master, err = masterKey(c.ToKeyFile); err != nil {
		return err
	}
	to, err := target.open(a.ctx)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, registry, err := c.registries(a, from, nil)
	if err != nil {
		return err
	}
	job := copy.Job{
		From: from, To: to, Batch: c.Batch, Progress: a.copyProgress(),
		Keys: func(v store.Version) ([][]byte, error) { return indexKeys(registry, v) },
	}
	report, err := c.do(a, job)
	if errors.Is(err, context.Canceled) {
		return a.tell(err, fhir.Messagef("interrupted: what was copied is kept, the same command goes on with it",
			"中断しました。コピー済みの内容は保存されており、同じコマンドで続きから再開できます"))
	}
	if err != nil {
		return err
	}
	out, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.stdout, string(out))
	return err
}

func (c *storeCopyCommand) do(a *app, job copy.Job) (copy.Report, error) {
	if !c.CompareOnly {
		return job.Run(a.ctx)
	}
	st, err := job.From.Status(a.ctx)
	if err != nil {
		return copy.Report{}, err
	}
	return job.Compare(a.ctx, st.Seq)
}

// indexKeys makes the index keys of a stored resource anew.
func indexKeys(registry *search.Registry, v store.Version) ([][]byte, error) {
	resource, err := fhirjson.Decode(v.JSON, fhirjson.Options{})
	if err != nil {
		return nil, err
	}
	return registry.Keys(resource)
}

// progressEvery is the time between two lines of progress.
const progressEvery = time.Second

// copyProgress writes at most one line a second.
func (a *app) copyProgress() func(copy.Progress) {
	var last time.Time
	return func(p copy.Progress) {
		now := a.now()
		if now.Sub(last) < progressEvery && p.Seq != p.Of {
			return
		}
		last = now
		doing := "copied"
		if p.Comparing {
			doing = "compared"
		}
		fmt.Fprintf(a.stderr, "%s %d versions, change %d of %d\n", doing, p.Versions, p.Seq, p.Of)
	}
}
