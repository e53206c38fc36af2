package server

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tiffin/cache"
	"tiffin/flight"
	"tiffin/micro"
	"tiffin/services/restaurant"
	"tiffin/shard"
)

const (
	closeTimeout = 2 * time.Second
	// prepareRetry is the first pause between attempts to make the indexes while the store is away; each is longer.
	prepareRetry     = 2 * time.Second
	prepareRetryMost = time.Minute
)

// Config is what the service needs. Conn, MongoURL and Router are required; the zero value of anything else is a
// working default.
type Config struct {
	Conn     *nats.Conn
	MongoURL string        // mongodb://…/<database>; without a database in it, "restaurants"
	MongoTLS *tls.Config   // nil: as the URL says; else required, whatever the URL says
	Router   *shard.Router // normalises cities
	Redis    *redis.Client // nil: every read goes to the document store
	Log      *slog.Logger
	Metrics  prometheus.Registerer
	Audit    func(context.Context, micro.Act) // takes what is done to restaurants, see micro.ServiceConfig; may be nil
	Traces   trace.TracerProvider             // nil = trace context is passed on, no spans are made
	Clock    func() time.Time

	CacheTTL time.Duration // life of a cached city or menu; default 1h
}

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.CacheTTL = cmp.Or(c.CacheTTL, time.Hour)
	return c
}

// Server is one instance of the service.
type Server struct {
	cfg     Config
	log     *slog.Logger
	store   *store
	cache   *cache.Cache
	cities  *cache.Kind[*listing]  // by city key
	heads   *cache.Kind[*head]     // by restaurant id
	menus   *cache.Kind[*menu]     // by restaurant id
	prices  flight.Group[document] // reads of restaurants for quotes, by id
	words   words                  // what the store has vouched for
	scans   chan struct{}          // a slot per walk over the whole fleet
	service *micro.Service
}

// New makes a server. It does not wait for the document store. Nothing is served before Run, which also closes the
// connection to the store.
func New(_ context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	log := cfg.Log.With("service", restaurant.ServiceName)
	store, err := openStore(cfg.MongoURL, cfg.MongoTLS, log, cfg.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: log, store: store, scans: make(chan struct{}, maxScans),
		cache: cache.New(cache.Config{Redis: cfg.Redis, Log: log, Metrics: cfg.Metrics}),
	}
	s.cities = cache.NewKind(s.cache, cache.KindConfig[*listing]{
		Name: "restaurant:city", TTL: cfg.CacheTTL, Encode: encodeListing, Decode: decodeListing,
	})
	s.heads = cache.NewKind(s.cache, cache.KindConfig[*head]{
		Name: "restaurant:head", TTL: cfg.CacheTTL, Encode: encodeHead, Decode: decodeHead, Copies: 4096,
	})
	s.menus = cache.NewKind(s.cache, cache.KindConfig[*menu]{
		Name: "restaurant:menu", TTL: cfg.CacheTTL, Encode: encodeMenu, Decode: decodeMenu, Copies: 4096,
	})
	s.service = s.endpoints()
	return s, nil
}

// Run serves until ctx ends, then drains and returns nil. Requests in flight finish before cache and store go.
func (s *Server) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return s.cache.Run(background) })
	group.Go(func() error { s.prepare(background); return nil })
	err := s.service.Run(ctx)
	stop()
	return errors.Join(err, group.Wait(), s.close())
}

// close ends what New opened. It may be called again.
func (s *Server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return errors.Join(s.store.close(ctx), s.cache.Close())
}

// prepare makes the indexes as soon as the store is there.
func (s *Server) prepare(ctx context.Context) {
	for pause := prepareRetry; ; pause = min(2*pause, prepareRetryMost) {
		err := s.store.prepare(ctx)
		if err == nil {
			return
		}
		if ctx.Err() == nil {
			s.log.Warn("indexes could not be made yet", "error", err, "again in", pause)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// Ready is closed when every endpoint is subscribed.
func (s *Server) Ready() <-chan struct{} { return s.service.Ready() }

// Health is the state of the store and, without which reads are only slower, of Redis.
func (s *Server) Health(ctx context.Context) map[string]error {
	return map[string]error{"mongodb": s.store.ping(ctx), "redis": s.cache.Health(ctx)}
}
