package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
	"tiffin/services/delivery"
)

// metrics are what the service counts besides its requests.
type metrics struct{ offers *prometheus.CounterVec }

func newMetrics(reg prometheus.Registerer) metrics {
	return metrics{offers: micro.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tiffin_dispatch_offers_total", Help: "Offers by what became of them; offered ones are all that were made.",
	}, []string{"status"}))}
}

// count counts offers that came into a status.
func (m metrics) count(status delivery.AssignmentStatus, n int) {
	m.offers.WithLabelValues(string(status)).Add(float64(n))
}
