package ops

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/health"
	"tiffin/micro"
)

// Names of the edge's own dependencies in reports.
const (
	natsCheck  = "nats"
	redisCheck = "redis"
)

// Config is what readiness watches.
type Config struct {
	Conn     *nats.Conn
	Redis    *redis.Client
	Client   *micro.Client
	Services []string // names of micro services
	Log      *slog.Logger
	Metrics  prometheus.Registerer
}

// NewReadiness makes the watch over an edge's dependencies: NATS, Redis, each
// service, and what those depend on. Nothing is known before its Run.
func NewReadiness(cfg Config) *health.Watch {
	return health.NewWatch(health.Config{
		Look: cfg.look, Vital: natsCheck, Alive: cfg.Conn.IsConnected, Word: word,
		Log: cfg.Log, Metrics: cfg.Metrics, Metric: "tiffin_edge_dependency_up",
	})
}

// look asks every dependency at the same time.
func (c Config) look(ctx context.Context) map[string]error {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		seen = map[string]error{}
	)
	add := func(name string, err error) {
		mu.Lock()
		defer mu.Unlock()
		if err != nil || seen[name] == nil {
			seen[name] = err // one service's bad news about a dependency outweighs another's good
		}
	}
	wg.Go(func() { add(natsCheck, c.Conn.FlushWithContext(ctx)) })
	wg.Go(func() { add(redisCheck, c.Redis.Ping(ctx).Err()) })
	for _, name := range c.Services {
		wg.Go(func() {
			status, err := micro.Call[struct{}, micro.HealthStatus](ctx, c.Client, name+".health", struct{}{})
			add(name, err)
			for dependency, status := range status.Checks {
				add(dependency, broken(status))
			}
		})
	}
	wg.Wait()
	return seen
}

// broken turns a service's word about its dependency into an error.
func broken(status string) error {
	if status == health.StatusOK {
		return nil
	}
	return errReported
}

// errReported stands for what a service says of its dependency: the reason stays
// in that service's log.
var errReported = errors.New("reported by a service")

// word says how a check failed without saying where.
func word(err error) string {
	switch code := micro.CodeOf(err); {
	case errors.Is(err, errReported):
		return health.StatusDown
	case errors.Is(err, nats.ErrNoResponders):
		return "nobody serves it"
	case code == micro.CodeTimeout, errors.Is(err, nats.ErrTimeout):
		return "timeout"
	default:
		return "unreachable"
	}
}
