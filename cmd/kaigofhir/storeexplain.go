package main

import (
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir/search"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

type storeExplainCommand struct {
	folderFlags
	searchFlags
	Search string `arg:"" placeholder:"TYPE?QUERY" help:"Search as in a URL, such as 'Observation?patient=Patient/1&_sort=-date'."`
}

// explainCount is the page size where the search asks for none, as in the API.
const explainCount = 50

// Run runs the search once, unrestricted, as the server runs one of an
// operator.
func (c *storeExplainCommand) Run(a *app) error {
	registry, err := c.registry(a)
	if err != nil {
		return err
	}
	typ, query, _ := strings.Cut(c.Search, "?")
	req, err := registry.Parse(typ, query)
	if err != nil {
		return err
	}
	if len(req.Unknown) > 0 {
		return fmt.Errorf("unknown search parameters: %s", strings.Join(req.Unknown, ", "))
	}
	q := req.Query
	q.Must = search.Must{Unrestricted: true}
	if typ != "" {
		q.Types = []string{typ}
	}
	if !req.Directives.CountGiven {
		q.Count = explainCount
	}
	if !req.Directives.TotalGiven {
		q.Total = search.TotalAccurate
	}
	return c.with(a, true, func(e *embedded.Engine) error {
		text, err := e.Explain(a.ctx, q)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(a.stdout, text)
		return err
	})
}
