package edge

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"tiffin/health"
	"tiffin/services/auth"
	"tiffin/services/edge/apikeys"
	"tiffin/services/edge/inbound"
	"tiffin/services/edge/ops"
	"tiffin/services/edge/ratelimit"
	"tiffin/services/edge/realtime"
	"tiffin/services/edge/rest"
	"tiffin/services/edge/webapp"
	"tiffin/services/order"
	"tiffin/services/tracking"
)

// Server is an edge whose listeners are open. Make it with New, then Run it
// once.
type Server struct {
	cfg       Config
	log       *slog.Logger
	limiter   *ratelimit.Limiter
	readiness *health.Watch
	census    *ops.Census
	board     *ops.Board
	realtime  *realtime.Server
	doors     []door
}

// door is an app behind a listener.
type door struct {
	name     string
	app      *fiber.App
	listener net.Listener
}

// New opens both listeners, so that a port in use is an error here, before
// anything else starts. Connections wait in the kernel until Run serves them.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	count, err := cfg.connections()
	if err != nil {
		return nil, err
	}
	main, err := listen("API_GATEWAY_PORT", cfg.BindAddress, cfg.Port, cfg.TLS, count)
	if err != nil {
		return nil, err
	}
	live, err := listen("TRACKING_SERVICE_PORT", cfg.BindAddress, cfg.TrackingPort, cfg.TLS, count)
	if err != nil {
		return nil, errors.Join(err, main.Close())
	}
	s, err := assemble(cfg, main, live)
	if err != nil {
		return nil, errors.Join(err, main.Close(), live.Close())
	}
	return s, nil
}

// assemble builds the edge from the inside out: what it knows of the fleet, the
// gate, then one app per listener.
func assemble(cfg Config, main, live net.Listener) (*Server, error) {
	proxies, err := inbound.ParseNetworks(cfg.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("TRUSTED_PROXIES: %w", err)
	}
	exempt, err := inbound.ParseNetworks(cfg.RateLimits.Exempt)
	if err != nil {
		return nil, fmt.Errorf("RATE_LIMIT_EXEMPT: %w", err)
	}
	scheme := "http"
	if cfg.TLS != nil {
		scheme = "https"
	}
	own := ownOrigins(scheme, main, live)
	if len(cfg.Origins) == 0 {
		cfg.Origins = append(own, devOrigin)
	}
	s := &Server{cfg: cfg, log: cfg.Log}
	s.limiter = ratelimit.New(ratelimit.Config{Redis: cfg.Redis, Log: cfg.Log, Metrics: cfg.Metrics, Clock: cfg.Clock})
	s.realtime = realtime.New(realtime.Config{
		Verifier: cfg.Verifier, Orders: order.NewClient(cfg.Client), Tracking: tracking.NewClient(cfg.Client),
		Redis: cfg.Redis, Origins: cfg.Origins, Exempt: exempt, Anonymous: cfg.TrackingAnonymous,
		Log: cfg.Log, Metrics: cfg.Metrics, Clock: cfg.Clock,
	})
	keys := apikeys.New(auth.NewClient(cfg.Client), cfg.Revoked, cfg.Clock)
	watch := s.watched()
	s.readiness = ops.NewReadiness(watch)
	s.census = ops.NewCensus(cfg.Redis, s.realtime.Sockets)
	s.board = ops.NewBoard(watch, s.readiness, s.census, shardsOf(cfg), cfg.Clock)
	api := rest.New(rest.Config{
		Client: cfg.Client, Verifier: cfg.Verifier, Limiter: s.limiter, Rates: ratesOf(cfg.RateLimits), Exempt: exempt,
		Keys: keys, Cities: cfg.Cities, Revoked: cfg.Revoked, Clock: cfg.Clock,
		Overview: s.board.Overview,
	})
	pages, err := webapp.New(webapp.Config{
		Files: cfg.Web, Assets: originOf(cfg.AssetURL), Tiles: originOf(cfg.MapTilesURL), Prefixes: reserved()})
	if err != nil {
		return nil, err
	}
	docs, err := newDocumentation()
	if err != nil {
		return nil, err
	}
	gate := inbound.New(inbound.Config{
		Origins: cfg.Origins, Proxies: proxies, Traces: cfg.Traces, Log: cfg.Log, Metrics: cfg.Metrics, Clock: cfg.Clock})
	s.doors = []door{{"edge", s.app(gate), main}, {"tracking", s.app(gate), live}}
	docs.mount(s.doors[0].app)
	api.Mount(s.doors[0].app)
	s.doors[0].app.Use(pages.Handle) // last: it takes every path that nobody else has
	return s, nil
}

// watched is what readiness and the operations page look at.
func (s *Server) watched() ops.Config {
	return ops.Config{Conn: s.cfg.Conn, Redis: s.cfg.Redis, Client: s.cfg.Client, Services: s.cfg.Services,
		Log: s.cfg.Log, Metrics: s.cfg.Metrics}
}

// app makes what both doors have in common: the gate, the probes and the sockets.
func (s *Server) app(gate *inbound.Gate) *fiber.App {
	app := newApp(gate, s.log)
	s.mountProbes(app)
	app.Use("/ws", nameRoute("/ws"))
	app.Use("/socket.io", nameRoute("/socket.io/"))
	s.realtime.Mount(app)
	return app
}

// shardsOf names the shards for the operations page; whether they are healthy is
// known later.
func shardsOf(cfg Config) []ops.Shard {
	shards := make([]ops.Shard, len(cfg.Shards))
	for i, s := range cfg.Shards {
		shards[i] = ops.Shard{ID: s.ID, Regions: s.Regions}
	}
	return shards
}

// ratesOf gives the configured rates to the groups of the table.
func ratesOf(r RateLimits) map[rest.Limit]int {
	return map[rest.Limit]int{
		rest.LimitGeneral: r.General, rest.LimitAuth: r.Auth, rest.LimitOrders: r.Orders, rest.LimitLocation: r.Location}
}

// Addr is where REST, realtime and the web app are served.
func (s *Server) Addr() net.Addr { return s.doors[0].listener.Addr() }

// TrackingAddr is where realtime alone is served.
func (s *Server) TrackingAddr() net.Addr { return s.doors[1].listener.Addr() }

// Run serves until ctx ends, then drains: no new connections, sockets are told
// to go elsewhere, requests in flight are finished. It returns nil after a
// clean stop, and an error when a listener fails or the drain takes too long.
func (s *Server) Run(ctx context.Context) error {
	// Limits and the watch serve the requests in flight too, so they outlive
	// ctx until the doors are shut.
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var background errgroup.Group
	background.Go(func() error { return s.limiter.Run(inner) })
	background.Go(func() error { return s.readiness.Run(inner) })
	background.Go(func() error { return s.census.Run(inner) })
	background.Go(func() error { return s.board.Run(inner) })
	if s.cfg.Revoked != nil {
		background.Go(func() error { return s.cfg.Revoked.Run(inner) })
	}

	doors, ctx := errgroup.WithContext(ctx)
	doors.Go(func() error { return s.realtime.Run(ctx) })
	for _, d := range s.doors {
		doors.Go(func() error { return d.serve(ctx) })
		doors.Go(func() error {
			<-ctx.Done()
			s.readiness.Stop()
			return d.shut(s.cfg)
		})
	}
	err := doors.Wait()
	stop()
	return errors.Join(err, background.Wait())
}

// serve accepts connections until the listener is closed.
func (d door) serve(ctx context.Context) error {
	if err := d.app.Listener(d.listener); err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s: serve: %w", d.name, err)
	}
	return nil
}

// shut stops accepting and waits for requests in flight.
func (d door) shut(cfg Config) error {
	err := d.app.ShutdownWithTimeout(cfg.DrainTimeout)
	// A listener that was not being served yet is unknown to the app; closing
	// one twice does no harm.
	if cerr := d.listener.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	if err != nil {
		return fmt.Errorf("%s: drain: %w", d.name, err)
	}
	return nil
}
