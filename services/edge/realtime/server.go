package realtime

import (
	"context"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"tiffin/services/auth/token"
	"tiffin/services/edge/realtime/hub"
	"tiffin/services/edge/realtime/live"
	"tiffin/services/edge/realtime/ws"
	"tiffin/services/order"
	"tiffin/services/tracking"
)

// Config is what the realtime server needs. Verifier, Orders, Tracking, Redis and Log are required.
type Config struct {
	Verifier  *token.Verifier
	Orders    *order.Client
	Tracking  *tracking.Client
	Redis     *redis.Client
	Origins   []string // allowed values of the Origin header; a client without one is allowed
	Anonymous bool     // clients without a token may follow orders
	Log       *slog.Logger
	Metrics   prometheus.Registerer // nil: no metrics
	Clock     func() time.Time      // default time.Now

	Limits Limits
	Exempt []netip.Prefix // clients without limits

	PingInterval time.Duration // between heartbeats, default 25s
	PingTimeout  time.Duration // for the answer to one, default 20s
	DrainTime    time.Duration // over which sockets are closed at the end, default 3s
}

func (c *Config) setDefaults() {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.PingInterval <= 0 {
		c.PingInterval = 25 * time.Second
	}
	if c.PingTimeout <= 0 || c.PingTimeout >= c.PingInterval {
		c.PingTimeout = c.PingInterval * 4 / 5
	}
	if c.DrainTime <= 0 {
		c.DrainTime = 3 * time.Second
	}
	c.Limits.setDefaults()
}

// Server is the realtime half of one edge. Make it with New, Mount it on any number of apps, Run it.
type Server struct {
	cfg      Config
	log      *slog.Logger
	origins  origins
	limits   *limiter
	hub      *hub.Hub
	live     *live.Listener
	wheel    *wheel
	fixes    *tracking.Batcher
	sessions *sessions
	metrics  *metrics

	// base is the life of everything done for clients; it ends when the last one is gone.
	base context.Context //nolint:containedctx // clients outlive the request that made them
	end  context.CancelFunc

	gate     sync.RWMutex // held for reading while a client is made
	stopping bool
	clients  sync.WaitGroup
	count    atomic.Int64
}

// New makes a server. It serves nobody before Run.
func New(cfg Config) *Server {
	cfg.setDefaults()
	s := &Server{cfg: cfg, log: cfg.Log, origins: newOrigins(cfg.Origins), sessions: newSessions()}
	s.limits = newLimiter(cfg.Limits, cfg.Exempt)
	s.live = live.New(cfg.Redis, cfg.Log)
	s.hub = hub.New(hub.Config{
		Channel: s.live, Fetch: s.fetch, Workers: runtime.GOMAXPROCS(0), Log: cfg.Log,
	})
	s.wheel = newWheel(cfg.PingInterval, cfg.PingTimeout)
	s.fixes = tracking.NewBatcher(cfg.Tracking)
	s.base, s.end = context.WithCancel(context.Background())
	s.metrics = newMetrics(s, cfg.Metrics)
	return s
}

// Mount adds /ws and /socket.io/ to the app.
func (s *Server) Mount(app *fiber.App) {
	// Connections leave fasthttp at the handshake, see ws.Hijack.
	app.Server().KeepHijackedConns = true
	app.Get("/ws", s.serveWebSocket)
	app.All("/socket.io/", s.serveEngine)
}

// Run keeps the live channel, the rooms and the heartbeats until ctx ends. Then it closes every socket with 1001, spread
// over the drain time so that not all clients come back to the other edges at once, waits for them and returns nil.
func (s *Server) Run(ctx context.Context) error {
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, inner := errgroup.WithContext(inner)
	g.Go(func() error { return s.live.Run(inner, s.hub) })
	g.Go(func() error { return s.hub.Run(inner) })
	g.Go(func() error { return s.wheel.run(inner) })
	g.Go(func() error { return s.fixes.Run(inner) })
	select {
	case <-ctx.Done():
	case <-inner.Done():
	}
	s.drain()
	s.end()
	stop()
	return g.Wait()
}

// drain ends all clients.
func (s *Server) drain() {
	s.gate.Lock()
	s.stopping = true
	s.gate.Unlock()
	clients := s.wheel.all()
	if len(clients) > 0 {
		pause := s.cfg.DrainTime / time.Duration(len(clients))
		// A handful at a time: the clock cannot tell pauses of microseconds.
		const handful = 16
		for i, c := range clients {
			if i%handful == 0 && i > 0 {
				<-time.After(handful * pause)
			}
			c.leave(ws.CloseGoingAway, "the edge is going away")
		}
	}
	gone := make(chan struct{})
	go func() { s.clients.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-time.After(2 * goodbye):
		s.end() // nobody waits for answers any more
		for _, c := range s.wheel.all() {
			go c.finish()
		}
		<-gone
	}
}

// goodbye is how long a client is waited for at the end.
const goodbye = 2 * time.Second

// admit counts a new client in, false when the edge is stopping. The client's finish counts it out.
func (s *Server) admit(c *client) bool {
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.stopping {
		return false
	}
	s.clients.Add(1)
	s.count.Add(1)
	s.wheel.add(c)
	return true
}

// Sockets counts the clients connected, over any transport.
func (s *Server) Sockets() int64 { return s.count.Load() }

// Up reports whether the live channel is heard, which new subscriptions need.
func (s *Server) Up() bool { return s.live.Up() }
