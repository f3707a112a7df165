package server

import (
	"context"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/job"
	"github.com/kaigofhir/kaigofhir/server/parameter"
	"github.com/kaigofhir/kaigofhir/server/store"
)

// Registries returns the search parameters of a server with that Config, for
// tools that check or explain its store: those that queries may use and those
// that what is stored has keys of. They are one and the same but while custom
// parameters are being indexed. Of the Config, Store, Jobs, BaseURL, Now,
// Definitions and NoFullText are used; nothing is written.
func Registries(ctx context.Context, cfg Config) (query, index *search.Registry, err error) {
	known, err := cfg.knowledge()
	if err != nil {
		return nil, nil, err
	}
	build := func(custom ...*fhir.Element) (*search.Registry, error) { return cfg.registry(known, custom...) }
	rekeyer, ok := cfg.Store.(store.Rekeyer)
	if !ok {
		query, err = build()
		return query, query, err
	}
	if cfg.Jobs == nil {
		cfg.Jobs = &job.Memory{}
	}
	_, err = parameter.New(ctx, parameter.Config{
		Store: cfg.Store, Rekeyer: rekeyer, Storage: cfg.Jobs, Log: cfg.Log, Build: build,
		Use: func(force, wanted *search.Registry) { query, index = force, wanted },
	})
	return query, index, err
}
