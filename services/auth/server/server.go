package server

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"tiffin/cache"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/revoked"
	"tiffin/services/auth/token"
	"tiffin/services/delivery/deliverytx"
	"tiffin/shard"
	"tiffin/wire"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what the service needs. Conn, Shards and JWTSecret are required; the zero value of anything else is a
// working default.
type Config struct {
	Conn    *nats.Conn
	Shards  *shard.Set
	Redis   *redis.Client // nil: profiles are read from their shard each time
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Traces  trace.TracerProvider // nil = trace context is passed on, no spans are made
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

func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	c.JWTExpiry = cmp.Or(c.JWTExpiry, 24*time.Hour)
	c.RefreshTTL = cmp.Or(c.RefreshTTL, 30*24*time.Hour)
	c.ProfileTTL = cmp.Or(c.ProfileTTL, 30*time.Minute)
	c.ReservationTTL = cmp.Or(c.ReservationTTL, 5*time.Second)
	c.SweepInterval = cmp.Or(c.SweepInterval, 15*time.Second)
	return c
}

// Server is one instance of the service.
type Server struct {
	cfg       Config
	log       *slog.Logger
	metrics   *metrics
	service   *micro.Service
	cache     *cache.Cache
	profiles  *cache.Kind[auth.User]
	hasher    *hasher
	signer    *token.Signer
	registrar *registrar
	sessions  *sessions
	keys      *apiKeys
	sweeper   *sweeper
	announcer *revoked.Announcer
	trail     *trail
}

// New makes a server and brings its tables up to date on every reachable shard. Nothing is served before Run.
func New(ctx context.Context, cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := shard.Migrate(ctx, cfg.Shards, "auth", migrations); err != nil {
		return nil, err
	}
	// Riders' partner records are written in the transaction of their accounts.
	if err := deliverytx.Migrate(ctx, cfg.Shards); err != nil {
		return nil, err
	}
	hasher, err := newHasher(cfg.BcryptCost, cfg.BcryptWorkers, cfg.BcryptQueue)
	if err != nil {
		return nil, err
	}
	metrics, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	log := cfg.Log.With("service", auth.ServiceName)
	claims := &claims{shards: cfg.Shards, log: log}
	s := &Server{
		cfg: cfg, log: log, metrics: metrics, hasher: hasher,
		signer:    token.NewSigner(cfg.JWTSecret, cfg.JWTExpiry, token.WithClock(cfg.Clock)),
		registrar: &registrar{shards: cfg.Shards, claims: claims, ttl: cfg.ReservationTTL, log: log, step: func(string) {}},
		sessions:  &sessions{shards: cfg.Shards, ttl: cfg.RefreshTTL, clock: cfg.Clock},
		cache:     cache.New(cache.Config{Redis: cfg.Redis, Log: log, Metrics: cfg.Metrics}),
	}
	s.trail = &trail{shards: cfg.Shards, log: log}
	s.keys = &apiKeys{shards: cfg.Shards, clock: cfg.Clock, log: log}
	// A revoked key must be known to be so for as long as an edge may remember it as a good one.
	s.announcer = revoked.NewAnnouncer(cfg.Redis, max(cfg.JWTExpiry, 2*auth.KeyMemory), log, cfg.Clock, s.revokedSince)
	s.sweeper = &sweeper{
		registrar: s.registrar, interval: cfg.SweepInterval, lag: defaultLag, clock: cfg.Clock, log: log,
		loop: micro.NewLoop(cfg.Metrics, "auth.sweep"),
	}
	s.profiles = cache.NewKind(s.cache, cache.KindConfig[auth.User]{
		Name: "auth:user", TTL: cfg.ProfileTTL, Encode: s.encodeUser, Decode: s.decodeUser,
	})
	s.service = s.endpoints()
	return s, nil
}

// Run serves until ctx ends, then drains and returns nil. Requests in flight finish before the cache goes.
func (s *Server) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var group errgroup.Group
	group.Go(func() error { return s.cache.Run(background) })
	group.Go(func() error { return s.sweeper.Run(background) })
	group.Go(func() error { return s.announcer.Run(background) })
	err := s.service.Run(ctx)
	stop()
	return errors.Join(err, group.Wait())
}

// Ready is closed when every endpoint is subscribed.
func (s *Server) Ready() <-chan struct{} { return s.service.Ready() }

// Health is the state of the shards and, without which only more queries are made, of Redis.
func (s *Server) Health(ctx context.Context) map[string]error {
	health := s.cfg.Shards.Health(ctx)
	health["redis"] = s.cache.Health(ctx)
	return health
}

// revokedSince lists the sessions and API keys ended after that, over all shards. A shard that is away is an error, so
// that it is asked again.
func (s *Server) revokedSince(ctx context.Context, since time.Time) (found []revoked.Family, err error) {
	for _, db := range s.cfg.Shards.All() {
		err := db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
			for _, list := range []func(context.Context, shard.Querier, time.Time) ([]revoked.Family, error){
				s.sessions.revokedSince, s.keys.revokedSince,
			} {
				some, err := list(ctx, q, since)
				if err != nil {
					return err
				}
				found = append(found, some...)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// encodeUser keeps a profile in the cache as clients see it, but for the phone number, which is sealed there as in its
// table. The hash never gets there.
func (s *Server) encodeUser(u auth.User) ([]byte, error) {
	u.PhoneNumber = s.cfg.Shards.Keys().Seal(u.PhoneNumber, phoneColumn, u.ID)
	return wire.Encode(u)
}

// decodeUser reads what encodeUser wrote.
func (s *Server) decodeUser(data []byte) (u auth.User, err error) {
	if err := wire.Decode(data, &u); err != nil {
		return u, err
	}
	u.PhoneNumber, err = s.cfg.Shards.Keys().Open(u.PhoneNumber, phoneColumn, u.ID)
	return u, err
}
