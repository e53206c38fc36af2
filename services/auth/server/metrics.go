package server

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
)

// metrics counts what an operator wants to see of sign-ins. Failures carry the code they were answered with.
type metrics struct {
	requests *prometheus.CounterVec
	reuses   prometheus.Counter
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_auth_requests_total",
			Help: "Registrations, logins and refreshes by result: ok or the error code.",
		}, []string{"verb", "result"}),
		reuses: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tiffin_auth_refresh_reuse_total",
			Help: "Refresh tokens presented a second time, each of which revoked a session.",
		}),
	}
	if registerer == nil {
		return m, nil
	}
	return m, errors.Join(registerer.Register(m.requests), registerer.Register(m.reuses))
}

// count tells how a request ended.
func (m *metrics) count(verb string, err error) {
	result := "ok"
	if err != nil {
		result = string(micro.CodeOf(err))
	}
	m.requests.WithLabelValues(verb, result).Inc()
}
