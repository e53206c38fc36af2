package ratelimit

import (
	"context"
	_ "embed"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"tiffin/cache"
)

// Timeout bounds one round trip to Redis. On the edge's own network one takes
// well under a millisecond.
const Timeout = 100 * time.Millisecond

// The sizes of the machinery. With them a decision takes about ten microseconds
// of a busy two-core machine, most of them in Redis; see BenchmarkTake.
const (
	// maxBatch keeps one run of the script short, since Redis serves nobody
	// else meanwhile.
	maxBatch = 64
	// queued requests beyond this are decided locally instead of waiting.
	maxQueue = 1024
	// probeEvery is how soon a Redis that came back is used again.
	probeEvery = 250 * time.Millisecond
	// keyPrefix keeps the edge's keys apart from those of others.
	keyPrefix = "edge:limit:"
)

//go:embed gcra.lua
var gcra string

// Decision is the answer to one request.
type Decision struct {
	Allowed    bool
	Limit      int           // requests a second
	Remaining  int           // requests that would pass now
	RetryAfter time.Duration // when one would pass, 0 if allowed
	Reset      time.Duration // until the whole burst is there again
}

// Config is what a Limiter needs. Redis is required; its options are copied,
// with short timeouts and a few connections of its own, so that other users of
// the client neither wait for limits nor make them wait.
type Config struct {
	Redis   *redis.Client
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Clock   func() time.Time // for the local state, default time.Now
}

// Limiter decides requests. It is safe for concurrent use; its Run must be
// running for it to use Redis.
type Limiter struct {
	redis  *redis.Client
	script *redis.Script
	log    *slog.Logger
	local  *local
	queue  chan *ticket
	away   atomic.Bool   // Redis is not to be asked
	wake   chan struct{} // tells the probe that Redis went away
	ended  chan struct{} // closed when Run has returned: no batcher will answer any more
	gauge  prometheus.Gauge
}

// New makes a limiter. It is local until Run has reached Redis.
func New(cfg Config) *Limiter {
	options := *cfg.Redis.Options()
	options.ContextTimeoutEnabled = true // without it go-redis ignores Timeout and waits for its own
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = Timeout, Timeout, Timeout
	options.MaxRetries = -1
	options.PoolSize, options.MinIdleConns = 2, 0 // one for requests, one for the probe
	// The original client has registered its handlers with this processor; a
	// second client on it would fail to.
	options.PushNotificationProcessor = nil
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	l := &Limiter{
		redis:  redis.NewClient(&options),
		script: redis.NewScript(gcra),
		log:    cfg.Log,
		local:  newLocal(cfg.Clock),
		queue:  make(chan *ticket, maxQueue),
		wake:   make(chan struct{}, 1),
		ended:  make(chan struct{}),
		gauge: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tiffin_edge_ratelimit_local", Help: "1 while limits are decided without Redis."}),
	}
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	if cfg.Metrics != nil {
		cfg.Metrics.MustRegister(l.gauge)
		cache.WatchPool(cfg.Metrics, "limits", l.redis)
	}
	l.setAway(true)
	return l
}

// Take spends one request of rate per second on every key, or of none when one
// of them has none left. An empty key does not count. It answers within Timeout
// or two, whatever state Redis is in.
func (l *Limiter) Take(rate int, keys [2]string) Decision {
	if rate <= 0 || keys == [2]string{} {
		return Decision{Allowed: true}
	}
	if l.away.Load() {
		return l.local.take(rate, keys)
	}
	t := acquire(rate, keys)
	select {
	case l.queue <- t:
	default:
		release(t)
		return l.local.take(rate, keys)
	}
	select {
	case d := <-t.done:
		release(t)
		return d
	case <-l.ended:
		return l.local.take(rate, keys) // the ticket is still in the queue, so it must not be reused
	}
}

// setAway switches between Redis and the local state, and wakes the probe.
func (l *Limiter) setAway(away bool) {
	if l.away.Swap(away) == away {
		return
	}
	if !away {
		l.gauge.Set(0)
		return
	}
	l.gauge.Set(1)
	select {
	case l.wake <- struct{}{}:
	default: // the probe has been told already
	}
}

// probe asks Redis, while it is away, until it answers. It runs the script
// itself: a Redis that answers PING but refuses writes (out of memory, a
// replica) is of no use here.
func (l *Limiter) probe(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		}
		for l.away.Load() {
			if err := l.decide(ctx, []*ticket{newTicket(1, [2]string{"probe"})}); err == nil {
				l.setAway(false)
				l.log.Info("rate limits are shared through redis")
				break
			}
			select {
			case <-ctx.Done():
				return
			case <-time.After(probeEvery):
			}
		}
	}
}
