package edge

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
	"tiffin/services/auth/revoked"
	"tiffin/services/auth/token"
	"tiffin/services/edge/inbound"
	"tiffin/shard"
)

// Version is that of the API, as the documentation states it.
const Version = "1.0.0"

// Defaults of Config.
const (
	// defaultDrain outlasts the longest request, an order that waits for its
	// twin.
	defaultDrain = 10 * time.Second
	// defaultConnections is what many people behind one address need, and far less
	// than what a process has file descriptors for.
	defaultConnections = 20000
	// devOrigin is where the web app's development server runs.
	devOrigin = "http://localhost:5173"
)

// Config is what an edge needs. Conn, Client, Redis and Verifier are required;
// the zero value of anything else is a working default.
type Config struct {
	BindAddress  string      // interface of both listeners, "" is all of them
	Port         int         // REST, realtime and web app; 0 takes a free port, see Server.Addr
	TrackingPort int         // realtime alone; 0 takes a free port, see Server.TrackingAddr
	TLS          *tls.Config // nil: plain HTTP, as behind a proxy that ends TLS

	Conn     *nats.Conn // of role edge; for discovery and the health of NATS itself
	Client   *micro.Client
	Redis    *redis.Client
	Verifier *token.Verifier
	Revoked  *revoked.List // kept up to date here; Verifier asks it; nil: none

	Origins []string // CORS_ORIGINS; empty: the edge's own and http://localhost:5173
	// MaxConnections is how many connections one address may have open, to both
	// ports together, default 20000.
	MaxConnections int

	TrustedProxies    []string // addresses and networks whose X-Forwarded-For counts
	RateLimits        RateLimits
	TrackingAnonymous bool   // sockets may subscribe by order id without a token
	MapTilesURL       string // the web app may load map tiles from there
	AssetURL          string // the web app's hashed files come from there, "": from here

	Web    fs.FS            // the built web app; nil serves a placeholder
	Cities *shard.Gazetteer // for GET /cities; nil is shard.Cities()
	Shards []ShardInfo      // for the operations page

	// Services are the micro services that must have been up once before the
	// edge calls itself ready. Empty: all six.
	Services []string

	Log      *slog.Logger
	Metrics  prometheus.Registerer // where the edge's own metrics go
	Gatherer prometheus.Gatherer   // what /metrics shows; nil: prometheus.DefaultGatherer
	Traces   trace.TracerProvider  // nil: trace context is passed on, no spans are made
	Clock    func() time.Time

	// DrainTimeout bounds how long requests in flight may take after the end of
	// the context, default 10s.
	DrainTimeout time.Duration
}

// RateLimits are in requests per second, each with a burst of one second's
// worth; 0 switches a limit off.
type RateLimits struct {
	General, Auth, Orders int      // per client address, and per signed-in user
	Location              int      // per rider
	Exempt                []string // networks without limits
}

// ShardInfo is what the operations page says about a shard besides its health.
type ShardInfo struct {
	ID      string
	Regions []string
}

// connections counts the connections of both listeners together. Nobody counts
// behind a trusted proxy, whose address is everybody's.
func (c Config) connections() (*counter, error) {
	proxies, err := inbound.ParseNetworks(c.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("TRUSTED_PROXIES: %w", err)
	}
	exempt, err := inbound.ParseNetworks(c.RateLimits.Exempt)
	if err != nil {
		return nil, fmt.Errorf("RATE_LIMIT_EXEMPT: %w", err)
	}
	return newCounter(cmp.Or(c.MaxConnections, defaultConnections), proxies, exempt), nil
}

// withDefaults fills in what may be left out.
func (c Config) withDefaults() Config {
	if c.Cities == nil {
		c.Cities = shard.Cities()
	}
	if len(c.Services) == 0 {
		c.Services = []string{"auth", "order", "restaurant", "delivery", "tracking", "bridge"}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Gatherer == nil {
		c.Gatherer = prometheus.DefaultGatherer
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.DrainTimeout <= 0 {
		c.DrainTimeout = defaultDrain
	}
	return c
}

// ownOrigins are the origins of pages that come from these listeners on this
// machine.
func ownOrigins(scheme string, listeners ...net.Listener) []string {
	var origins []string
	for _, ln := range listeners {
		if addr, ok := ln.Addr().(*net.TCPAddr); ok {
			port := strconv.Itoa(addr.Port)
			origins = append(origins, scheme+"://localhost:"+port, scheme+"://127.0.0.1:"+port)
		}
	}
	return origins
}
