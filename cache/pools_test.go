package cache_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/cache"
	"tiffin/local/testenv"
)

// A client that nobody gives connections back to is seen to be full.
func TestPoolsAreMeasured(t *testing.T) {
	t.Parallel()
	address := testenv.Redis(t).Options().Addr
	client := func() *redis.Client {
		return redis.NewClient(&redis.Options{Addr: address, PoolSize: 3})
	}
	reg := prometheus.NewRegistry()
	one, other := client(), client()
	t.Cleanup(func() { require.NoError(t, one.Close()); require.NoError(t, other.Close()) })
	cache.WatchPool(reg, "cache", one)
	cache.WatchPool(reg, "cache", other)
	cache.WatchPool(nil, "cache", one)
	held := one.Conn()
	require.NoError(t, held.Ping(t.Context()).Err())
	require.NoError(t, other.Ping(t.Context()).Err())
	seen := poolsOf(t, reg)
	require.Equal(t, map[string]float64{
		"tiffin_redis_connections used": 1, "tiffin_redis_connections idle": 1, "tiffin_redis_connections_max": 6,
		"tiffin_redis_acquires_total": 2, "tiffin_redis_acquires_waited_total": 0, "tiffin_redis_acquire_seconds_total": 0,
		"tiffin_redis_acquire_timeouts_total": 0,
	}, seen, "of both")
	require.NoError(t, held.Close())
	require.Zero(t, poolsOf(t, reg)["tiffin_redis_connections used"])
}

// poolsOf are the figures by name and state.
func poolsOf(t *testing.T, reg *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	seen := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			require.Equal(t, "cache", metric.GetLabel()[0].GetValue())
			for _, label := range metric.GetLabel()[1:] {
				name += " " + label.GetValue()
			}
			seen[name] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue()
		}
	}
	return seen
}
