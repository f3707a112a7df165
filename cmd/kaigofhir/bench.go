package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/conformance/load"
)

type benchCommand struct {
	Base         string        `arg:"" help:"Base URL of a FHIR R4 server, such as http://127.0.0.1:8080/fhir."`
	Token        string        `help:"Bearer token, where the server wants one."`
	Patients     int           `default:"500" help:"Synthetic people."`
	Observations int           `default:"40" help:"Observations for each of them."`
	Seed         uint64        `default:"1" help:"Seed of the data; the same seed gives the same data."`
	Connections  int           `default:"16" help:"Connections at the same time."`
	Duration     time.Duration `default:"5s" help:"Time for each scenario."`
	Only         []string      `help:"Names of the scenarios to run; all where none is given. 'import' loads the data."`
	Bare         bool          `help:"Measure, after each reading scenario, a bare handler that returns the same bytes, and print the ratio."`
	PID          int           `name:"pid" help:"Process of the server on this machine, for its CPU and memory."`
}

// benchReport is what bench prints as JSON.
type benchReport struct {
	Base         string        `json:"base"`
	Seed         uint64        `json:"seed"`
	Patients     int           `json:"patients"`
	Observations int           `json:"observations"`
	Connections  int           `json:"connections"`
	Results      []load.Result `json:"results"`
}

// Run measures a server and prints one JSON object; progress goes to standard
// error. It fails where a scenario had failures.
func (c *benchCommand) Run(a *app) error {
	r := load.Runner{
		Base: c.Base, Token: c.Token, Connections: c.Connections, Duration: c.Duration, PID: c.PID,
		Data:   load.Data{Seed: c.Seed, Patients: c.Patients, Observations: c.Observations},
		Client: load.Client(c.Connections),
	}
	report := benchReport{Base: c.Base, Seed: c.Seed, Patients: c.Patients, Observations: c.Observations, Connections: c.Connections}
	failed := false
	note := func(res load.Result) {
		report.Results = append(report.Results, res)
		failed = failed || res.Failures > 0
		fmt.Fprintf(a.stderr, "%-26s %9.0f/s  p50 %7.2f ms  p99 %7.2f ms", res.Name, res.Rate, res.P50, res.P99)
		if res.Bare > 0 {
			fmt.Fprintf(a.stderr, "  %3.0f %% of bare", 100*res.Ratio)
		}
		fmt.Fprintf(a.stderr, "  %d failures %s\n", res.Failures, res.Failure)
	}
	if c.wants("import") {
		note(r.Import(a.ctx))
	}
	for _, s := range load.Scenarios() {
		if a.ctx.Err() != nil || !c.wants(s.Name) {
			continue
		}
		res := r.Run(a.ctx, s)
		if c.Bare && !s.Writes && res.Failures == 0 {
			bare, err := bareRate(a.ctx, r, s)
			if err != nil {
				return err
			}
			res.Bare, res.Ratio = bare.Rate, res.Rate/bare.Rate
		}
		note(res)
	}
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(report); err != nil {
		return err
	}
	if failed {
		return exitStatus(1)
	}
	return a.ctx.Err()
}

func (c *benchCommand) wants(name string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, name)
}
