package node

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/polder-exchange/polder/internal/web"
)

// metrics counts what the node does. No label tells of an object, an organisation, a person or a community.
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
	r.MustRegister(m.requests, m.seconds, m.panics, ready, lag, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
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
