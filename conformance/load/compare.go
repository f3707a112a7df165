package load

import (
	"cmp"
	"slices"
)

// Comparison is what two servers showed in turns, so that a machine that gets
// faster or slower does so for both.
type Comparison struct {
	Name   string `json:"name"`
	Rounds int    `json:"rounds"`
	// Rates and latencies of First and Second are medians of the rounds, requests,
	// failures, seconds and CPU are sums, memory is that after the last.
	First  Result `json:"first"`
	Second Result `json:"second"`
	// Ratios of the second server to the first, each the median of those of the
	// rounds; 0 where nothing succeeded.
	RateRatio float64 `json:"rateRatio"`
	P50Ratio  float64 `json:"p50Ratio"`
	P95Ratio  float64 `json:"p95Ratio"`
}

// Compare measures both servers in each round, and begins with either in turn.
func Compare(rounds int, first, second func() Result) Comparison {
	var a, b []Result
	for i := range rounds {
		if i%2 == 0 {
			a = append(a, first())
		}
		b = append(b, second())
		if i%2 == 1 {
			a = append(a, first())
		}
	}
	ratio := func(of func(*Result) float64) float64 {
		list := make([]float64, rounds)
		for i := range list {
			if base := of(&a[i]); base > 0 {
				list[i] = of(&b[i]) / base
			}
		}
		return median(list)
	}
	return Comparison{
		Name: a[0].Name, Rounds: rounds, First: summary(a), Second: summary(b),
		RateRatio: ratio(func(r *Result) float64 { return r.Rate }),
		P50Ratio:  ratio(func(r *Result) float64 { return r.P50 }),
		P95Ratio:  ratio(func(r *Result) float64 { return r.P95 }),
	}
}

// summary makes one result of those of several rounds.
func summary(list []Result) Result {
	middle := func(of func(*Result) float64) float64 {
		values := make([]float64, len(list))
		for i := range list {
			values[i] = of(&list[i])
		}
		return median(values)
	}
	out := Result{
		Name: list[0].Name, Patients: list[0].Patients,
		Rate:          middle(func(r *Result) float64 { return r.Rate }),
		ResourceRate:  middle(func(r *Result) float64 { return r.ResourceRate }),
		SettleSeconds: middle(func(r *Result) float64 { return r.SettleSeconds }),
		P50:           middle(func(r *Result) float64 { return r.P50 }),
		P95:           middle(func(r *Result) float64 { return r.P95 }),
		P99:           middle(func(r *Result) float64 { return r.P99 }),
	}
	for _, r := range list {
		out.Requests += r.Requests
		out.Failures += r.Failures
		out.Failure = cmp.Or(out.Failure, r.Failure)
		out.Seconds += r.Seconds
		out.Max = max(out.Max, r.Max)
		if r.Process == nil {
			continue
		}
		if out.Process == nil {
			out.Process = &Usage{}
		}
		out.Process.CPUSeconds += r.Process.CPUSeconds
		out.Process.ResidentMB = r.Process.ResidentMB
	}
	return out
}

func median(list []float64) float64 {
	slices.Sort(list)
	n := len(list)
	return (list[(n-1)/2] + list[n/2]) / 2
}
