package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check that the record of accesses was not tampered with."`
}

type auditVerifyCommand struct {
	folderFlags
	Heads string `type:"path" help:"A report of an earlier run: finds also what was cut off at the end since."`
}

// Run prints the report as JSON, its heads to be kept elsewhere and given back
// with --heads the next time. The exit status is 0 only for a sound record.
func (c *auditVerifyCommand) Run(a *app) error {
	var earlier audit.Report
	if c.Heads != "" {
		data, err := os.ReadFile(c.Heads)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &earlier); err != nil {
			return fmt.Errorf("%s is no report of audit verify: %w", c.Heads, err)
		}
	}
	return c.with(a, true, func(e *embedded.Engine) error {
		report, err := audit.Verify(a.ctx, e, earlier.Heads...)
		if err != nil {
			return err
		}
		if err := a.printJSON(report); err != nil {
			return err
		}
		if !report.Sound() {
			return exitStatus(1)
		}
		return nil
	})
}
