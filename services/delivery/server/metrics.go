package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
	"tiffin/services/delivery"
)

// metrics are what the service counts besides its requests.
type metrics struct {
	offers          *prometheus.CounterVec
	waiting, oldest *prometheus.GaugeVec
	// the steps of the loop that looks after a region
	silence, end, measure, dispatch micro.Loop
}

func newMetrics(reg prometheus.Registerer) metrics {
	gauge := func(name, help string) *prometheus.GaugeVec {
		return micro.Register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tiffin_dispatch_" + name, Help: help}, []string{"region"}))
	}
	return metrics{
		silence: micro.NewLoop(reg, "delivery.silence"), end: micro.NewLoop(reg, "delivery.end-offers"),
		measure: micro.NewLoop(reg, "delivery.count-waiting"), dispatch: micro.NewLoop(reg, "delivery.dispatch"),
		offers: micro.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_dispatch_offers_total", Help: "Offers by what became of them; offered ones are all that were made.",
		}, []string{"status"})),
		waiting: gauge("waiting_orders", "Orders of a region for which no offer is open, at most 10000. Every instance tells the same number."),
		oldest:  gauge("oldest_waiting_seconds", "How long ago a rider was first sought for the oldest of them."),
	}
}

// count counts offers that came into a status.
func (m metrics) count(status delivery.AssignmentStatus, n int) {
	m.offers.WithLabelValues(string(status)).Add(float64(n))
}

// queue notes how many orders of a region wait, and the age of the oldest in seconds.
func (m metrics) queue(region string, waiting int64, oldest float64) {
	m.waiting.WithLabelValues(region).Set(float64(waiting))
	m.oldest.WithLabelValues(region).Set(oldest)
}
