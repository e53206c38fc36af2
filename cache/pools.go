package cache

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// pools reads the pools of Redis clients at each scrape. Clients of one name are counted together, since several roles
// of a process have one each.
type pools struct {
	connections, limit, acquires, waited, waitSeconds, timeouts *prometheus.Desc

	mu      sync.Mutex
	clients map[string][]*redis.Client
}

// WatchPool adds the metrics of a client's pool under a name that says what it is for, such as "cache". A nil reg does
// nothing.
func WatchPool(reg prometheus.Registerer, name string, client *redis.Client) {
	if reg == nil {
		return
	}
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("tiffin_redis_"+name, help, append([]string{"client"}, labels...), nil)
	}
	p := &pools{
		connections: desc("connections", "Connections of the pool by state: used, idle.", "state"),
		limit:       desc("connections_max", "The most connections the pool may open."),
		acquires:    desc("acquires_total", "Connections handed out."),
		waited:      desc("acquires_waited_total", "Connections handed out after waiting for one."),
		waitSeconds: desc("acquire_seconds_total", "Time spent waiting for connections."),
		timeouts:    desc("acquire_timeouts_total", "Times that nobody gave a connection back in time."),
		clients:     map[string][]*redis.Client{},
	}
	var twice prometheus.AlreadyRegisteredError
	if err := reg.Register(p); errors.As(err, &twice) {
		p = twice.ExistingCollector.(*pools)
	} else if err != nil {
		panic(err) // a metric of that name and other labels: a fault of the program, seen at its first start
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clients[name] = append(p.clients[name], client)
}

// Describe implements prometheus.Collector.
func (p *pools) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{p.connections, p.limit, p.acquires, p.waited, p.waitSeconds, p.timeouts} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (p *pools) Collect(out chan<- prometheus.Metric) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, clients := range p.clients {
		var used, idle, limit, acquires, waited, timeouts, seconds float64
		for _, client := range clients {
			stats := client.PoolStats()
			used += float64(stats.TotalConns - min(stats.IdleConns, stats.TotalConns))
			idle += float64(stats.IdleConns)
			limit += float64(client.Options().PoolSize)
			acquires += float64(stats.Hits) + float64(stats.Misses)
			waited += float64(stats.WaitCount)
			timeouts += float64(stats.Timeouts)
			seconds += time.Duration(stats.WaitDurationNs).Seconds()
		}
		gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, append([]string{name}, labels...)...)
		}
		counter := func(desc *prometheus.Desc, value float64) {
			out <- prometheus.MustNewConstMetric(desc, prometheus.CounterValue, value, name)
		}
		gauge(p.connections, used, "used")
		gauge(p.connections, idle, "idle")
		gauge(p.limit, limit)
		counter(p.acquires, acquires)
		counter(p.waited, waited)
		counter(p.waitSeconds, seconds)
		counter(p.timeouts, timeouts)
	}
}
