// Package testenv gives tests real servers: PostgreSQL, Redis, RabbitMQ, a
// MongoDB-protocol store and NATS, each with a corner of its own that is
// empty at the start and gone at the end of the test.
//
// Invariants: no test sees another test's data, whether it runs beside it in
// the same process or in another one; nothing is mocked and nothing skipped (a
// missing binary fails the test with the name of the package to install); no
// server outlives the tests.
package testenv

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// Postgres returns the URL of a fresh, empty database on a real PostgreSQL 15
// cluster. It is dropped when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	t.Fatal("testenv: PostgreSQL is not wired yet")
	return ""
}

// ShardURLs returns the URLs of three fresh databases by shard letter: "a",
// "b" and "c".
func ShardURLs(t testing.TB) map[string]string {
	t.Helper()
	urls := make(map[string]string, 3)
	for _, id := range []string{"a", "b", "c"} {
		urls[id] = Postgres(t)
	}
	return urls
}

// RedisURL returns the URL of a Redis server that belongs to this test alone:
// logical databases would share their pub/sub channels.
func RedisURL(t testing.TB) string {
	t.Helper()
	t.Fatal("testenv: Redis is not wired yet")
	return ""
}

// Redis returns a client of a Redis server that belongs to this test alone.
func Redis(t testing.TB) *redis.Client {
	t.Helper()
	opts, err := redis.ParseURL(RedisURL(t))
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	return redis.NewClient(opts)
}

// RabbitMQ returns the URL of a fresh virtual host on a real broker. It is
// deleted when the test ends.
func RabbitMQ(t testing.TB) string {
	t.Helper()
	t.Fatal("testenv: RabbitMQ is not wired yet")
	return ""
}

// Mongo returns the URL of a fresh database on a MongoDB-protocol server. It
// is dropped when the test ends.
func Mongo(t testing.TB) string {
	t.Helper()
	t.Fatal("testenv: MongoDB is not wired yet")
	return ""
}
