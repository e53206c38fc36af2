// Package server is the tracking service itself: endpoints, the Redis store and the consumer of events.
package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/micro"
)

// Config is what the service needs. Conn, JS, Redis, Client and Log are required.
type Config struct {
	Conn    *nats.Conn
	JS      jetstream.JetStream
	Redis   *redis.Client
	Client  *micro.Client // calls order and delivery
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Clock   func() time.Time // default time.Now

	TrackingTTL       time.Duration // how long a latest fix is kept, default 1h
	RateLimitLocation int           // fixes per second and rider, 0 = off
}

// Server is one instance of the service.
type Server struct{ cfg Config }

// New makes a server. Nothing runs before Run.
func New(ctx context.Context, cfg Config) (*Server, error) { return &Server{cfg: cfg}, nil }

// Run serves until ctx ends, then drains and returns nil.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
