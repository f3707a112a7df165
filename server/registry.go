package server

import "github.com/kaigofhir/kaigofhir/fhir/search"

// Registry returns the search parameters of a server with that Config, for
// tools that check or explain its store. Of the Config, BaseURL, Now,
// Definitions and NoFullText are used.
func Registry(cfg Config) (*search.Registry, error) {
	known, err := cfg.knowledge()
	if err != nil {
		return nil, err
	}
	return cfg.registry(known)
}
