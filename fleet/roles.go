package fleet

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"tiffin/bridge"
	"tiffin/services/auth"
	"tiffin/services/auth/revoked"
	authserver "tiffin/services/auth/server"
	"tiffin/services/auth/token"
	deliveryserver "tiffin/services/delivery/server"
	"tiffin/services/edge"
	orderserver "tiffin/services/order/server"
	restaurantserver "tiffin/services/restaurant/server"
	trackingserver "tiffin/services/tracking/server"
	"tiffin/shard/outbox"
	"tiffin/web"
)

// role is one loop of the process: a service, a relay, the bridge, the edge.
type role struct {
	name string
	run  func(ctx context.Context) error
	// ready is closed once it answers; nil when it has nothing to answer.
	ready <-chan struct{}
	// health is the state of what it depends on; nil when it depends on nothing
	// but NATS and Redis.
	health func(context.Context) map[string]error
}

// built is what a process runs, by when it starts and, the other way round,
// stops.
type built struct {
	answer, relay, edge []role
}

// server is what all service packages look like from here.
type server interface {
	Run(ctx context.Context) error
	Ready() <-chan struct{}
	Health(ctx context.Context) map[string]error
}

// build makes the roles. Services bring their tables up to date meanwhile, all
// at once, since each has a schema and a lock of its own.
func (d *deps) build(ctx context.Context, names []string) (*built, error) {
	b := &built{}
	conns := map[string]*nats.Conn{}
	for _, name := range names {
		conn, err := d.nats(ctx, name)
		if err != nil {
			return nil, err
		}
		conns[name] = conn
	}
	if err := d.relays(ctx, b, conns); err != nil {
		return nil, err
	}
	answer := make([]role, len(names))
	group, ctx := errgroup.WithContext(ctx)
	for i, name := range names {
		if name == "edge" {
			continue
		}
		group.Go(func() error {
			s, err := d.service(ctx, name, conns[name])
			if err != nil {
				return fmt.Errorf("role %s: %w", name, err)
			}
			answer[i] = role{name: name, run: s.Run, ready: s.Ready(), health: s.Health}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, r := range answer {
		switch r.name {
		case "": // the edge's place
		case "bridge":
			b.relay = append(b.relay, r)
		default:
			b.answer = append(b.answer, r)
		}
	}
	if conn := conns["edge"]; conn != nil {
		b.edge = append(b.edge, role{name: "edge", run: func(ctx context.Context) error { return d.edge(ctx, conn) }})
	}
	return b, nil
}

func (d *deps) service(ctx context.Context, name string, conn *nats.Conn) (server, error) {
	c, client, traces := d.config, d.client(conn), d.traces.For(name)
	audit := auth.NewClient(client).Auditor(name, d.log)
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	switch name {
	case "auth":
		return authserver.New(ctx, authserver.Config{
			Conn: conn, Shards: d.shards, Redis: d.redis, Log: d.log, Metrics: d.metrics, Traces: traces,
			JWTSecret: c.JWTSecret, JWTExpiry: c.JWTExpiry, BcryptCost: c.BcryptCost,
		})
	case "restaurant":
		secure, err := c.ClientTLS("MONGODB_URL")
		if err != nil {
			return nil, err
		}
		return restaurantserver.New(ctx, restaurantserver.Config{
			Conn: conn, MongoURL: c.MongoURL, MongoTLS: secure, Router: d.router, Redis: d.redis, Log: d.log, Metrics: d.metrics, Traces: traces,
			Audit: audit,
		})
	case "order":
		return orderserver.New(ctx, orderserver.Config{
			Conn: conn, Shards: d.shards, Client: client, Log: d.log, Metrics: d.metrics, Traces: traces, Audit: audit,
			AcceptTTL: c.AcceptTTL, DeliveryRadiusKM: c.DeliveryRadiusKM,
		})
	case "delivery":
		return deliveryserver.New(ctx, deliveryserver.Config{
			Conn: conn, JS: js, Shards: d.shards, Client: client, Log: d.log, Metrics: d.metrics, Traces: traces,
			OfferTTL: c.OfferTTL, SilentTTL: c.SilentTTL, DispatchRadiusKM: c.DispatchRadiusKM,
		})
	case "tracking":
		return trackingserver.New(ctx, trackingserver.Config{
			Conn: conn, JS: js, Redis: d.redis, Client: client, Log: d.log, Metrics: d.metrics, Traces: traces,
			TrackingTTL: c.TrackingTTL, RateLimitLocation: c.RateLimitLocation,
		})
	case "bridge":
		secure, err := c.ClientTLS("RABBITMQ_URL")
		if err != nil {
			return nil, err
		}
		return bridge.New(bridge.Config{
			Conn: conn, JS: js, RabbitURL: c.RabbitMQURL, RabbitTLS: secure, Log: d.log, Metrics: d.metrics, Traces: traces,
			Window: c.BridgeWindow, MaxAge: c.EventsMaxAge,
		}), nil
	}
	return nil, fmt.Errorf("no role %q", name)
}

// relays make the streams and add one relay per shard to a process that runs
// order or delivery: those users of NATS may publish events. Any number of
// processes may have relays; a lock on each shard lets one of them work.
func (d *deps) relays(ctx context.Context, b *built, conns map[string]*nats.Conn) error {
	conn := conns["order"]
	if conn == nil {
		conn = conns["delivery"]
	}
	if conn == nil {
		return nil
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	if err := d.streams(ctx, js); err != nil {
		return err
	}
	for _, db := range d.shards.All() {
		relay := outbox.NewRelay(outbox.RelayConfig{
			DB: db, JS: js, Log: d.log, Metrics: d.metrics, Traces: d.traces.For("relay"), Replicas: d.config.StreamReplicas,
		})
		b.relay = append(b.relay, role{name: "relay-" + db.ID(), run: relay.Run})
	}
	return nil
}

// edge opens its listeners and serves. It is made late, so that nobody is
// let in before there is something behind the door.
func (d *deps) edge(ctx context.Context, conn *nats.Conn) error {
	c := d.config
	var shards []edge.ShardInfo
	for _, s := range c.Shards {
		shards = append(shards, edge.ShardInfo{ID: s.ID, Regions: s.Regions})
	}
	var pages fs.FS
	if web.Built() {
		var err error
		if pages, err = web.App(web.Settings{MapTilesURL: c.MapTilesURL, AssetURL: c.AssetURL}); err != nil {
			return err
		}
	}
	secure, err := c.ServerTLS()
	if err != nil {
		return err
	}
	ended := revoked.NewList(d.redis, d.log, nil)
	e, err := edge.New(edge.Config{
		TLS:         secure,
		BindAddress: c.BindAddress, Port: c.EdgePort, TrackingPort: c.TrackingPort,
		Conn: conn, Client: d.client(conn), Redis: d.redis, Revoked: ended,
		Verifier:       token.NewVerifier(c.JWTSecret, token.WithRevoked(ended.Has)),
		MaxConnections: c.MaxConnections,
		Origins:        c.CORSOrigins, TrustedProxies: c.TrustedProxies,
		RateLimits: edge.RateLimits{
			General: c.RateLimitGeneral, Auth: c.RateLimitAuth, Orders: c.RateLimitOrders,
			Location: c.RateLimitLocation, Exempt: c.RateLimitExempt,
		},
		TrackingAnonymous: c.TrackingAnonymous, MapTilesURL: c.MapTilesURL, AssetURL: c.AssetURL,
		Web: pages, Cities: d.router.Cities(), Shards: shards,
		Log: d.log, Metrics: d.metrics, Gatherer: d.metrics, Traces: d.traces.For("edge"),
	})
	if err != nil {
		return err
	}
	return e.Run(ctx)
}

// beforeEdge runs the caller's hook as the operator.
func (c Config) beforeEdge(ctx context.Context, d *deps) error {
	if c.BeforeEdge == nil {
		return nil
	}
	conn, err := d.nats(ctx, "ops")
	if err != nil {
		return err
	}
	return c.BeforeEdge(ctx, d.client(conn))
}

func upper(role string) string { return strings.ToUpper(role) }
