package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"tiffin/health"
)

// probePatience bounds one probe's connection: a scrape takes milliseconds.
const probePatience = 10 * time.Second

// errStarting is the state of a role that does not answer yet.
var errStarting = errors.New("starting")

// probes answers HEALTH_ADDR for a process of any roles. It listens before
// anything else is tried and until all else has ended, because that is when
// people want to know what a process waits for.
type probes struct {
	server *http.Server
	state  *health.Watch
	// look is set once there is something to look at.
	look    atomic.Pointer[func(context.Context) map[string]error]
	running sync.WaitGroup
	stop    context.CancelFunc
}

// newRegistry is the registry of a process, with its own figures in it.
func newRegistry() *prometheus.Registry {
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return metrics
}

// openProbes listens on HEALTH_ADDR; without one it does nothing. The end of
// ctx makes the process unready while it drains.
func openProbes(ctx context.Context, c Config, metrics *prometheus.Registry) (*probes, error) {
	p := &probes{stop: func() {}}
	if c.Config.HealthAddr == "" {
		return p, nil
	}
	listener, err := net.Listen("tcp", c.Config.HealthAddr)
	if err != nil {
		return nil, fmt.Errorf("HEALTH_ADDR: %w", err)
	}
	p.state = health.NewWatch(health.Config{
		Look: p.seen, Vital: natsCheck, Log: c.Log, Metrics: metrics, Metric: "tiffin_dependency_up",
	})
	p.server = &http.Server{Handler: p.state.Handler(metrics), ReadTimeout: probePatience, WriteTimeout: probePatience}
	var inner context.Context
	inner, p.stop = context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, p.state.Stop)
	p.running.Go(func() {
		if err := p.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			c.Log.Error("probes are not answered any more", "error", err)
		}
	})
	p.running.Go(func() { _ = p.state.Run(inner) }) // ends with nil
	return p, nil
}

// natsCheck is the dependency without which a role can do nothing.
const natsCheck = "nats"

// seen is what the watch gets: before the roles are built, that they are not.
func (p *probes) seen(ctx context.Context) map[string]error {
	if look := p.look.Load(); look != nil {
		return (*look)(ctx)
	}
	return map[string]error{natsCheck: errStarting}
}

// watch tells the probes what there is to look at.
func (p *probes) watch(d *deps, b *built) {
	conns := slices.Clone(d.conns) // the operator's, opened later, is not ours to watch
	look := func(ctx context.Context) map[string]error { return d.look(ctx, conns, b) }
	p.look.Store(&look)
}

// close stops answering.
func (p *probes) close() {
	p.stop()
	if p.server != nil {
		_ = p.server.Close() // a probe cut off at the very end has its answer
	}
	p.running.Wait()
}

// look asks what the process depends on, all at the same time: NATS as each of
// its roles, Redis, what each role names, and whether the roles answer.
func (d *deps) look(ctx context.Context, conns []*nats.Conn, b *built) map[string]error {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		seen = map[string]error{}
	)
	add := func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || seen[name] == nil {
			seen[name] = err
		}
	}
	for _, conn := range conns {
		wg.Go(func() { add(natsCheck, alive(ctx, conn)) })
	}
	if d.redis != nil {
		wg.Go(func() { add("redis", d.redis.Ping(ctx).Err()) })
	}
	for _, r := range slices.Concat(b.answer, b.relay, b.edge) {
		add("role."+r.name, r.answers())
		if r.health == nil {
			continue
		}
		wg.Go(func() {
			for name, err := range r.health(ctx) {
				add(name, err)
			}
		})
	}
	wg.Wait()
	return seen
}

// alive asks the server itself: a connection that looks open may lead nowhere.
func alive(ctx context.Context, conn *nats.Conn) error {
	if !conn.IsConnected() {
		return nats.ErrDisconnected
	}
	return conn.FlushWithContext(ctx)
}

// answers tells whether the role has begun to answer; one that has nothing to
// answer always has.
func (r role) answers() error {
	if r.ready == nil {
		return nil
	}
	select {
	case <-r.ready:
		return nil
	default:
		return errStarting
	}
}
