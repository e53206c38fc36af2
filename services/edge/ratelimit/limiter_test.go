package ratelimit_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/edge/ratelimit"
)

// start runs a limiter on Redis until the test ends and waits until it shares
// its limits.
func start(t testing.TB, client *redis.Client) *ratelimit.Limiter {
	t.Helper()
	l := ratelimit.New(ratelimit.Config{Redis: client})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-done)
	})
	shared(t, l)
	return l
}

func shared(t testing.TB, l *ratelimit.Limiter) {
	t.Helper()
	require.Eventually(t, func() bool { return !l.Away() }, 10*time.Second, 5*time.Millisecond)
}

// client connects to a server; it is closed with the test.
func client(t testing.TB, url string) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(url)
	require.NoError(t, err)
	c := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

func count(l *ratelimit.Limiter, n, rate int, keys [2]string) (allowed int) {
	for range n {
		if l.Take(rate, keys).Allowed {
			allowed++
		}
	}
	return allowed
}

func TestRedisDecidesAsTheLocalStateDoes(t *testing.T) {
	t.Parallel()
	l := start(t, client(t, testenv.RedisURL(t)))
	first := l.Take(2, one("a"))
	require.True(t, first.Allowed)
	require.Equal(t, 2, first.Limit)
	require.Equal(t, 1, first.Remaining)
	require.True(t, l.Take(2, one("a")).Allowed)
	refused := l.Take(2, one("a"))
	require.False(t, refused.Allowed)
	require.Zero(t, refused.Remaining)
	require.Greater(t, refused.RetryAfter, time.Duration(0))
	require.LessOrEqual(t, refused.RetryAfter, 500*time.Millisecond)
	require.LessOrEqual(t, refused.Reset, time.Second)
	require.Eventually(t, func() bool { return l.Take(2, one("a")).Allowed }, 2*time.Second, 10*time.Millisecond)
}

func TestTheStricterOfTwoKeysDecides(t *testing.T) {
	t.Parallel()
	l := start(t, client(t, testenv.RedisURL(t)))
	require.Equal(t, 3, count(l, 10, 3, [2]string{"ip:1", "user:x"}))
	require.Equal(t, 0, count(l, 5, 3, [2]string{"ip:2", "user:x"}), "the user has spent it from the other address")
	require.Equal(t, 3, count(l, 5, 3, [2]string{"ip:2", "user:y"}), "the refusals cost the address nothing")
}

func TestOffAndNobodyAreNotLimited(t *testing.T) {
	t.Parallel()
	l := start(t, client(t, testenv.RedisURL(t)))
	require.Equal(t, 50, count(l, 50, 0, one("a")))
	require.Equal(t, 50, count(l, 50, 1, [2]string{}))
}

// Two edges on one Redis let pass together what one alone would, whatever the
// interleaving.
func TestTwoLimitersShareTheirLimits(t *testing.T) {
	t.Parallel()
	url := testenv.RedisURL(t)
	limiters := []*ratelimit.Limiter{start(t, client(t, url)), start(t, client(t, url))}
	const rate = 40
	began := time.Now()
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			allowed.Add(int64(count(limiters[i%2], 25, rate, [2]string{"general:ip:shared"})))
		})
	}
	wg.Wait()
	most := rate + int64(time.Since(began).Seconds()*rate) + 1
	require.GreaterOrEqual(t, allowed.Load(), int64(rate))
	require.LessOrEqual(t, allowed.Load(), most)
}

func TestKeysExpire(t *testing.T) {
	t.Parallel()
	c := client(t, testenv.RedisURL(t))
	l := start(t, c)
	require.True(t, l.Take(5, one("gone")).Allowed)
	require.Eventually(t, func() bool {
		keys, err := c.Keys(context.Background(), "*").Result()
		return err == nil && len(keys) == 0
	}, 5*time.Second, 20*time.Millisecond)
}

// With Redis killed, requests are decided locally and quickly, by the same
// rules; with Redis back, they are shared again.
func TestRedisKilled(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	l := start(t, client(t, server.URL))
	require.True(t, l.Take(5, one("a")).Allowed)
	server.Kill()
	began := time.Now()
	allowed := count(l, 20, 5, one("b"))
	require.GreaterOrEqual(t, allowed, 5, "a small local cap, not a refusal of everything")
	require.Less(t, allowed, 20)
	require.Less(t, time.Since(began), time.Second)
	require.True(t, l.Away())

	server.Start()
	shared(t, l)
	require.True(t, l.Take(5, one("c")).Allowed)
}

// A paused Redis keeps connections open and answers nothing: only the first
// requests may notice.
func TestRedisPaused(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	l := start(t, client(t, server.URL))
	require.True(t, l.Take(100, one("a")).Allowed)
	server.Pause()
	defer server.Resume()

	var slowest atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			began := time.Now()
			l.Take(1000, one("a"))
			for old := slowest.Load(); ; old = slowest.Load() {
				if took := int64(time.Since(began)); took <= old || slowest.CompareAndSwap(old, took) {
					return
				}
			}
		})
	}
	wg.Wait()
	require.Less(t, time.Duration(slowest.Load()), 10*ratelimit.Timeout)
	require.True(t, l.Away())
	began := time.Now()
	count(l, 1000, 1000, one("a"))
	require.Less(t, time.Since(began), 500*time.Millisecond, "nobody waits for a Redis that is known to be away")

	server.Resume()
	shared(t, l)
}

// A Redis that refuses writes is as good as none: it must not refuse requests.
func TestRedisOutOfMemory(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	c := client(t, server.URL)
	l := start(t, c)
	require.NoError(t, c.ConfigSet(context.Background(), "maxmemory", "1").Err())
	require.Equal(t, 5, count(l, 5, 5, one("a")))
	require.True(t, l.Away())
	require.NoError(t, c.ConfigSet(context.Background(), "maxmemory", "0").Err())
	shared(t, l)
}

func TestTakeAnswersAfterTheEnd(t *testing.T) {
	t.Parallel()
	l := ratelimit.New(ratelimit.Config{Redis: client(t, testenv.RedisURL(t))})
	require.True(t, l.Take(1, one("before")).Allowed, "before Run the local state decides")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	shared(t, l)

	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { count(l, 2000, 1_000_000, one("during")) })
	}
	stop()
	require.NoError(t, <-done)
	wg.Wait()
	require.Equal(t, 1, count(l, 5, 1, one("after")))
}

func BenchmarkTake(b *testing.B) {
	l := start(b, client(b, testenv.RedisURL(b)))
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Take(1_000_000, [2]string{"general:ip:10.0.0.1", "general:user:01935c8e-2f4a-8b1c-9d3e-5f60718293a4"})
		}
	})
}

// A write to the disk for each request would make every request wait for the disk now and then.
func TestLimitsAreNotWrittenToTheDisk(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	look := client(t, server.URL)
	info := func(field string) string {
		text, err := look.Info(t.Context(), "persistence").Result()
		require.NoError(t, err)
		_, after, found := strings.Cut(text, field+":")
		require.True(t, found, field)
		value, _, _ := strings.Cut(after, "\r\n")
		return value
	}
	require.NoError(t, look.ConfigSet(t.Context(), "appendonly", "yes").Err())
	require.Eventually(t, func() bool {
		return info("aof_enabled") == "1" && info("aof_rewrite_in_progress") == "0" && info("aof_rewrite_scheduled") == "0"
	}, 10*time.Second, 5*time.Millisecond)
	l := start(t, client(t, server.URL))
	before := info("aof_current_size")
	require.True(t, l.Take(1, one("disk")).Allowed)
	require.False(t, l.Take(1, one("disk")).Allowed, "it is kept, though")
	require.Equal(t, before, info("aof_current_size"))
	require.NoError(t, look.Set(t.Context(), "anything else", "is written", 0).Err())
	require.NotEqual(t, before, info("aof_current_size"))
}
