package main

import (
	"errors"
	"fmt"

	"github.com/kaigofhir/kaigofhir/server/store"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

type storeFsckCommand struct {
	folderFlags
	searchFlags
}

// Run reads the whole store: pointers, history and index against the versions
// and the other way, and the index keys against those made anew from the
// content. It prints a report as JSON; the exit status is 0 only where nothing
// is wrong.
func (c *storeFsckCommand) Run(a *app) error {
	return c.with(a, true, func(e *embedded.Engine) error {
		jobs, err := c.jobs(a)
		if err != nil {
			return err
		}
		query, registry, err := c.registries(a, e, jobs)
		if err != nil {
			return err
		}
		if query != registry {
			fmt.Fprintln(a.stderr, "the index is not made to the end (custom search parameters, contained resources): resources without its keys are reported")
		}
		report, err := e.Check(a.ctx, func(v store.Version) ([][]byte, error) { return indexKeys(registry, v) })
		if err := errors.Join(err, a.printJSON(report)); err != nil {
			return err
		}
		if !report.Clean() {
			return exitStatus(1)
		}
		return nil
	})
}
