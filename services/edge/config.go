package edge

import (
	"io/fs"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/micro"
	"tiffin/services/auth/token"
	"tiffin/shard"
)

// Config is what an edge needs. Conn, Client, Redis and Verifier are required; the zero value of anything else is a
// working default.
type Config struct {
	BindAddress  string // interface of both listeners, "" is all of them
	Port         int    // REST, realtime and web app; 0 takes a free port, see Server.Addr
	TrackingPort int    // realtime alone; 0 takes a free port, see Server.TrackingAddr

	Conn     *nats.Conn // of role edge; for discovery and the health of NATS itself
	Client   *micro.Client
	Redis    *redis.Client
	Verifier *token.Verifier

	Origins           []string // CORS_ORIGINS; empty: the edge's own and http://localhost:5173
	TrustedProxies    []string // addresses and networks whose X-Forwarded-For counts
	RateLimits        RateLimits
	TrackingAnonymous bool   // sockets may subscribe by order id without a token
	MapTilesURL       string // the web app may load map tiles from there

	Web    fs.FS            // the built web app; nil serves the API alone
	Cities *shard.Gazetteer // for GET /cities; nil is shard.Cities()
	Shards []ShardInfo      // for the operations page

	// Services are the micro services that must have been up once before the edge calls itself ready. Empty: all six.
	Services []string

	Log      *slog.Logger
	Metrics  prometheus.Registerer // where the edge's own metrics go
	Gatherer prometheus.Gatherer   // what /metrics shows; nil answers 404 there
	Clock    func() time.Time

	// DrainTimeout bounds how long requests in flight may take after the end of the context, default 10s.
	DrainTimeout time.Duration
}

// RateLimits are in requests per second, each with a burst of one second's worth; 0 switches a limit off.
type RateLimits struct {
	General, Auth, Orders int      // per client address, and per signed-in user
	Location              int      // per rider
	Exempt                []string // networks without limits
}

// ShardInfo is what the operations page says about a shard besides its health.
type ShardInfo struct {
	ID      string   `json:"id"`
	Regions []string `json:"regions"`
}
