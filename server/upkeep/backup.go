// Package upkeep is what an operator does to the store of a running server:
// backups and erasures, each a stored job that is told of, cancelled and goes
// on after a restart. Operations of package operation start them; who may is
// decided there.
package upkeep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/store/backup"
)

// Backup is the name of the operation that writes a backup, and of its jobs.
const Backup = "backup"

// Backups are the jobs that write backups of a store into a folder.
type Backups struct {
	Folder *backup.Folder
	Source backup.Source
}

// BackupOrder says which backup to write.
type BackupOrder struct {
	Name  string `json:"name"`
	Since uint64 `json:"since"` // 0: everything
}

// Kind returns how the jobs are run. One that was interrupted writes its file
// from the beginning, unless that was whole already.
func (b *Backups) Kind() job.Kind {
	return job.Kind{Run: b.run, Again: func(job.Job) bool { return true }}
}

func (b *Backups) run(ctx context.Context, t *job.Task) ([]byte, error) {
	var order BackupOrder
	if err := json.Unmarshal(t.Payload, &order); err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	report, err := b.write(ctx, t, order)
	if err != nil {
		return nil, err
	}
	r := fhir.NewResource("Parameters")
	add := func(name, property, value string) { r.Add("parameter").Set("name", name).Set(property, value) }
	add("name", "valueString", report.File)
	add("since", "valueDecimal", strconv.FormatUint(report.Since, 10))
	add("up-to", "valueDecimal", strconv.FormatUint(report.UpTo, 10))
	return fhirjson.Append(nil, r), nil
}

func (b *Backups) write(ctx context.Context, t *job.Task, order BackupOrder) (backup.Report, error) {
	begun := t.Mark != nil
	if err := t.SetMark(true); err != nil {
		return backup.Report{}, err
	}
	report, err := b.Folder.Write(ctx, b.Source, order.Name, order.Since, func(done, of uint64) { t.Progress(int64(done), int64(of)) })
	if begun && errors.Is(err, backup.ErrExists) {
		return b.Folder.Range(ctx, order.Name)
	}
	return report, err
}
