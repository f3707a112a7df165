package server

import (
	"fmt"

	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/parameter"
)

// startJobs starts the work that takes longer than a request, and goes on with
// what a stop interrupted.
func (s *Server) startJobs(cfg *Config, handler *api.API) error {
	kinds := map[string]job.Kind{api.AsyncKind: handler.AsyncRequests(), parameter.Kind: s.custom.keeper.Reindex()}
	s.upkeep.kinds(kinds)
	var err error
	s.jobs, err = job.New(job.Config{Storage: cfg.Jobs, Now: cfg.Now, NewID: cfg.NewID, Log: cfg.Log, Kinds: kinds})
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	handler.SetJobs(s.jobs)
	s.custom.keeper.Start(s.jobs)
	return nil
}
