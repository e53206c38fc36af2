package micro

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// durations are the buckets in seconds: from a cached read to the longest timeout of an endpoint.
func durations() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
}

// Register gives the collector that is registered under c's name, which is c itself the first time. Several services
// share one registry when a process runs several roles. A nil reg leaves c unregistered but usable.
func Register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	err := reg.Register(c)
	var twice prometheus.AlreadyRegisteredError
	if errors.As(err, &twice) {
		if existing, ok := twice.ExistingCollector.(C); ok {
			return existing
		}
	}
	if err != nil {
		panic(err) // two metrics of one name and different labels: a fault of the program, seen at its first start
	}
	return c
}

// serviceMetrics are the collectors of all services of a registry.
type serviceMetrics struct {
	duration *prometheus.HistogramVec
	refused  *prometheus.CounterVec
	dropped  *prometheus.CounterVec
}

func newServiceMetrics(reg prometheus.Registerer) *serviceMetrics {
	return &serviceMetrics{
		duration: Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tiffin_request_duration_seconds", Buckets: durations(),
			Help: "Time from arrival to answer of requests to micro endpoints, by outcome.",
		}, []string{"service", "endpoint", "code"})),
		refused: Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_requests_refused_total",
			Help: "Requests answered unavailable because the endpoint's workers and queue were full.",
		}, []string{"service", "endpoint"})),
		dropped: Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_subscription_errors_total",
			Help: "Errors of a service's subscriptions, such as messages dropped by a starved process.",
		}, []string{"service"})),
	}
}

// endpointMetrics are looked up once: a lookup by labels costs more than the observation.
type endpointMetrics struct {
	ok       prometheus.Observer
	duration prometheus.ObserverVec // by code
	refused  prometheus.Counter
}

func (m *serviceMetrics) endpoint(service, verb string) endpointMetrics {
	labels := prometheus.Labels{"service": service, "endpoint": verb}
	duration := m.duration.MustCurryWith(labels)
	return endpointMetrics{duration.WithLabelValues("ok"), duration, m.refused.With(labels)}
}

// exposeLoad adds the saturation of every endpoint: how many requests run and how many wait for a worker. It is read at
// a scrape, so a request pays nothing for it.
func (s *Service) exposeLoad() {
	for _, e := range s.endpoints {
		labels := prometheus.Labels{"service": s.cfg.Name, "endpoint": e.verb}
		Register(s.cfg.Metrics, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tiffin_requests_running", Help: "Requests that a worker of the endpoint handles now.", ConstLabels: labels,
		}, func() float64 { running, _ := e.pool.load(); return float64(running) }))
		Register(s.cfg.Metrics, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tiffin_requests_waiting", Help: "Requests that wait for a worker of the endpoint.", ConstLabels: labels,
		}, func() float64 { _, waiting := e.pool.load(); return float64(waiting) }))
	}
}

// observe counts a request that was answered.
func (e *endpoint) observe(took time.Duration, failure *Error) {
	e.served.Add(1)
	e.busy.Add(int64(took))
	if failure == nil {
		e.metrics.ok.Observe(took.Seconds())
		return
	}
	e.failed.Add(1)
	text := string(failure.Code) + ": " + failure.Message
	e.lastError.Store(&text)
	e.metrics.duration.WithLabelValues(string(failure.Code)).Observe(took.Seconds())
}
