package main

import (
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
	Bare         bool          `xor:"yardstick" help:"Measure, after each reading scenario, a bare handler that returns the same bytes, and print the ratio."`
	PID          int           `name:"pid" help:"Process of the server on this machine, for its CPU and memory."`
	Against      string        `xor:"yardstick" placeholder:"URL" help:"A second server, measured in turns with the first: a machine that gets slower does so for both. --grow is then its numbers of people."`
	AgainstPID   int           `name:"against-pid" help:"Process of the second server."`
	Rounds       int           `default:"5" help:"Turns with --against; ratios are medians over them."`
}

// benchReport is what bench prints as JSON.
type benchReport struct {
	Base         string        `json:"base"`
	Seed         uint64        `json:"seed"`
	Observations int           `json:"observations"`
	Connections  int           `json:"connections"`
	Results      []load.Result `json:"results"`
	// Against is the second server, if there is one.
	Against     string            `json:"against,omitempty"`
	Comparisons []load.Comparison `json:"comparisons,omitempty"`

	failed bool
}

// note takes a result and tells it to people.
func (c *benchCommand) note(a *app, report *benchReport, res load.Result) {
	report.Results = append(report.Results, res)
	report.failed = report.failed || res.Failures > 0
	c.print(a.stderr, res)
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
	if c.Rounds < 1 {
		return fmt.Errorf("there must be a round at least, got %d", c.Rounds)
	}
	report := &benchReport{Base: c.Base, Seed: c.Seed, Observations: c.Observations, Connections: c.Connections, Against: c.Against}
	if c.Against != "" {
		c.inTurns(a, sizes, report)
	} else if err := c.alone(a, sizes, report); err != nil {
		return err
	}
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(report); err != nil {
		return err
	}
	if report.failed {
		return exitStatus(1)
	}
	return a.ctx.Err()
}

func (c *benchCommand) runner(base string, pid int) load.Runner {
	return load.Runner{
		Base: base, Token: c.Token, Connections: c.Connections, Duration: c.Duration, PID: pid,
		Data:   load.Data{Seed: c.Seed, Observations: c.Observations},
		Client: load.Client(c.Connections),
	}
}

// alone measures one server.
func (c *benchCommand) alone(a *app, sizes []int, report *benchReport) error {
	r := c.runner(c.Base, c.PID)
	for _, n := range sizes {
		c.fill(a, &r, n, report)
		if err := c.measure(a, r, report); err != nil {
			return err
		}
	}
	return nil
}

// fill brings a server to a number of people, or takes it that they are there.
func (c *benchCommand) fill(a *app, r *load.Runner, people int, report *benchReport) {
	from := r.Data.Patients
	r.Data.Patients = people
	if c.wants("import") && a.ctx.Err() == nil {
		c.note(a, report, r.Import(a.ctx, from))
	}
}

// measure runs the scenarios that are wanted.
func (c *benchCommand) measure(a *app, r load.Runner, report *benchReport) error {
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
		c.note(a, report, res)
	}
	return nil
}

func (c *benchCommand) print(w io.Writer, res load.Result) {
	if len(c.Grow) > 0 || c.Against != "" {
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
