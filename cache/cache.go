package cache

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/sony/gobreaker/v2"
)

const (
	// opTimeout bounds one command. A cache that is slower than the source is worse than none.
	opTimeout = 250 * time.Millisecond
	// closedTTL outlives any write of the source (whose own timeout is 2s) and is short enough to be missed by nobody.
	closedTTL = 10 * time.Second
	// payInterval is how often owed deletions are retried.
	payInterval = 100 * time.Millisecond
)

// Config is what a Cache needs.
type Config struct {
	// Redis names the server; the cache opens a pool of its own with short timeouts and no retries. Nil: no cache.
	Redis   *redis.Client
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Cache is the connection to Redis that the Kinds of a process share. Make it with New, give its Run a goroutine.
type Cache struct {
	rdb     *redis.Client // nil: away for good
	log     *slog.Logger
	breaker *gobreaker.CircuitBreaker[any]
	reads   *prometheus.CounterVec
	checks  checks

	mu    sync.RWMutex
	owed  map[string]uint64 // keys whose deletion Redis has not taken yet, each with the number of its latest debt
	debts uint64            // how many there ever were
}

// New returns a cache. It does not connect yet.
func New(cfg Config) *Cache {
	c := &Cache{log: cfg.Log, owed: make(map[string]uint64)}
	c.checks.cache = c
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	c.reads = readsCounter(cfg.Metrics)
	if cfg.Redis == nil {
		return c
	}
	opts := *cfg.Redis.Options()
	opts.ContextTimeoutEnabled = true // go-redis ignores the context otherwise
	opts.MaxRetries = -1
	opts.DialerRetries = 1
	// The copied options hold state of the other client, which two clients cannot share.
	opts.PushNotificationProcessor = nil
	opts.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	opts.DialTimeout, opts.ReadTimeout, opts.WriteTimeout = opTimeout, opTimeout, opTimeout
	c.rdb = redis.NewClient(&opts)
	WatchPool(cfg.Metrics, "cache", c.rdb)
	c.breaker = gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name: "cache", Timeout: time.Second,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= 3 },
		IsSuccessful: func(err error) bool { // an absent key is an answer, and a caller who left says nothing about Redis
			return err == nil || isNil(err) || errors.Is(err, context.Canceled)
		},
	})
	return c
}

// readsCounter registers the metric, or finds the one that another cache of this process has registered.
func readsCounter(metrics prometheus.Registerer) *prometheus.CounterVec {
	reads := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tiffin_cache_reads_total",
		Help: "Reads of cached values by kind and by where the value came from: memory, redis or source.",
	}, []string{"kind", "from"})
	if metrics == nil {
		return reads
	}
	var registered prometheus.AlreadyRegisteredError
	if errors.As(metrics.Register(reads), &registered) {
		if existing, ok := registered.ExistingCollector.(*prometheus.CounterVec); ok {
			return existing
		}
	}
	return reads
}

// Run retries owed deletions until ctx ends, and then closes the connections. It is ready to be started once.
func (c *Cache) Run(ctx context.Context) error {
	if c.rdb == nil {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(payInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			c.pay(context.WithoutCancel(ctx))
			return c.Close()
		case <-tick.C:
			c.pay(ctx)
		}
	}
}

// Close ends the connections of a cache whose Run was never called.
func (c *Cache) Close() error {
	if c.rdb == nil {
		return nil
	}
	if err := c.rdb.Close(); !errors.Is(err, redis.ErrClosed) {
		return err
	}
	return nil
}

// Health pings Redis; nil without one.
func (c *Cache) Health(ctx context.Context) error {
	if c.rdb == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	return c.rdb.Ping(ctx).Err()
}

// Change runs write, which changes what the keys' values are made from, and returns its error. When Change returns,
// no read that starts later gets a value from before the write, whether the write succeeded, failed or left that open.
func (c *Cache) Change(ctx context.Context, keys []string, write func(context.Context) error) error {
	if c.rdb == nil {
		return write(ctx)
	}
	if err := c.closeAll(ctx, keys); err != nil {
		c.log.WarnContext(ctx, "cache could not be closed before a write", "error", err)
	}
	// Deferred so that a panic in write deletes too. The caller may have gone by then, hence its context may not count.
	defer c.reopen(context.WithoutCancel(ctx), keys)
	return write(ctx)
}

// reopen deletes the keys, or remembers that it has to be done.
func (c *Cache) reopen(ctx context.Context, keys []string) {
	if err := c.delete(ctx, keys); err != nil {
		c.owe(keys)
		c.log.WarnContext(ctx, "cache deletion is owed", "keys", len(keys), "error", err)
	}
}

// closeAll gives every key a generation under which nothing can be stored.
func (c *Cache) closeAll(ctx context.Context, keys []string) error {
	return c.direct(ctx, func(ctx context.Context) error {
		_, err := c.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
			for _, key := range keys {
				p.Del(ctx, key)
				p.HSet(ctx, key, fieldGeneration, closedPrefix+newGeneration())
				p.PExpire(ctx, key, closedTTL)
			}
			return nil
		})
		return err
	})
}

// delete removes keys with everything in them: generation, value and loader.
func (c *Cache) delete(ctx context.Context, keys []string) error {
	return c.direct(ctx, func(ctx context.Context) error { return c.rdb.Del(ctx, keys...).Err() })
}

// direct runs a command of a writer. It goes past the breaker: skipping a deletion would make the cache lie.
func (c *Cache) direct(ctx context.Context, command func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, opTimeout)
	defer cancel()
	return command(ctx)
}

// owe notes that Redis may hold values from before a write.
func (c *Cache) owe(keys []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		c.debts++
		c.owed[key] = c.debts
	}
}

// owes says whether Redis may not be trusted with this key.
func (c *Cache) owes(key string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	_, owed := c.owed[key]
	return owed
}

// pay retries owed deletions. A debt made again while the deletion was on its way stays owed: the deletion may have
// come before the write that the new debt stands for.
func (c *Cache) pay(ctx context.Context) {
	c.mu.RLock()
	debts := maps.Clone(c.owed)
	c.mu.RUnlock()
	if len(debts) == 0 {
		return
	}
	if err := c.delete(ctx, slices.Collect(maps.Keys(debts))); err != nil {
		c.log.Debug("cache deletion is still owed", "keys", len(debts), "error", err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, debt := range debts {
		if c.owed[key] == debt {
			delete(c.owed, key)
		}
	}
}

// isNil says that Redis answered, and has nothing under that name.
func isNil(err error) bool { return errors.Is(err, redis.Nil) }

// guarded runs one command of a reader behind the breaker, so that a Redis that hangs costs few readers opTimeout.
func guarded[R any](ctx context.Context, c *Cache, command func(context.Context) (R, error)) (result R, err error) {
	_, err = c.breaker.Execute(func() (any, error) {
		ctx, cancel := context.WithTimeout(ctx, opTimeout)
		defer cancel()
		var err error
		result, err = command(ctx)
		return nil, err
	})
	return result, err
}
