// Package server is the tracking service: endpoints, the Redis store, the consumer of events and the feed of dispatch.
//
// The way of a fix: endpoint location → rules of the contract package → committer, which puts fixes that arrive together
// into one round trip → location.lua, the only place that decides what is published → feed, which tells dispatch once a
// second. What a rider carries is written to Redis by carry.lua and release.lua, told by hints (at once, may be lost) and
// by events (later, never lost); what Redis does not know is asked from delivery.
package server

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
)

// Config is what the service needs. Conn, JS, Redis, Client and Log are required.
type Config struct {
	Conn    *nats.Conn
	JS      jetstream.JetStream
	Redis   *redis.Client
	Client  *micro.Client // calls order and delivery
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: no metrics
	Traces  trace.TracerProvider  // nil = trace context is passed on, no spans are made
	Clock   func() time.Time      // default time.Now

	TrackingTTL       time.Duration // how long a latest fix is kept, default 1h
	RateLimitLocation int           // fixes per second and rider, 0 = off
}

// Server is one instance of the service.
type Server struct {
	cfg       Config
	service   *micro.Service
	store     *store
	committer *committer
	feed      *feed
	orders    *order.Client
	delivery  *delivery.Client
	fixes     *prometheus.CounterVec
}

// New makes a server. Nothing runs before Run.
func New(_ context.Context, cfg Config) (*Server, error) {
	if cfg.Conn == nil || cfg.JS == nil || cfg.Redis == nil || cfg.Client == nil || cfg.Log == nil {
		return nil, errors.New("tracking: Conn, JS, Redis, Client and Log are required")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.TrackingTTL < time.Second {
		cfg.TrackingTTL = time.Hour
	}
	st := newStore(cfg.Redis, cfg.TrackingTTL, cfg.RateLimitLocation)
	riders := delivery.NewClient(cfg.Client)
	s := &Server{
		cfg: cfg, store: st, committer: newCommitter(st, cfg.Clock),
		feed: newFeed(riders, cfg.Log), orders: order.NewClient(cfg.Client), delivery: riders,
		fixes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tiffin_tracking_fixes_total", Help: "Fixes of riders' positions, by what became of them.",
		}, []string{"result"}),
	}
	if cfg.Metrics != nil {
		if err := cfg.Metrics.Register(s.fixes); err != nil {
			return nil, err
		}
	}
	s.service = micro.NewService(micro.ServiceConfig{
		Name: tracking.ServiceName, Version: tracking.ServiceVersion,
		Description: "Where riders are, who may see them, and what changed about an order",
		Conn:        cfg.Conn, Log: cfg.Log, Metrics: cfg.Metrics, Traces: cfg.Traces, Health: s.Health,
	})
	s.register()
	return s, nil
}

// register adds the endpoints. A location waits for Redis and little else, so many may wait at once.
func (s *Server) register() {
	micro.Handle(s.service, tracking.VerbLocation, "Take in a fix of a rider's position", s.location,
		micro.WithWorkers(512), micro.WithQueue(4096), micro.WithTimeout(3*time.Second))
	micro.Handle(s.service, tracking.VerbLocations, "Take in fixes that reached an edge together", s.locations,
		micro.WithWorkers(16), micro.WithQueue(256), micro.WithTimeout(3*time.Second))
	micro.Handle(s.service, tracking.VerbGet, "Where the rider of an order is", s.get, micro.WithWorkers(128))
	micro.Handle(s.service, tracking.VerbCarry, "Hint: a rider accepted or picked up an order", s.carry)
	micro.Handle(s.service, tracking.VerbRelease, "Hint: a rider carries an order no longer", s.release)
}

// Ready is closed when every endpoint answers.
func (s *Server) Ready() <-chan struct{} { return s.service.Ready() }

// Health is the state of Redis, without which nobody is tracked.
func (s *Server) Health(ctx context.Context) map[string]error {
	return map[string]error{"redis": s.cfg.Redis.Ping(ctx).Err()}
}

// Run serves until ctx ends, then drains and returns nil. The endpoints stop first: the committer they wait for has to
// outlive them, and the feed takes what they accepted.
func (s *Server) Run(ctx context.Context) error {
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	outer, ctx := errgroup.WithContext(ctx)
	below := new(errgroup.Group)
	below.Go(func() error { return s.committer.Run(inner) })
	below.Go(func() error { return s.feed.Run(inner) })
	outer.Go(func() error { return s.service.Run(ctx) })
	outer.Go(func() error { return s.consume(ctx) })
	err := outer.Wait()
	stop()
	return errors.Join(err, below.Wait())
}
