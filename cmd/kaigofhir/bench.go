package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/kaigofhir/kaigofhir/conformance/load"
)

type benchCommand struct {
	Base         string        `arg:"" help:"Base URL of a FHIR R4 server, such as http://127.0.0.1:8080/fhir."`
	Token        string        `help:"Bearer token, where the server wants one."`
	Patients     int           `default:"500" help:"Synthetic people."`
	Grow         []int         `placeholder:"N,…" help:"Instead of --patients: grow to each of these numbers of people and measure there."`
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
	Observations int           `json:"observations"`
	Connections  int           `json:"connections"`
	Results      []load.Result `json:"results"`
}

// Run measures a server and prints one JSON object; progress goes to standard
// error. It fails where a scenario had failures.
func (c *benchCommand) Run(a *app) error {
	sizes := []int{c.Patients}
	if len(c.Grow) > 0 {
		sizes = c.Grow
	}
	if !slices.IsSorted(sizes) || sizes[0] <= 0 {
		return fmt.Errorf("numbers of people must grow from 1 on, got %v", sizes)
	}
	r := load.Runner{
		Base: c.Base, Token: c.Token, Connections: c.Connections, Duration: c.Duration, PID: c.PID,
		Data:   load.Data{Seed: c.Seed, Observations: c.Observations},
		Client: load.Client(c.Connections),
	}
	report := benchReport{Base: c.Base, Seed: c.Seed, Observations: c.Observations, Connections: c.Connections}
	failed, have := false, 0
	note := func(res load.Result) {
		report.Results = append(report.Results, res)
		failed = failed || res.Failures > 0
		c.print(a.stderr, res)
	}
	for _, n := range sizes {
		r.Data.Patients = n
		if c.wants("import") {
			note(r.Import(a.ctx, have))
		}
		have = n
		if err := c.measure(a.ctx, r, note); err != nil {
			return err
		}
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

// measure runs the scenarios that are wanted.
func (c *benchCommand) measure(ctx context.Context, r load.Runner, note func(load.Result)) error {
	for _, s := range load.Scenarios() {
		if ctx.Err() != nil || !c.wants(s.Name) {
			continue
		}
		res := r.Run(ctx, s)
		if c.Bare && !s.Writes && res.Failures == 0 {
			bare, err := bareRate(ctx, r, s)
			if err != nil {
				return err
			}
			res.Bare, res.Ratio = bare.Rate, res.Rate/bare.Rate
		}
		note(res)
	}
	return nil
}

func (c *benchCommand) print(w io.Writer, res load.Result) {
	if len(c.Grow) > 0 {
		fmt.Fprintf(w, "%8d people  ", res.Patients)
	}
	fmt.Fprintf(w, "%-26s %9.0f/s  p50 %7.2f ms  p95 %7.2f ms  p99 %7.2f ms", res.Name, res.Rate, res.P50, res.P95, res.P99)
	if res.ResourceRate > 0 {
		fmt.Fprintf(w, "  %.0f resources/s", res.ResourceRate)
	}
	if res.SettleSeconds > 0 {
		fmt.Fprintf(w, "  at rest after %.1f s", res.SettleSeconds)
	}
	if res.Bare > 0 {
		fmt.Fprintf(w, "  %3.0f %% of bare", 100*res.Ratio)
	}
	fmt.Fprintf(w, "  %d failures %s\n", res.Failures, res.Failure)
}

func (c *benchCommand) wants(name string) bool {
	return len(c.Only) == 0 || slices.Contains(c.Only, name)
}
