package shard

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sony/gobreaker/v2"
)

// collector reads the pools at each scrape, so that nothing is counted on the
// way of a query.
type collector struct {
	set         *Set
	connections *prometheus.Desc
	max         *prometheus.Desc
	acquires    *prometheus.Desc
	waited      *prometheus.Desc
	waitSeconds *prometheus.Desc
	breaker     *prometheus.Desc
}

func newCollector(set *Set) *collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tiffin_postgres_"+name, help, append([]string{"shard"}, labels...), nil)
	}
	return &collector{
		set:         set,
		connections: desc("connections", "Connections of the pool by state.", "state"),
		max:         desc("connections_max", "The most connections the pool may open."),
		acquires:    desc("acquires_total", "Connections handed out."),
		waited:      desc("acquires_waited_total", "Connections handed out after waiting for one."),
		waitSeconds: desc("acquire_seconds_total", "Time spent getting connections."),
		breaker:     desc("breaker_open", "1 while the shard's breaker refuses calls."),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.connections, c.max, c.acquires, c.waited, c.waitSeconds, c.breaker} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for _, n := range c.set.order {
		stat := n.pool.Stat()
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{n.id}, labels...)...)
		}
		counter := func(desc *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, n.id)
		}
		gauge(c.connections, float64(stat.AcquiredConns()), "used")
		gauge(c.connections, float64(stat.IdleConns()), "idle")
		gauge(c.connections, float64(stat.ConstructingConns()), "connecting")
		gauge(c.max, float64(stat.MaxConns()))
		counter(c.acquires, float64(stat.AcquireCount()))
		counter(c.waited, float64(stat.EmptyAcquireCount()))
		counter(c.waitSeconds, stat.AcquireDuration().Seconds())
		open := 0.0
		if n.breaker.State() != gobreaker.StateClosed {
			open = 1
		}
		gauge(c.breaker, open)
	}
}
