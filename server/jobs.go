package server

import (
	"fmt"

	"github.com/kaigofhir/kaigofhir/server/api"
	"github.com/kaigofhir/kaigofhir/server/job"
)

// startJobs starts the work that takes longer than a request, and goes on with
// what a stop interrupted.
func (s *Server) startJobs(cfg *Config, handler *api.API) error {
	storage := cfg.Jobs
	if storage == nil {
		storage = &job.Memory{}
	}
	var err error
	s.jobs, err = job.New(job.Config{
		Storage: storage, Now: cfg.Now, NewID: cfg.NewID, Log: cfg.Log,
		Kinds: map[string]job.Kind{api.AsyncKind: handler.AsyncRequests()},
	})
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	handler.SetJobs(s.jobs)
	return nil
}
