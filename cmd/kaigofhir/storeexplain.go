package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/kaigofhir/kaigofhir/fhir"
	"github.com/kaigofhir/kaigofhir/fhir/fhirjson"
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
	return c.with(a, true, func(e *embedded.Engine) error {
		q, err := c.query(a, e)
		if err != nil {
			return err
		}
		text, err := e.Explain(a.ctx, q)
		if err != nil {
			return err
		}
		_, err = fmt.Fprint(a.stdout, text)
		return err
	})
}

// query reads the search with the parameters of the store.
func (c *storeExplainCommand) query(a *app, e *embedded.Engine) (search.Query, error) {
	jobs, err := c.jobs(a)
	if err != nil {
		return search.Query{}, err
	}
	registry, _, err := c.registries(a, e, jobs)
	if err != nil {
		return search.Query{}, err
	}
	typ, query, _ := strings.Cut(c.Search, "?")
	req, err := registry.With(find(a, e)).Parse(typ, query)
	if err != nil {
		return search.Query{}, err
	}
	if len(req.Unknown) > 0 {
		return search.Query{}, fmt.Errorf("unknown search parameters: %s", strings.Join(req.Unknown, ", "))
	}
	q := req.Query
	if typ != "" {
		q.Types = []string{typ}
	}
	if req.Directives.LooksInside() {
		if !registry.FindsContained() {
			return search.Query{}, errors.New("contained resources are not indexed to the end: start the server first")
		}
		if q, err = registry.ContainedQuery(&req, nil); err != nil {
			return search.Query{}, err
		}
	}
	q.Must = search.Must{Unrestricted: true}
	if !req.Directives.CountGiven {
		q.Count = explainCount
	}
	if !req.Directives.TotalGiven {
		q.Total = search.TotalAccurate
	}
	return q, nil
}

// find answers what criteria draw on, such as stored value sets.
func find(a *app, e *embedded.Engine) search.Find {
	return func(q search.Query) ([]*fhir.Element, error) {
		q.Must, q.Total = search.Must{Unrestricted: true}, search.TotalNone
		page, err := e.Search(a.ctx, q)
		if err != nil {
			return nil, err
		}
		list := make([]*fhir.Element, len(page.Versions))
		for i, v := range page.Versions {
			if list[i], err = fhirjson.Decode(v.JSON, fhirjson.Options{MaxBytes: len(v.JSON) + 1}); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
}
