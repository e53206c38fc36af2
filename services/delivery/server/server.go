package server

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/services/tracking"
	"tiffin/shard"
)

// Config is what the service needs. Conn, JS, Shards and Client are required; the zero value of anything else is a
// working default.
type Config struct {
	Conn    *nats.Conn
	JS      jetstream.JetStream
	Shards  *shard.Set
	Client  *micro.Client // calls tracking
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Traces  trace.TracerProvider // nil = trace context is passed on, no spans are made
	Clock   func() time.Time     // for throttling and caching only: deadlines are the database's; default time.Now

	OfferTTL         time.Duration // how long an offer stands, default 30s
	SilentTTL        time.Duration // after how long without a sign of life a rider is not asked, default 5m
	DispatchRadiusKM float64       // how far a rider may be from the restaurant, default 15
	Poll             time.Duration // how often waiting orders and ended offers are looked for, default 1s
}

// withDefaults fills what was left out with the values of the contract.
func (c Config) withDefaults() Config {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.OfferTTL = cmp.Or(c.OfferTTL, 30*time.Second)
	c.SilentTTL = cmp.Or(c.SilentTTL, 5*time.Minute)
	c.DispatchRadiusKM = cmp.Or(c.DispatchRadiusKM, 15)
	c.Poll = cmp.Or(c.Poll, time.Second)
	return c
}

// Server is one instance of the service.
type Server struct {
	cfg      Config
	log      *slog.Logger
	store    *store
	wakes    wakes
	pulses   *pulses
	tracking tracker
	service  *micro.Service
	overview overviewCache
}

// tracker is what the server tells the tracking service.
type tracker interface {
	Carry(ctx context.Context, req tracking.CarryRequest) error
}

// New brings the schemas up to date on every reachable shard and makes a server. Nothing is served before Run.
func New(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := ordertx.Migrate(ctx, cfg.Shards); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	if err := deliverytx.Migrate(ctx, cfg.Shards); err != nil {
		return nil, fmt.Errorf("delivery: %w", err)
	}
	s := &Server{
		cfg:      cfg,
		log:      cfg.Log.With("service", delivery.ServiceName),
		store:    newStore(cfg),
		wakes:    newWakes(cfg.Shards.Router().Regions()),
		pulses:   newPulses(cfg.SilentTTL/pulsesPerSilence, cfg.Clock),
		tracking: tracking.NewClient(cfg.Client),
	}
	s.service = micro.NewService(micro.ServiceConfig{
		Name:        delivery.ServiceName,
		Version:     delivery.ServiceVersion,
		Description: "Riders: their availability, the offers made to them and what they carry",
		Conn:        cfg.Conn,
		Log:         cfg.Log,
		Metrics:     cfg.Metrics,
		Traces:      cfg.Traces,
		Health:      s.Health,
	})
	s.endpoints()
	return s, nil
}

// endpoints adds every verb.
func (s *Server) endpoints() {
	micro.Handle(s.service, delivery.VerbAssignments, "List the acting rider's current or past assignments", s.assignments)
	micro.Handle(s.service, delivery.VerbMe, "Read the acting rider's partner record", s.me)
	micro.Handle(s.service, delivery.VerbAvailability, "Say whether the acting rider wants to work", s.availability)
	micro.Handle(s.service, delivery.VerbAccept, "Accept the offer of an order", s.accept)
	micro.Handle(s.service, delivery.VerbDecline, "Decline the offer of an order", s.decline)
	micro.Handle(s.service, delivery.VerbCurrent, "Read the live assignment of any rider, for services", s.current)
	micro.Handle(s.service, delivery.VerbPosition, "Take in the newest positions of riders, for services", s.position)
	micro.Handle(s.service, delivery.VerbWake, "Look after the orders of a region now, for services", s.wake)
	micro.Handle(s.service, delivery.VerbOverview, "Count riders by state and orders that wait for one", s.counts)
	micro.Handle(s.service, delivery.VerbOffers, "List every offer of an order, for administrators", s.offers)
	micro.Handle(s.service, delivery.VerbRiders, "List where the riders at work are, for administrators", s.riders)
}

// Ready is closed when every endpoint is subscribed.
func (s *Server) Ready() <-chan struct{} { return s.service.Ready() }

// Health is the state of each shard.
func (s *Server) Health(ctx context.Context) map[string]error { return s.cfg.Shards.Health(ctx) }

// Run serves until ctx ends, then drains and returns nil. It returns an error when the service is lost for good.
func (s *Server) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.service.Run(ctx) })
	group.Go(func() error { return s.listen(ctx) })
	for _, region := range s.cfg.Shards.Router().Regions() {
		group.Go(func() error { return s.attend(ctx, region) })
	}
	return group.Wait()
}

// listen wakes the region of every event that can change who is offered what: a new order, or one that ended and freed
// its rider. The rows are already committed when the event arrives.
func (s *Server) listen(ctx context.Context) error {
	return micro.Consume(ctx, s.cfg.JS, micro.ConsumerConfig{
		Durable: delivery.ServiceName,
		Filters: []string{"events." + order.EventCreated + ".>", "events." + order.EventStatus + ".>"},
		Handler: func(_ context.Context, e micro.Event) error {
			s.wakes.wake(shard.Region(e.Region))
			return nil
		},
		Log:     s.log,
		Metrics: s.cfg.Metrics,
		Traces:  s.cfg.Traces,
	})
}
