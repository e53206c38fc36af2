package shard

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/sony/gobreaker/v2"

	"tiffin/flight"
)

const (
	// tripAfter failures in a row open a shard's breaker: one may be a
	// connection that died of age.
	tripAfter = 3
	// reopenAfter is how long an open breaker refuses before it lets one call
	// try. It bounds how much later than the shard itself its regions are back.
	reopenAfter = time.Second
	// connectTimeout bounds one connection attempt. It may outlast the call
	// that asked for it: the pool keeps the connection for the next one, which
	// is how a shard that is slow to greet comes back at all.
	connectTimeout = 3 * time.Second
	// pingTimeout bounds the check of a connection that was idle: without it a
	// frozen shard holds the check for as long as the whole call may take.
	pingTimeout = 500 * time.Millisecond
	// idleInTransaction ends transactions whose process went silent while
	// holding locks.
	idleInTransaction = 10 * time.Second
)

var (
	errBreakerOpen = errors.New("breaker open after repeated connection failures")
	errMigrating   = errors.New("migrations have not run yet")
)

// node is one shard: its pool, its breaker, and what is known of the regions it
// owns.
type node struct {
	id      string
	pool    *pgxpool.Pool
	timeout time.Duration
	breaker *gobreaker.CircuitBreaker[struct{}]
	// pending counts the services whose migrations have yet to run here. Until
	// then queries would fail for missing tables, which looks like a bug
	// instead of a shard that is late.
	pending atomic.Int32
	claims  atomic.Pointer[claims]
	replica *replica // nil: none
	// questions are those that an answer is awaited to, and life their context.
	questions flight.Group[struct{}]
	life      context.Context
	end       context.CancelFunc
}

func newNode(shard ShardConfig, opts Options) (*node, error) {
	pool, err := newPool("POSTGRES_SHARD_"+upper(shard.ID)+"_URL", shard.URL, shard.TLS, shard.ID, opts)
	if err != nil {
		return nil, err
	}
	n := &node{id: shard.ID, pool: pool, timeout: opts.Timeout, breaker: newBreaker(shard.ID, opts.Log)}
	n.claims.Store(&claims{})
	n.life, n.end = context.WithCancel(context.Background())
	n.questions.Patience = pingTimeout
	if shard.ReplicaURL != "" {
		if n.replica, err = newReplica(n, shard, opts); err != nil {
			n.end()
			pool.Close()
			return nil, err
		}
	}
	return n, nil
}

// close closes the pools, waiting for connections in use.
func (n *node) close() {
	n.end()
	if n.replica != nil {
		n.replica.pool.Close()
	}
	n.pool.Close()
}

// newPool makes the pool of a server, whose URL the variable has. It opens no
// connection.
func newPool(variable, url string, tls *tls.Config, id string, opts Options) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's message quotes the URL with everything but the password;
		// the variable's name is enough.
		return nil, fmt.Errorf("%s: not a usable postgres:// URL", variable)
	}
	secure(&config.ConnConfig.Config, tls)
	config.MaxConns = int32(opts.MaxConns)
	config.MaxConnLifetime = time.Hour
	config.MaxConnLifetimeJitter = 10 * time.Minute
	config.MaxConnIdleTime = 5 * time.Minute
	config.PingTimeout = pingTimeout
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	if opts.Traced {
		config.ConnConfig.Tracer = tracer{id}
	}
	params := config.ConnConfig.RuntimeParams
	params["application_name"] = opts.Name
	// The server gives up shortly before the client does: a statement the
	// client walked away from costs its connection, and one that waits for a
	// lock would hold it for nobody.
	params["statement_timeout"] = milliseconds(opts.Timeout)
	params["lock_timeout"] = milliseconds(opts.Timeout * 3 / 4)
	params["idle_in_transaction_session_timeout"] = milliseconds(idleInTransaction)
	// A plan that was made and kept while a table was nearly empty reads all of it, and goes on doing so while it fills:
	// queues are empty most of the time. Every query here has an index. A scan without one counts as very dear then, and
	// must not be compiled for that.
	params["enable_seqscan"], params["jit"] = "off", "off"
	// A statement is planned once for a connection, not again for each length of an array: that took a sixth of the
	// database's time in dispatch. No plan here hangs on a value; what does is written into the text (see order's lists).
	params["plan_cache_mode"] = "force_generic_plan"
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", variable, err)
	}
	return pool, nil
}

func upper(id string) string { return strings.ToUpper(id) }

// secure makes every way to the server go through TLS: a sslmode such as
// "prefer", the default, has plain text as its second way.
func secure(config *pgconn.Config, conf *tls.Config) {
	if conf == nil {
		return
	}
	config.TLSConfig = named(conf, config.Host)
	ways := []*pgconn.FallbackConfig{}
	seen := map[string]bool{fmt.Sprint(config.Host, config.Port): true}
	for _, way := range config.Fallbacks {
		if key := fmt.Sprint(way.Host, way.Port); !seen[key] {
			seen[key] = true
			ways = append(ways, &pgconn.FallbackConfig{Host: way.Host, Port: way.Port, TLSConfig: named(conf, way.Host)})
		}
	}
	config.Fallbacks = ways
}

// named expects the host's name in the certificate.
func named(conf *tls.Config, host string) *tls.Config {
	conf = conf.Clone()
	conf.ServerName = host
	return conf
}

func newBreaker(id string, log *slog.Logger) *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name:        id,
		Timeout:     reopenAfter,
		MaxRequests: 1,
		ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= tripAfter },
		IsSuccessful: func(err error) bool {
			var unavailable *UnavailableError
			return !errors.As(err, &unavailable) || !unavailable.down
		},
		// A caller who walks away says nothing about the shard, neither good
		// nor bad.
		IsExcluded: func(err error) bool { return errors.Is(err, context.Canceled) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			log.Warn("shard breaker", "shard", id, "from", from.String(), "to", to.String())
		},
	})
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// call runs fn under the shard's deadline and breaker, and turns what went
// wrong into errors of this package.
func (n *node) call(ctx context.Context, fn func(ctx context.Context) error) error {
	if n.pending.Load() > 0 {
		return &UnavailableError{Shard: n.id, Err: errMigrating}
	}
	ctx, cancel := context.WithTimeout(ctx, n.timeout)
	defer cancel()
	_, err := n.breaker.Execute(func() (struct{}, error) {
		// The one call that tries whether the shard is back asks it so first: a
		// frozen shard would otherwise keep a caller waiting for the whole
		// timeout, every time.
		if n.breaker.State() == gobreaker.StateHalfOpen {
			if err := n.ping(ctx); err != nil {
				return struct{}{}, &UnavailableError{Shard: n.id, Err: err, down: true}
			}
		}
		start := time.Now()
		err := fn(ctx)
		return struct{}{}, n.translate(err, time.Since(start))
	})
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return &UnavailableError{Shard: n.id, Err: errBreakerOpen}
	}
	return err
}

// translate wraps what means "not now" into an UnavailableError and leaves
// everything else as it is.
func (n *node) translate(err error, elapsed time.Duration) error {
	var done *UnavailableError
	if err == nil || errors.As(err, &done) {
		return err
	}
	switch diagnose(err, elapsed) {
	case busy:
		return &UnavailableError{Shard: n.id, Err: err}
	case down:
		return &UnavailableError{Shard: n.id, Err: err, down: true}
	default:
		return err
	}
}

// ping checks that the shard answers within pingTimeout, past breaker and pending
// migrations: it is how one sees that they can go.
func (n *node) ping(ctx context.Context) error {
	return n.question(ctx, "ping", pingTimeout, n.pool.Ping)
}

// question asks the shard something small, at the same time for all who want to
// know it (flight.Group).
//
// Who gives up does not end the question. That would end its connection, and to
// make another costs a server more than any answer: one that is merely overloaded
// would be kept so by those who ask how it is.
func (n *node) question(ctx context.Context, name string, timeout time.Duration, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	_, err := n.questions.Do(ctx, name, func(context.Context) (struct{}, error) {
		ctx, cancel := context.WithTimeout(n.life, max(timeout, connectTimeout))
		defer cancel()
		return struct{}{}, ask(ctx)
	})
	return err
}
