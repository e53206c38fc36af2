package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/services/restaurant"
	"tiffin/services/tracking"
	"tiffin/shard"
)

// Config is what the service needs. Conn, Shards and Client are required; the zero value of anything else is a working
// default.
type Config struct {
	Conn    *nats.Conn
	Shards  *shard.Set
	Client  *micro.Client // calls restaurant, tracking and delivery
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Audit   func(context.Context, micro.Act) // takes what is done to orders, see micro.ServiceConfig; may be nil
	Traces  trace.TracerProvider             // nil = trace context is passed on, no spans are made

	AcceptTTL        time.Duration // how long an order may stay pending, default 10m
	DeliveryRadiusKM float64       // how far a drop-off may be from the restaurant, default 25
	Poll             time.Duration // how often expired orders are looked for, default 1s
}

// withDefaults fills what was left out with the values of the contract.
func (c Config) withDefaults() Config {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	c.AcceptTTL = cmp.Or(c.AcceptTTL, 10*time.Minute)
	c.DeliveryRadiusKM = cmp.Or(c.DeliveryRadiusKM, 25)
	c.Poll = cmp.Or(c.Poll, time.Second)
	return c
}

// Server is one instance of the service.
type Server struct {
	cfg      Config
	log      *slog.Logger
	store    *store
	menus    menus
	tracking trackers
	service  *micro.Service
	bells    *bells
	metrics  metrics
	overview overviewCache
}

// menus is what the server needs of the restaurant service.
type menus interface {
	Quote(ctx context.Context, req restaurant.QuoteRequest) (restaurant.Quote, error)
}

// trackers is what the server tells the tracking service.
type trackers interface {
	Carry(ctx context.Context, req tracking.CarryRequest) error
	Release(ctx context.Context, req tracking.ReleaseRequest) error
}

// New brings the schemas up to date on every reachable shard and makes a server. Nothing is served before Run.
func New(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := ordertx.Migrate(ctx, cfg.Shards); err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	if err := deliverytx.Migrate(ctx, cfg.Shards); err != nil {
		return nil, fmt.Errorf("order: %w", err)
	}
	s := &Server{
		cfg:      cfg,
		log:      cfg.Log.With("service", order.ServiceName),
		store:    newStore(cfg.Shards),
		menus:    restaurant.NewQuoter(restaurant.NewClient(cfg.Client)),
		tracking: tracking.NewClient(cfg.Client),
		bells:    newBells(delivery.NewClient(cfg.Client), cfg.Shards.Router().Regions()),
		metrics:  newMetrics(cfg.Metrics),
	}
	s.service = micro.NewService(micro.ServiceConfig{
		Name:        order.ServiceName,
		Version:     order.ServiceVersion,
		Description: "Orders: placing, reading, listing and moving them through their states",
		Conn:        cfg.Conn,
		Log:         cfg.Log,
		Metrics:     cfg.Metrics,
		Traces:      cfg.Traces,
		Health:      s.Health,
		Audit:       cfg.Audit,
	})
	s.endpoints()
	return s, nil
}

// endpoints adds every verb. Creating may take longer than the others, because a duplicate waits for the first request.
func (s *Server) endpoints() {
	micro.Handle(s.service, order.VerbCreate, "Place an order for the acting customer; repeatable with an Idempotency-Key",
		s.create, micro.WithTimeout(order.CreateTimeout))
	micro.Handle(s.service, order.VerbGet, "Read one order", s.get)
	micro.Handle(s.service, order.VerbList, "List orders the actor may see, newest first", s.list)
	micro.Handle(s.service, order.VerbStatus, "Move an order to another state", s.status,
		micro.WithAudit(func(req order.StatusRequest, _ order.Order) (target, detail string) {
			return req.ID, string(req.Status)
		}))
	micro.Handle(s.service, order.VerbHistory, "Read every transition of one order", s.history)
	micro.Handle(s.service, order.VerbUpdates, "Read where an order stands and what changed since a sequence number", s.updates)
	micro.Handle(s.service, order.VerbOverview, "Count orders by state and find those that are stuck", s.counts)
}

// Ready is closed when every endpoint is subscribed.
func (s *Server) Ready() <-chan struct{} { return s.service.Ready() }

// Health is the state of each shard.
func (s *Server) Health(ctx context.Context) map[string]error { return s.cfg.Shards.Health(ctx) }

// Run serves until ctx ends, then drains and returns nil. It returns an error when the service is lost for good.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.service.Run(ctx) })
	for _, region := range s.cfg.Shards.Router().Regions() {
		group.Go(func() error { return s.bells.carry(ctx, region) })
		group.Go(func() error { return s.expire(ctx, region) })
		group.Go(func() error { return s.forgetKeys(ctx, region) })
	}
	return group.Wait()
}
