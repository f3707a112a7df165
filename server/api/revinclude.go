package api

import (
	"sync"

	"github.com/kaigofhir/kaigofhir/fhir/r4"
)

// revIncludes returns, for each resource type, the "Source:param" that may
// refer to it.
var revIncludes = sync.OnceValue(func() map[string][]string {
	m := map[string][]string{}
	for _, source := range r4.ResourceTypes() {
		for _, sp := range r4.SearchParameters(source) {
			if sp.Type != "reference" {
				continue
			}
			for _, target := range sp.Target {
				m[target] = append(m[target], source+":"+sp.Code)
			}
		}
	}
	return m
})
