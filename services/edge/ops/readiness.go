package ops

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/micro"
)

// The rhythm of the watch, and the words of its reports.
const (
	// pollEvery and pollTimeout together keep the report within two seconds of
	// the truth.
	pollEvery   = time.Second
	pollTimeout = 900 * time.Millisecond

	statusOK       = "ok"
	statusDegraded = "degraded"
	statusDown     = "unavailable"

	natsCheck  = "nats"
	redisCheck = "redis"
)

// Check is the state of one dependency.
type Check struct {
	Status string `json:"status"`          // ok, unavailable
	Error  string `json:"error,omitempty"` // how it failed, in a word
}

// Report is the answer of /readyz.
type Report struct {
	Status string           `json:"status"` // ok, degraded
	Checks map[string]Check `json:"checks"` // by dependency: nats, redis, each service, and what those depend on
}

// Config is what readiness watches.
type Config struct {
	Conn     *nats.Conn
	Redis    *redis.Client
	Client   *micro.Client
	Services []string // names of micro services
	Log      *slog.Logger
	Metrics  prometheus.Registerer
}

// Readiness watches the dependencies of an edge.
type Readiness struct {
	cfg      Config
	log      *slog.Logger
	up       *prometheus.GaugeVec
	report   atomic.Pointer[Report]
	complete atomic.Bool // everything has been up at once
	stopping atomic.Bool
}

// NewReadiness makes the watch. Nothing is known before Run.
func NewReadiness(cfg Config) *Readiness {
	r := &Readiness{cfg: cfg, log: cfg.Log, up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "tiffin_edge_dependency_up", Help: "1 while the edge sees the dependency working, else 0."}, []string{"name"})}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics != nil {
		cfg.Metrics.MustRegister(r.up)
	}
	r.report.Store(&Report{Status: statusDegraded, Checks: map[string]Check{}})
	return r
}

// Run looks each second until ctx ends, and returns nil.
func (r *Readiness) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		r.poll(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Stop makes the edge unready for good, so that balancers send nothing new
// while it drains.
func (r *Readiness) Stop() { r.stopping.Store(true) }

// Ready gives the newest report and whether to send requests here.
func (r *Readiness) Ready() (Report, bool) {
	report := *r.report.Load()
	if r.stopping.Load() {
		report.Status = statusDegraded
		return report, false
	}
	reachable := r.cfg.Conn.IsConnected() && report.Checks[natsCheck].Status == statusOK
	return report, r.complete.Load() && reachable
}

// poll asks every dependency at the same time.
func (r *Readiness) poll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pollTimeout)
	defer cancel()
	var (
		mu     sync.Mutex
		wg     sync.WaitGroup
		checks = map[string]Check{}
	)
	add := func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			checks[name] = Check{Status: statusDown, Error: word(err)}
		} else if _, known := checks[name]; !known {
			checks[name] = Check{Status: statusOK} // one service's bad news about a dependency outweighs another's good
		}
	}
	wg.Go(func() { add(natsCheck, r.cfg.Conn.FlushWithContext(ctx)) })
	wg.Go(func() { add(redisCheck, r.cfg.Redis.Ping(ctx).Err()) })
	for _, name := range r.cfg.Services {
		wg.Go(func() {
			health, err := micro.Call[struct{}, micro.HealthStatus](ctx, r.cfg.Client, name+".health", struct{}{})
			add(name, err)
			for dependency, status := range health.Checks {
				add(dependency, broken(status))
			}
		})
	}
	wg.Wait()
	if !errors.Is(ctx.Err(), context.Canceled) { // what failed because the edge is stopping says nothing
		r.publish(checks)
	}
}

// broken turns a service's word about its dependency into an error.
func broken(status string) error {
	if status == statusOK {
		return nil
	}
	return errReported
}

// errReported stands for what a service says of its dependency: the reason stays
// in that service's log.
var errReported = errors.New("reported by a service")

// publish stores the report and tells log and metrics what changed.
func (r *Readiness) publish(checks map[string]Check) {
	report := &Report{Status: statusOK, Checks: checks}
	before := r.report.Load().Checks
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		check, up := checks[name], 1.0
		if check.Status != statusOK {
			report.Status, up = statusDegraded, 0
		}
		r.up.WithLabelValues(name).Set(up)
		if old, known := before[name]; known && old.Status != check.Status {
			r.log.Warn("dependency changed", "name", name, "status", check.Status, "error", check.Error)
		}
	}
	r.report.Store(report)
	if report.Status == statusOK && !r.complete.Swap(true) {
		r.log.Info("edge is ready", "checks", len(checks))
	}
}

// word says how a check failed without saying where.
func word(err error) string {
	switch code := micro.CodeOf(err); {
	case errors.Is(err, errReported):
		return statusDown
	case errors.Is(err, nats.ErrNoResponders):
		return "nobody serves it"
	case code == micro.CodeTimeout, errors.Is(err, nats.ErrTimeout):
		return "timeout"
	default:
		return "unreachable"
	}
}
