package load

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Runner measures one server.
type Runner struct {
	Base        string // http://HOST:PORT/fhir
	Token       string // bearer token, "" for none
	Data        Data
	Connections int           // at the same time
	Duration    time.Duration // of each scenario
	PID         int           // process of the server on this machine, 0 if it is elsewhere
	Client      *http.Client  // one that keeps Connections connections open
}

// Result is what one scenario measured.
type Result struct {
	Name     string  `json:"name"`
	Patients int     `json:"patients"` // in the data when it was measured
	Requests int     `json:"requests"`
	Failures int     `json:"failures"`
	Failure  string  `json:"failure,omitempty"` // status of the first failure
	Seconds  float64 `json:"seconds"`
	Rate     float64 `json:"requestsPerSecond"`
	// Resources per second, for the import alone.
	ResourceRate float64 `json:"resourcesPerSecond,omitempty"`
	// SettleSeconds is how long the server was still at work after an import,
	// 0 where that cannot be seen.
	SettleSeconds float64 `json:"settleSeconds,omitempty"`
	// Latencies in milliseconds.
	P50 float64 `json:"p50ms"`
	P95 float64 `json:"p95ms"`
	P99 float64 `json:"p99ms"`
	Max float64 `json:"maxms"`
	// Bare is the rate of a bare handler that returns the same bytes, measured
	// right after, and Ratio is Rate over it; 0 where it was not measured.
	Bare  float64 `json:"bareRequestsPerSecond,omitempty"`
	Ratio float64 `json:"ratioToBare,omitempty"`
	// Process of the server; nil where it is not on this machine.
	Process *Usage `json:"process,omitempty"`
}

// Client returns an HTTP client for that many connections.
func Client(connections int) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true,
	}}
}

// Import sends the transactions of all people from number from on, Connections
// at a time. Then it waits until the server has settled: what is measured next
// would share the machine with the compactions that are left.
func (r *Runner) Import(ctx context.Context, from int) Result {
	next := atomic.Int64{}
	next.Store(int64(from * r.Data.parts()))
	res := r.measure(ctx, "import", func(i int) (Request, bool) {
		n := int(next.Add(1)) - 1
		if n >= r.Data.Transactions() {
			return Request{}, false
		}
		return Request{Method: "POST", Body: r.Data.Transaction(n)}, true
	}, []int{http.StatusOK})
	if res.Requests > 0 { // none where it was broken off
		all := float64((r.Data.Patients - from) * (r.Data.parts() + r.Data.Observations))
		res.ResourceRate = all * float64(res.Requests-res.Failures) / float64(res.Requests) / res.Seconds
	}
	res.SettleSeconds = settle(ctx, r.PID).Seconds()
	return res
}

// Run measures one scenario for Duration.
func (r *Runner) Run(ctx context.Context, s Scenario) Result {
	deadline := time.Now().Add(r.Duration)
	source := newSources(r.Data.Seed, r.Connections)
	return r.measure(ctx, s.Name, func(i int) (Request, bool) {
		if !time.Now().Before(deadline) {
			return Request{}, false
		}
		rnd := <-source
		req := s.Request(r.Data, rnd, i)
		source <- rnd
		return req, true
	}, s.Want)
}

// newSources returns a pool of random sources, one for each connection.
func newSources(seed uint64, n int) chan *rand.Rand {
	pool := make(chan *rand.Rand, n)
	for i := range n {
		pool <- rand.New(rand.NewPCG(seed, uint64(i)))
	}
	return pool
}

// measure runs requests on all connections until next has no more.
func (r *Runner) measure(ctx context.Context, name string, next func(i int) (Request, bool), want []int) Result {
	res := Result{Name: name, Patients: r.Data.Patients}
	var (
		mu        sync.Mutex
		latencies []time.Duration
		count     atomic.Int64
		wg        sync.WaitGroup
	)
	before := usage(r.PID)
	start := time.Now()
	for range r.Connections {
		wg.Go(func() {
			var mine []time.Duration
			failures, first := 0, ""
			for ctx.Err() == nil {
				req, more := next(int(count.Add(1)))
				if !more {
					break
				}
				began := time.Now()
				if failure := r.send(ctx, req, want); failure != "" {
					failures++
					first = failure
				}
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			latencies = append(latencies, mine...)
			res.Failures += failures
			if res.Failure == "" {
				res.Failure = first
			}
		})
	}
	wg.Wait()
	res.Seconds = time.Since(start).Seconds()
	res.Process = usage(r.PID).since(before)
	res.fill(latencies)
	return res
}

// Sample returns the body of the answer to one request of a scenario.
func (r *Runner) Sample(ctx context.Context, s Scenario) ([]byte, error) {
	req, err := r.request(ctx, s.Request(r.Data, rand.New(rand.NewPCG(r.Data.Seed, 0)), 0))
	if err != nil {
		return nil, err
	}
	res, err := r.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if !slices.Contains(s.Want, res.StatusCode) {
		return nil, fmt.Errorf("%s: %s", s.Name, res.Status)
	}
	return io.ReadAll(res.Body)
}

// send returns "" for success, else what went wrong, without any content.
func (r *Runner) send(ctx context.Context, q Request, want []int) string {
	req, err := r.request(ctx, q)
	if err != nil {
		return "request"
	}
	res, err := r.Client.Do(req)
	if err != nil {
		return "connection"
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return "body"
	}
	if !slices.Contains(want, res.StatusCode) {
		return fmt.Sprintf("status %d", res.StatusCode)
	}
	return ""
}

func (r *Runner) request(ctx context.Context, q Request) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, q.Method, strings.TrimSuffix(r.Base+"/"+q.Path, "/"), strings.NewReader(q.Body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/fhir+json")
	if q.Body != "" {
		req.Header.Set("Content-Type", "application/fhir+json")
	}
	if r.Token != "" {
		req.Header.Set("Authorization", "Bearer "+r.Token)
	}
	for k, v := range q.Header {
		req.Header.Set(k, v)
	}
	return req, nil
}

func (res *Result) fill(latencies []time.Duration) {
	res.Requests = len(latencies)
	if res.Requests == 0 {
		return
	}
	slices.Sort(latencies)
	at := func(p float64) float64 {
		return float64(latencies[int(p*float64(len(latencies)-1))].Microseconds()) / 1000
	}
	res.Rate = float64(res.Requests) / res.Seconds
	res.P50, res.P95, res.P99, res.Max = at(0.50), at(0.95), at(0.99), at(1)
}
