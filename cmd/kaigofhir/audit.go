package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/kaigofhir/kaigofhir/server/audit"
	"github.com/kaigofhir/kaigofhir/server/store/embedded"
)

type auditCommand struct {
	Verify auditVerifyCommand `cmd:"" help:"Check that the record of accesses was not tampered with."`
}

type auditVerifyCommand struct {
	Data    string `required:"" type:"path" help:"Data folder of a server that is not running."`
	KeyFile string `name:"key-file" type:"path" env:"KAIGOFHIR_KEY_FILE" help:"Master key of an encrypted data folder."`
	Heads   string `type:"path" help:"A report of an earlier run: finds also what was cut off at the end since."`
}

// Run prints the report as JSON, its heads to be kept elsewhere and given back
// with --heads the next time. The exit status is 0 only for a sound record.
func (c *auditVerifyCommand) Run(a *app) (err error) {
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
	master, err := masterKey(c.KeyFile)
	if err != nil {
		return err
	}
	folder := storeFolder(c.Data)
	if _, err := os.Stat(folder); err != nil {
		return err
	}
	st, err := embedded.Open(folder, embedded.Options{ReadOnly: true, Master: master})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	report, err := audit.Verify(a.ctx, st, earlier.Heads...)
	if err != nil {
		return err
	}
	out, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(a.stdout, string(out)); err != nil {
		return err
	}
	if !report.Sound() {
		return exitStatus(1)
	}
	return nil
}
