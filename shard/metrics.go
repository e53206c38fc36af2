package shard

import (
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
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
	replicaLag  *prometheus.Desc
	replicaUsed *prometheus.Desc
	staleReads  *prometheus.Desc
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
		replicaLag:  desc("replica_lag_seconds", "How far the shard's replica is behind, as seen from this process."),
		replicaUsed: desc("replica_usable", "1 while the shard's replica answers reads that may be old."),
		staleReads:  desc("stale_reads_total", "Reads that may be old, by the server that answered them: replica or primary.", "server"),
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{c.connections, c.max, c.acquires, c.waited, c.waitSeconds, c.breaker,
		c.replicaLag, c.replicaUsed, c.staleReads} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	for _, n := range c.set.order {
		s := series{out, n.id}
		c.collectPool(s, n.pool)
		s.gauge(c.breaker, one(n.breaker.State() != gobreaker.StateClosed))
		if r := n.replica; r != nil {
			c.collectPool(series{out, n.id + replicaSuffix}, r.pool)
			s.gauge(c.replicaUsed, one(r.unfit() == nil))
			if asOf := r.seen.Load().asOf; !asOf.IsZero() {
				s.gauge(c.replicaLag, time.Since(asOf).Seconds())
			}
			s.counter(c.staleReads, float64(r.reads.Load()), "replica")
			s.counter(c.staleReads, float64(r.fallbacks.Load()), "primary")
		}
	}
}

func (c *collector) collectPool(s series, pool *pgxpool.Pool) {
	stat := pool.Stat()
	s.gauge(c.connections, float64(stat.AcquiredConns()), "used")
	s.gauge(c.connections, float64(stat.IdleConns()), "idle")
	s.gauge(c.connections, float64(stat.ConstructingConns()), "connecting")
	s.gauge(c.max, float64(stat.MaxConns()))
	s.counter(c.acquires, float64(stat.AcquireCount()))
	s.counter(c.waited, float64(stat.EmptyAcquireCount()))
	s.counter(c.waitSeconds, stat.AcquireDuration().Seconds())
}

// series are the metrics of one server.
type series struct {
	out   chan<- prometheus.Metric
	shard string
}

func (s series) gauge(desc *prometheus.Desc, value float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{s.shard}, labels...)...)
}

func (s series) counter(desc *prometheus.Desc, value float64, labels ...string) {
	s.out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, append([]string{s.shard}, labels...)...)
}

// one is 1 for true.
func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
