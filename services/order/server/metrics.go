package server

import (
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
	"tiffin/services/order"
)

// metrics are what the service counts besides its requests.
type metrics struct {
	moves    *prometheus.CounterVec
	replayed prometheus.Counter
	// the loops
	expire, forget micro.Loop
}

func newMetrics(reg prometheus.Registerer) metrics {
	return metrics{
		expire: micro.NewLoop(reg, "order.expire"), forget: micro.NewLoop(reg, "order.forget-keys"),
		moves: micro.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_order_moves_total", Help: "Orders that came into a state, by that state; pending ones are the orders placed.",
		}, []string{"to"})),
		replayed: micro.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tiffin_order_replays_total", Help: "Requests that were answered with an earlier order of the same Idempotency-Key.",
		})),
	}
}

func (m metrics) moved(to order.Status) { m.moves.WithLabelValues(string(to)).Inc() }
