package edge_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/edge"
	"tiffin/services/edge/ops"
)

// sockets is what the operations page shows of them.
func (w *world) sockets(t *testing.T) (*ops.Sockets, []string) {
	t.Helper()
	got := w.get(t, "/admin/overview", w.as(t, "admin")...)
	require.Equal(t, http.StatusOK, got.status, got.body)
	var o ops.Overview
	require.NoError(t, json.Unmarshal([]byte(got.body), &o), got.body)
	return o.Sockets, o.Unavailable
}

// Every edge shows the sockets of all of them, and forgets an edge that is gone.
func TestSocketsOfAllEdgesAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, anonymousTracking)
	other := w.beside(t, anonymousTracking)
	for _, at := range []*world{w, other, other} {
		conn := at.socket(t)
		t.Cleanup(func() { _ = conn.Close() }) // its edge may have closed it before
	}
	for _, one := range []*world{w, other} {
		require.Eventually(t, func() bool {
			sockets, _ := one.sockets(t)
			return sockets != nil && *sockets == ops.Sockets{Total: 3, Edges: 2}
		}, 10*time.Second, 50*time.Millisecond)
	}
	require.NoError(t, other.stop())
	require.Eventually(t, func() bool {
		sockets, _ := w.sockets(t)
		return sockets != nil && *sockets == ops.Sockets{Total: 1, Edges: 1}
	}, 15*time.Second, 100*time.Millisecond)
}

// Without Redis the number is unknown, which is not the same as none, and known again when it is back.
func TestSocketsWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	w := newWorld(t, func(c *edge.Config) {
		opts, err := redis.ParseURL(server.URL)
		require.NoError(t, err)
		opts.ContextTimeoutEnabled = true
		c.Redis = redis.NewClient(opts)
		t.Cleanup(func() { require.NoError(t, c.Redis.Close()) })
	})
	known := func() bool { sockets, _ := w.sockets(t); return sockets != nil }
	require.Eventually(t, known, 5*time.Second, 50*time.Millisecond)
	server.Pause()
	require.Eventually(t, func() bool { return !known() }, 10*time.Second, 50*time.Millisecond)
	_, unavailable := w.sockets(t)
	require.Contains(t, unavailable, "sockets")
	server.Resume()
	require.Eventually(t, known, 10*time.Second, 50*time.Millisecond)
}
