package node

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/polder-exchange/polder/internal/detect"
	"github.com/polder-exchange/polder/internal/screen"
	"github.com/polder-exchange/polder/internal/web"
)

// metrics counts what the node does. No label tells of an object, an organisation, a person or a community; lists of
// the node are labelled by their names.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	panics   prometheus.Counter
}

func newMetrics(r *prometheus.Registry, n *Node) *metrics {
	m := &metrics{
		registry: r,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "polder_http_requests_total", Help: "Requests answered, by exit, method and status."}, []string{"exit", "method", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "polder_http_request_seconds", Help: "Time from a request's head to its answer's end, by exit.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"exit"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{Name: "polder_panics_total", Help: "Requests that ended in a fault of ours."}),
	}
	ready := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "polder_ready", Help: "1 while the node takes shares."}, func() float64 {
		if n.ready() == nil {
			return 1
		}
		return 0
	})
	lag := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "polder_search_lag_seconds", Help: "How far the search index is behind the log."}, func() float64 {
		return n.Exchange.SearchLag().Seconds()
	})
	r.MustRegister(detectionMetrics(&n.detection)...)
	r.MustRegister(listMetrics{n.screening.registry})
	r.MustRegister(linkMetrics{n})
	r.MustRegister(logMetrics(n)...)
	r.MustRegister(m.requests, m.seconds, m.panics, ready, lag, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// detectionMetrics are totals over all organisations.
func detectionMetrics(d *detection) (all []prometheus.Collector) {
	for _, c := range []struct {
		name, help string
		of         func(detect.Judged) int64
	}{
		{"polder_events_judged_total", "Events that were held against rules and indicators.", func(j detect.Judged) int64 { return j.Events }},
		{"polder_events_unreadable_total", "Records that came in and could not be read.", func(j detect.Judged) int64 { return j.Unreadable }},
		{"polder_events_kept_total", "Events that went into histories.", func(j detect.Judged) int64 { return j.Kept }},
		{"polder_findings_total", "Findings in events as they came in, before they are grouped.", func(j detect.Judged) int64 { return j.Findings }},
		{"polder_hunted_alerts_total", "Alerts on events of histories, of what was shared after them.", func(j detect.Judged) int64 { return j.Hunted }},
	} {
		all = append(all, prometheus.NewCounterFunc(prometheus.CounterOpts{Name: c.name, Help: c.help}, func() float64 { return float64(c.of(d.detector.Judged())) }))
	}
	return append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "polder_events_waiting_bytes", Help: "Bytes of events that were taken in and wait to be judged."}, func() float64 {
		return float64(d.intake.Waiting())
	}))
}

func (m *metrics) observe(_ context.Context, o web.Observed) {
	m.requests.WithLabelValues(o.Exit, o.Method, strconv.Itoa(o.Status)).Inc()
	m.seconds.WithLabelValues(o.Exit).Observe(o.Took.Seconds())
	if o.Panicked {
		m.panics.Inc()
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// listMetrics are about the lists of the node, which everybody on it asks; an organisation's own are its own business.
type listMetrics struct{ registry *screen.Registry }

var (
	listAge      = prometheus.NewDesc("polder_list_age_seconds", "Time since a list of parties was last given or confirmed by its source.", []string{"list"}, nil)
	listStale    = prometheus.NewDesc("polder_list_stale", "1 when a list of parties is older than it should be.", []string{"list"}, nil)
	listEntries  = prometheus.NewDesc("polder_list_entries", "Listings on a list of parties.", []string{"list"}, nil)
	listFailures = prometheus.NewDesc("polder_list_refresh_failures", "Refreshes of a list of parties that failed since the last that worked.", []string{"list"}, nil)
)

// Describe is what [prometheus.Collector] asks for.
func (listMetrics) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{listAge, listStale, listEntries, listFailures} {
		to <- d
	}
}

// Collect is what [prometheus.Collector] asks for.
func (m listMetrics) Collect(to chan<- prometheus.Metric) {
	all, err := m.registry.Kept(context.Background(), "")
	if err != nil {
		to <- prometheus.NewInvalidMetric(listAge, err)
		return
	}
	for _, k := range all {
		stale := 0.0
		if k.Stale {
			stale = 1
		}
		for d, v := range map[*prometheus.Desc]float64{listAge: k.Age.Seconds(), listStale: stale, listEntries: float64(k.Entries), listFailures: float64(k.Failures)} {
			to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, k.Name)
		}
	}
}
