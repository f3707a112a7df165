package observe

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/kaigofhir/kaigofhir/server/store"
)

// Metrics are the numbers of a server, in a registry of their own.
// https://prometheus.io/docs/practices/naming/
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	latency  *prometheus.HistogramVec
	inFlight prometheus.Gauge
}

var _ Observer = (*Metrics)(nil)

// NewMetrics returns metrics that count nothing yet.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kaigofhir_http_requests_total",
			Help: "Requests answered, by interaction, resource type and class of status.",
		}, []string{"interaction", "type", "status"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "kaigofhir_http_request_duration_seconds",
			Help:    "Time to answer a request, by interaction.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"interaction"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "kaigofhir_http_requests_in_flight",
			Help: "Requests being served.",
		}),
	}
	m.registry.MustRegister(m.requests, m.latency, m.inFlight,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Begin counts a request.
func (m *Metrics) Begin(r *http.Request) (context.Context, func(Exchange)) {
	m.inFlight.Inc()
	return r.Context(), func(x Exchange) {
		m.inFlight.Dec()
		m.requests.WithLabelValues(x.Interaction, x.Type, strconv.Itoa(x.Status/100)+"xx").Inc()
		m.latency.WithLabelValues(x.Interaction).Observe(x.Duration.Seconds())
	}
}

// Handler answers scrapes. It belongs on an address that the public cannot
// reach.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Source is where the numbers of a server's inside come from.
type Source struct {
	Status func(context.Context) (store.Status, error)
	// Backlog is how many entries of the record of accesses wait to be
	// written; nil where none is kept.
	Backlog func() int
	// Jobs is how many background jobs are in each state; nil for none.
	Jobs func() map[string]int
}

// Watch adds the numbers of a source. It is called once.
func (m *Metrics) Watch(s Source) { m.registry.MustRegister(&sourceCollector{s}) }

var (
	descSequence  = prometheus.NewDesc("kaigofhir_store_sequence", "Sequence number of the last transaction.", nil, nil)
	descResources = prometheus.NewDesc("kaigofhir_store_resources", "Current resources.", nil, nil)
	descVersions  = prometheus.NewDesc("kaigofhir_store_versions", "Versions kept, deletions included.", nil, nil)
	descReadOnly  = prometheus.NewDesc("kaigofhir_store_read_only", "1 where the store takes no writes.", nil, nil)
	descUp        = prometheus.NewDesc("kaigofhir_store_up", "1 where the store answers.", nil, nil)
	descBacklog   = prometheus.NewDesc("kaigofhir_audit_backlog", "Entries of the record of accesses that wait to be written.", nil, nil)
	descJobs      = prometheus.NewDesc("kaigofhir_jobs", "Background jobs, by state.", []string{"state"}, nil)
)

// sourceCollector asks the source at each scrape.
type sourceCollector struct{ source Source }

// Describe implements prometheus.Collector.
func (c *sourceCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descSequence, descResources, descVersions, descReadOnly, descUp, descBacklog, descJobs} {
		ch <- d
	}
}

// scrapeLimit bounds how long a scrape waits for the store.
const scrapeLimit = 5 * time.Second

// Collect implements prometheus.Collector.
func (c *sourceCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	st, err := c.source.Status(ctx)
	gauge(descUp, number(err == nil))
	if err == nil {
		gauge(descSequence, float64(st.Seq))
		gauge(descResources, float64(st.Resources))
		gauge(descVersions, float64(st.Versions))
		gauge(descReadOnly, number(st.ReadOnly))
	}
	if c.source.Backlog != nil {
		gauge(descBacklog, float64(c.source.Backlog()))
	}
	if c.source.Jobs != nil {
		for state, n := range c.source.Jobs() {
			gauge(descJobs, float64(n), state)
		}
	}
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
