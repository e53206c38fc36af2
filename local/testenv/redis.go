package testenv

import (
	"context"
	"testing"

	"github.com/redis/go-redis/v9"

	"tiffin/local/rig"
)

// RedisURL returns the URL of a Redis server that belongs to this test alone:
// logical databases would share their pub/sub channels.
func RedisURL(t testing.TB) string {
	t.Helper()
	return OwnRedis(t).URL
}

// Redis returns a client of a Redis server that belongs to this test alone.
func Redis(t testing.TB) *redis.Client {
	t.Helper()
	opts := must[*redis.Options](t, "Redis")(redis.ParseURL(RedisURL(t)))
	client := redis.NewClient(opts)
	t.Cleanup(func() {
		// A test may have closed it already, to see what happens.
		_ = client.Close()
	})
	return client
}

// OwnRedis starts a Redis server that the test may stop, pause and start.
func OwnRedis(t testing.TB) *Server {
	t.Helper()
	return own(t, func(ctx context.Context, r *rig.Rig) (*rig.Server, error) { return r.Redis(ctx) })
}
