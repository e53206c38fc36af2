package edge_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/health"
	"tiffin/local/testenv"
	"tiffin/services/edge"
	"tiffin/services/edge/ops"
)

func (w *world) report(t *testing.T) (health.Report, int) {
	t.Helper()
	got := w.get(t, "/readyz")
	var report health.Report
	require.NoError(t, json.Unmarshal([]byte(got.body), &report), got.body)
	return report, got.status
}

// eventually waits for a report; two seconds is what is promised.
func (w *world) eventually(t *testing.T, what string, fits func(health.Report, int) bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		report, status := w.report(t)
		return fits(report, status)
	}, 5*time.Second, 20*time.Millisecond, what)
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ready(t)
	report, _ := w.report(t)
	require.Equal(t, "ok", report.Status)
	for _, name := range []string{"nats", "redis", "auth", "order", "restaurant", "delivery", "tracking", "bridge", "postgres.a", "mongodb"} {
		require.Equal(t, health.Check{Status: "ok"}, report.Checks[name], name)
	}

	w.setHealth("postgres.a", errors.New("dial tcp 10.0.0.7:5432: connection refused"))
	w.eventually(t, "one service's bad news counts", func(r health.Report, status int) bool {
		return status == http.StatusOK && r.Status == "degraded" && r.Checks["postgres.a"].Status == "unavailable" && r.Checks["order"].Status == "ok"
	})
	require.NotContains(t, w.get(t, "/readyz").body, "10.0.0.7")
	w.setHealth("postgres.a", nil)
	w.eventually(t, "good again", func(r health.Report, _ int) bool { return r.Status == "ok" })

	w.stops["restaurant"]()
	w.eventually(t, "a dead service is named, and the edge serves on", func(r health.Report, status int) bool {
		return status == http.StatusOK && r.Checks["restaurant"].Status == "unavailable"
	})
	w.nats.Stop()
	w.eventually(t, "without NATS nothing can be served", func(r health.Report, status int) bool {
		return status == http.StatusServiceUnavailable && r.Checks["nats"].Status == "unavailable"
	})
	require.Equal(t, http.StatusOK, w.get(t, "/healthz").status, "but the process lives")
	w.nats.Start()
	w.eventually(t, "and it comes back by itself", func(_ health.Report, status int) bool { return status == http.StatusOK })
}

func TestNotReadyBeforeEverythingWasUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	late := w.beside(t, func(c *edge.Config) { c.Services = []string{"order", "unborn"} })
	late.eventually(t, "it has looked", func(r health.Report, _ int) bool { return len(r.Checks) > 0 })
	report, status := late.report(t)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.Equal(t, "degraded", report.Status)
	require.Equal(t, "unavailable", report.Checks["unborn"].Status)
	require.Equal(t, "ok", report.Checks["order"].Status)
}

func TestReadinessWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	w := newWorld(t, func(c *edge.Config) {
		opts, err := redis.ParseURL(server.URL)
		require.NoError(t, err)
		opts.ContextTimeoutEnabled = true
		c.Redis = redis.NewClient(opts)
		t.Cleanup(func() { require.NoError(t, c.Redis.Close()) })
	})
	w.ready(t)
	server.Pause()
	w.eventually(t, "a paused Redis is noticed", func(r health.Report, status int) bool {
		return status == http.StatusOK && r.Checks["redis"].Status == "unavailable"
	})
	server.Resume()
	w.eventually(t, "a resumed one too", func(r health.Report, _ int) bool { return r.Status == "ok" })
}

func TestTheTrackingPortHasProbesAndNoREST(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.url = "http://" + w.edge.TrackingAddr().String()
	require.JSONEq(t, `{"status":"ok"}`, w.get(t, "/healthz").body)
	w.ready(t)
	require.Equal(t, http.StatusNotFound, w.get(t, "/restaurants").status)
	require.Equal(t, http.StatusNotFound, w.get(t, "/").status)
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get(t, "/restaurants/"+restaurantID)
	got := w.get(t, "/metrics")
	require.Equal(t, http.StatusOK, got.status)
	require.Contains(t, got.body, `tiffin_http_request_duration_seconds_count{method="GET",route="/restaurants/:id",status="200"} 1`)
	require.NotContains(t, got.body, restaurantID)
}

func TestOverview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ready(t)
	var o ops.Overview
	load := func() {
		got := w.get(t, "/admin/overview", w.as(t, "admin")...)
		require.Equal(t, http.StatusOK, got.status, got.body)
		o = ops.Overview{}
		require.NoError(t, json.Unmarshal([]byte(got.body), &o), got.body)
	}
	load()
	require.Empty(t, o.Unavailable)
	require.Equal(t, int64(3), o.Orders.Orders["pending"])
	require.Equal(t, int64(2), o.Riders.Riders["free"])
	require.True(t, o.Bridge.Connected)
	require.Equal(t, []ops.Shard{{ID: "a", Regions: []string{"us-west"}, Healthy: true}}, o.Shards)
	names := []string{}
	for _, s := range o.Services {
		names = append(names, s.Name)
		require.Len(t, s.Instances, 1)
		require.NotEmpty(t, s.Instances[0].Endpoints)
	}
	require.Equal(t, []string{"auth", "bridge", "delivery", "order", "restaurant", "tracking"}, names)
	require.Equal(t, &ops.Sockets{Edges: 1}, o.Sockets)
	require.Equal(t, "admin", w.got("order.overview").actor.Role, "services authorise the administrator themselves")

	w.stops["delivery"]()
	require.Eventually(t, func() bool { load(); return len(o.Unavailable) > 0 }, 5*time.Second, 50*time.Millisecond)
	require.Equal(t, []string{"riders"}, o.Unavailable)
	require.Nil(t, o.Riders)
	require.NotNil(t, o.Orders)
}

// However many have the page open, counting happens about once a second: every
// three quarters of one at most.
func TestOverviewIsCountedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	began := time.Now()
	for range 20 {
		require.Equal(t, http.StatusOK, w.get(t, "/admin/overview", w.as(t, "admin")...).status)
	}
	require.LessOrEqual(t, w.count("order.overview"), 1+int(time.Since(began)/(700*time.Millisecond)))
}
