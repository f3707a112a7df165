package server

import (
	"errors"

	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/interaction"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/operation"
	"github.com/kaigofhir/kaigofhir/server/policy"
	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/upkeep"
)

// upkeepWork is what operators may have done to the store while the server
// runs; nil where its engine cannot do it or nothing was set up for it.
type upkeepWork struct {
	purges  *upkeep.Purges
	backups *upkeep.Backups
}

// upkeep sets the work up. eraser is the store again, as far as it can erase.
func (cfg *Config) upkeep(eraser store.Eraser, recorder interaction.Recorder, pol *policy.Policy) (upkeepWork, []operation.Operation, error) {
	var work upkeepWork
	var list []operation.Operation
	desk := &operation.Desk{Recorder: recorder, Now: cfg.Now}
	if eraser != nil {
		joiner, ok := recorder.(interaction.Joiner)
		if recorder != nil && !ok {
			return work, nil, errors.New("server: an erasure needs a record of accesses that joins transactions")
		}
		e := &upkeep.Eraser{Store: cfg.Store, Engine: eraser, Recorder: joiner, CatchUp: pol.CatchUp, Now: cfg.Now}
		work.purges = &upkeep.Purges{Eraser: e, Results: []string{api.AsyncKind}, Forget: pol.Rebuild}
		list = append(list, operation.Purge(desk, e))
	}
	if cfg.Backups != nil {
		work.backups = cfg.Backups
		list = append(list, operation.Backup(desk, cfg.Backups))
	}
	return work, list, nil
}

// kinds adds the kinds of its jobs. A job that no kind is there for any more,
// because the server was started differently, fails.
func (w *upkeepWork) kinds(kinds map[string]job.Kind) {
	if w.purges != nil {
		kinds[upkeep.Purge] = w.purges.Kind()
	}
	if w.backups != nil {
		kinds[upkeep.Backup] = w.backups.Kind()
	}
}
