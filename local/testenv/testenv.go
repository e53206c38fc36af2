// Package testenv gives tests real servers: PostgreSQL, Redis, RabbitMQ, a
// MongoDB-protocol store and NATS, each with a corner of its own that is
// empty at the start and gone at the end of the test.
//
// Invariants: no test sees another test's data, whether it runs beside it in
// the same process or in another one; nothing is mocked and nothing skipped (a
// missing binary fails the test with the name of the package to install); no
// server outlives the tests.
//
// PostgreSQL, RabbitMQ and the document store are shared by all test processes
// of a run through the package holder. Redis and NATS start in milliseconds, so
// every test has its own.
package testenv

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"testing"
	"time"

	"tiffin/local/testenv/holder"
)

// startTimeout covers a first start on a slow machine: building FerretDB,
// initialising PostgreSQL, booting RabbitMQ.
const startTimeout = 5 * time.Minute

// cleanupTimeout bounds giving a corner back.
const cleanupTimeout = 20 * time.Second

// join asks for a shared server and keeps it until the test ends.
func join(t testing.TB, name string) map[string]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	defer cancel()
	urls, conn, err := holder.Join(ctx, name)
	if err != nil {
		t.Fatalf("testenv: %s: %v", name, err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Logf("testenv: %v", err)
		}
	})
	return urls
}

// cleanup runs fn when the test ends; a failure fails the test, because the
// next one would meet what was left.
func cleanup(t testing.TB, what string, fn func(ctx context.Context) error) {
	t.Helper()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTimeout)
		defer cancel()
		if err := fn(ctx); err != nil {
			t.Errorf("testenv: %s: %v", what, err)
		}
	})
}

// must fails the test when a server cannot be had.
func must[T any](t testing.TB, what string) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatalf("testenv: %s: %v", what, err)
		}
		return v
	}
}

// freshName is a name that no other test has, in any process.
func freshName() string {
	var b [8]byte
	// Never fails: crypto/rand ends the process instead.
	_, _ = rand.Read(b[:])
	return "t" + hex.EncodeToString(b[:])
}

// withPath returns the URL with another path, that is, database or virtual
// host.
func withPath(t testing.TB, raw, path string) string {
	t.Helper()
	u := must[*url.URL](t, "URL")(url.Parse(raw))
	u.Path = "/" + path
	return u.String()
}
