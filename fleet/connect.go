package fleet

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"tiffin/cache"
	"tiffin/config"
	"tiffin/micro"
	"tiffin/shard"
	"tiffin/telemetry"
)

// sharded are the roles that work on the shards.
var sharded = []string{"auth", "order", "delivery"}

// routed are the roles that look cities and ids up, which takes the gazetteer:
// memory that a bridge on its own does not need.
var routed = append([]string{"restaurant", "edge"}, sharded...)

const (
	// natsPatience is how long a starting process waits for NATS. In a deployment
	// everything starts at once, in any order.
	natsPatience = 60 * time.Second
	// streamTimeout is how long it waits for one answer: a second request is
	// answered when the first was lost.
	streamTimeout = 2 * time.Second
)

// deps is what the roles of a process share.
type deps struct {
	config  config.Config
	log     *slog.Logger
	metrics *prometheus.Registry
	traces  *telemetry.Traces // nil when they go nowhere
	router  *shard.Router     // nil when no role asks where something lives
	shards  *shard.Set        // nil when no role works on the shards
	redis   *redis.Client     // nil when REDIS_URL is not set
	conns   []*nats.Conn
	// lost gets the reason when a connection is closed for good.
	lost chan error
}

// connect opens what the roles need. Databases that are away do not stop it:
// their roles answer 503 until they are back.
func connect(ctx context.Context, c Config, metrics *prometheus.Registry, traces *telemetry.Traces) (*deps, error) {
	d := &deps{config: c.Config, log: c.Log, metrics: metrics, traces: traces, lost: make(chan error, 1)}
	shards, err := ShardConfig(c.Config)
	if err != nil {
		return nil, err
	}
	if c.first(routed) != "" {
		if d.router, err = shard.NewRouter(shards); err != nil {
			return nil, err
		}
	}
	if c.Config.RedisURL != "" {
		if d.redis, err = openRedis(c.Config); err != nil {
			return nil, err
		}
		cache.WatchPool(d.metrics, "shared", d.redis)
	}
	if c.first(sharded) != "" {
		keys, err := c.Config.SealingKeys()
		if err != nil {
			return nil, err
		}
		if keys == nil {
			c.Log.Warn("personal data is stored as plain text: DATA_KEYS is not set")
		}
		d.shards, err = shard.Open(ctx, d.router, shards, shard.Options{
			Log: c.Log, Metrics: d.metrics, MaxConns: c.Config.PoolSize, Keys: keys,
			Traced: d.traces != nil, MaxLag: c.Config.ReplicaMaxLag,
		})
		if err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// ShardConfig is what the configuration says of the shards, with how they are
// reached. Its errors name the variable.
func ShardConfig(c config.Config) (shard.Config, error) {
	var out shard.Config
	for _, s := range c.Shards {
		secure, err := c.ClientTLS("POSTGRES_SHARD_" + upper(s.ID) + "_URL")
		if err != nil {
			return out, err
		}
		copied, err := c.ClientTLS("POSTGRES_SHARD_" + upper(s.ID) + "_REPLICA_URL")
		if err != nil {
			return out, err
		}
		out.Shards = append(out.Shards, shard.ShardConfig{
			ID: s.ID, URL: s.URL, Regions: s.Regions, TLS: secure, ReplicaURL: s.Replica, ReplicaTLS: copied})
	}
	return out, nil
}

// openRedis gives a client that keeps to the caller's deadline, which is not
// the library's default, and never sends a write twice.
func openRedis(c config.Config) (*redis.Client, error) {
	opts, err := redis.ParseURL(c.RedisURL)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	secure, err := c.ClientTLS("REDIS_URL")
	if err != nil {
		return nil, err
	}
	if secure != nil {
		opts.TLSConfig = secure
	}
	opts.ContextTimeoutEnabled = true
	opts.MaxRetries = -1
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = time.Second, time.Second, time.Second
	opts.PoolTimeout = time.Second
	return redis.NewClient(opts), nil
}

// nats opens a connection of its own for a role.
func (d *deps) nats(ctx context.Context, role string) (*nats.Conn, error) {
	secure, err := d.config.ClientTLS("NATS_URL")
	if err != nil {
		return nil, err
	}
	err = d.await(ctx, "NATS", role, func(context.Context) (again bool, err error) {
		conn, err := micro.Connect(micro.ConnConfig{
			URL: d.config.NATSURL, Role: role, Password: d.config.NATSPasswords[role], TLS: secure,
			Log: d.log, OnLost: d.connLost(role),
		})
		if err == nil {
			d.conns = append(d.conns, conn)
			return false, nil
		}
		if err := hopeless(err, role); err != nil {
			return false, err
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	return d.conns[len(d.conns)-1], nil
}

// streams makes the streams, or brings them up to date, as the role of js.
func (d *deps) streams(ctx context.Context, js jetstream.JetStream) error {
	return d.await(ctx, "JetStream", js.Conn().Opts.User, func(ctx context.Context) (again bool, err error) {
		ctx, cancel := context.WithTimeout(ctx, streamTimeout)
		defer cancel()
		_, err = micro.EnsureStream(ctx, js, d.config.StreamReplicas)
		return unanswered(err), err
	})
}

// unanswered tells whether JetStream may do later what it did not do now: a
// cluster is silent, or says that it is not available, until it has elected a
// leader. It is silent too towards some of those who want the same stream at the
// same moment, as the instances of a deployment do.
func unanswered(err error) bool {
	var refused *jetstream.APIError
	if errors.As(err, &refused) {
		return refused.Code == http.StatusServiceUnavailable && refused.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabled &&
			refused.ErrorCode != jetstream.JSErrCodeJetStreamNotEnabledForAccount
	}
	return errors.Is(err, context.DeadlineExceeded)
}

// await tries until it need not try again, and says meanwhile what for.
func (d *deps) await(ctx context.Context, what, role string, try func(ctx context.Context) (again bool, err error)) error {
	ctx, cancel := context.WithTimeout(ctx, natsPatience)
	defer cancel()
	for {
		again, err := try(ctx)
		if !again {
			return err
		}
		d.log.Warn("waiting for "+what, "role", role, "error", err)
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// hopeless says what to mend when waiting will not: a refused password, a
// certificate of another authority, a server without TLS.
func hopeless(err error, role string) error {
	var untrusted *tls.CertificateVerificationError
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return fmt.Errorf("%w; is NATS_%s_PASSWORD the server's?", err, upper(role))
	case errors.As(err, &untrusted):
		return fmt.Errorf("%w; is TLS_CA the authority that signed the certificate of NATS?", err)
	case errors.Is(err, nats.ErrSecureConnWanted):
		return fmt.Errorf("%w; TLS_CA is set, and NATS offers no TLS", err)
	}
	return nil
}

// connLost reports a connection that was closed although nobody stopped us.
func (d *deps) connLost(role string) func(error) {
	return func(err error) {
		select {
		case d.lost <- fmt.Errorf("role %s lost its NATS connection for good: %w", role, err):
		default: // the first reason is enough to end the process
		}
	}
}

// client makes calls in the name of the connection's role.
func (d *deps) client(conn *nats.Conn) *micro.Client {
	return micro.NewClient(conn, micro.ClientConfig{Metrics: d.metrics, Traces: d.traces.For(conn.Opts.User)})
}

// close ends the connections, last of all.
func (d *deps) close() {
	for _, conn := range d.conns {
		conn.Close()
	}
	if d.shards != nil {
		d.shards.Close()
	}
	if d.redis != nil {
		if err := d.redis.Close(); err != nil {
			d.log.Warn("closing redis", "error", err)
		}
	}
}
