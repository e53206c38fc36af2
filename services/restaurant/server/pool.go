package server

import (
	"github.com/prometheus/client_golang/prometheus"
	"go.mongodb.org/mongo-driver/v2/event"

	"tiffin/micro"
)

// poolMonitor counts what the driver tells of its connections; it keeps no figures of its own that could be read.
func poolMonitor(reg prometheus.Registerer) *event.PoolMonitor {
	connections := micro.Register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "tiffin_mongodb_connections", Help: "Connections of the pool by state: open, and used of these.",
	}, []string{"state"}))
	open, used := connections.WithLabelValues("open"), connections.WithLabelValues("used")
	acquires := micro.Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tiffin_mongodb_acquires_total", Help: "Connections asked for, by outcome: ok, failed.",
	}, []string{"outcome"}))
	ok, failed := acquires.WithLabelValues("ok"), acquires.WithLabelValues("failed")
	seconds := micro.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
		Name: "tiffin_mongodb_acquire_seconds_total", Help: "Time spent getting connections.",
	}))
	return &event.PoolMonitor{Event: func(e *event.PoolEvent) {
		switch e.Type {
		case event.ConnectionCreated:
			open.Inc()
		case event.ConnectionClosed:
			open.Dec()
		case event.ConnectionCheckedOut:
			used.Inc()
			ok.Inc()
			seconds.Add(e.Duration.Seconds())
		case event.ConnectionCheckedIn:
			used.Dec()
		case event.ConnectionCheckOutFailed:
			failed.Inc()
			seconds.Add(e.Duration.Seconds())
		}
	}}
}
