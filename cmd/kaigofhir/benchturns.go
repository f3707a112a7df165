package main

import (
	"fmt"

	"github.com/kaigofhir/kaigofhir/conformance/load"
)

// inTurns measures two servers, the first with --patients people, the second
// with each of sizes. Both are filled first; then they take turns at each
// scenario and, where all is there, at the import of as many people again.
func (c *benchCommand) inTurns(a *app, sizes []int, report *benchReport) {
	first, second := c.runner(c.Base, c.PID), c.runner(c.Against, c.AgainstPID)
	compare := func(one, other func() load.Result) {
		if a.ctx.Err() == nil {
			c.compared(a, report, load.Compare(c.Rounds, one, other))
		}
	}
	c.fill(a, &first, c.Patients, report)
	for _, n := range sizes {
		c.fill(a, &second, n, report)
		for _, s := range load.Scenarios() {
			if c.wants(s.Name) {
				compare(func() load.Result { return first.Run(a.ctx, s) }, func() load.Result { return second.Run(a.ctx, s) })
			}
		}
	}
	if c.wants("import") {
		more := func(r *load.Runner) load.Result {
			from := r.Data.Patients
			r.Data.Patients += c.Patients
			return r.Import(a.ctx, from)
		}
		compare(func() load.Result { return more(&first) }, func() load.Result { return more(&second) })
	}
}

// compared notes a comparison and tells it to people.
func (c *benchCommand) compared(a *app, report *benchReport, one load.Comparison) {
	report.Comparisons = append(report.Comparisons, one)
	report.failed = report.failed || one.First.Failures+one.Second.Failures > 0
	c.print(a.stderr, one.First)
	c.print(a.stderr, one.Second)
	fmt.Fprintf(a.stderr, "%16s%-26s rate x %.2f  p50 x %.2f  p95 x %.2f\n", "", one.Name, one.RateRatio, one.P50Ratio, one.P95Ratio)
}
