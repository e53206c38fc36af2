package health_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/health"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is what a watch looks at.
type world struct {
	mu    sync.Mutex
	state map[string]error
	hangs bool // the next looks wait for the end of their context
	gone  bool
}

func (w *world) set(name string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.state[name] = err
}

func (w *world) freeze(yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hangs = yes
}

func (w *world) alive() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.gone
}

func (w *world) look(ctx context.Context) map[string]error {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]error{}
	for name, err := range w.state {
		seen[name] = err
	}
	if w.hangs {
		<-ctx.Done()
		seen["db"] = ctx.Err()
	}
	return seen
}

// pass lets fake time pass and waits for what it brings about.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// watched runs a watch over a world with NATS and a database, in fake time.
func watched(t *testing.T, test func(t *testing.T, w *world, watch *health.Watch, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w, log := &world{state: map[string]error{"nats": nil, "db": nil}}, &bytes.Buffer{}
		watch := health.NewWatch(health.Config{
			Look: w.look, Alive: w.alive, Vital: "nats", Log: slog.New(slog.NewTextHandler(log, nil)),
			Metrics: prometheus.NewRegistry(), Metric: "test_up",
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- watch.Run(ctx) }()
		synctest.Wait()
		test(t, w, watch, log)
		w.freeze(false)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestADependencyThatDiesAndComesBackIsToldWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	watched(t, func(t *testing.T, w *world, watch *health.Watch, log *bytes.Buffer) {
		report, ready := watch.Ready()
		require.True(t, ready)
		require.Equal(t, health.StatusOK, report.Status)

		w.set("db", errors.New("dial tcp 10.0.0.7:5432: refused"))
		pass(time.Second)
		report, ready = watch.Ready()
		require.True(t, ready, "the rest still works")
		require.Equal(t, health.StatusDegraded, report.Status)
		require.Equal(t, health.Check{Status: health.StatusDown, Error: "unreachable"}, report.Checks["db"])
		require.Contains(t, log.String(), "dependency changed")

		w.set("db", nil)
		pass(time.Second)
		report, _ = watch.Ready()
		require.Equal(t, health.StatusOK, report.Status)
	})
}

func TestAFrozenDependencyIsToldWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	watched(t, func(t *testing.T, w *world, watch *health.Watch, _ *bytes.Buffer) {
		w.freeze(true)
		pass(1950 * time.Millisecond)
		report, _ := watch.Ready()
		require.Equal(t, health.StatusDown, report.Checks["db"].Status)
	})
}

func TestOnlyWhatIsVitalMakesUnready(t *testing.T) {
	t.Parallel()
	watched(t, func(t *testing.T, w *world, watch *health.Watch, _ *bytes.Buffer) {
		w.set("nats", errors.New("away"))
		pass(time.Second)
		_, ready := watch.Ready()
		require.False(t, ready)
		w.set("nats", nil)
		pass(time.Second)
		_, ready = watch.Ready()
		require.True(t, ready)

		w.mu.Lock()
		w.gone = true
		w.mu.Unlock()
		_, ready = watch.Ready()
		require.False(t, ready, "at once, without waiting for the next look")
	})
}

func TestNotReadyBeforeEverythingWasUpNorWhileStopping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{state: map[string]error{"nats": nil, "db": errors.New("starting")}}
		watch := health.NewWatch(health.Config{Look: w.look})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		_, ready := watch.Ready()
		require.False(t, ready, "nothing is known yet")
		go func() { done <- watch.Run(ctx) }()
		synctest.Wait()
		report, ready := watch.Ready()
		require.False(t, ready)
		require.Equal(t, health.StatusDown, report.Checks["db"].Status)
		w.set("db", nil)
		pass(time.Second)
		_, ready = watch.Ready()
		require.True(t, ready)
		watch.Stop()
		report, ready = watch.Ready()
		require.False(t, ready)
		require.Equal(t, health.StatusDegraded, report.Status)
		cancel()
		require.NoError(t, <-done)
	})
}

func TestHandler(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	watched(t, func(t *testing.T, w *world, watch *health.Watch, log *bytes.Buffer) {
		handler := watch.Handler(registry)
		get := func(path string) *httptest.ResponseRecorder {
			res := httptest.NewRecorder()
			handler.ServeHTTP(res, httptest.NewRequest(http.MethodGet, path, nil))
			return res
		}
		require.JSONEq(t, `{"status":"ok"}`, get("/healthz").Body.String())
		require.Equal(t, http.StatusOK, get("/readyz").Code)
		require.Equal(t, http.StatusOK, get("/metrics").Code)
		require.Equal(t, http.StatusNotFound, get("/").Code)
		lines := log.Len()
		watch.Stop()
		res := get("/readyz")
		require.Equal(t, http.StatusServiceUnavailable, res.Code)
		require.Equal(t, "1", res.Header().Get("Retry-After"))
		require.Equal(t, "no-store", res.Header().Get("Cache-Control"))
		var report health.Report
		require.NoError(t, json.Unmarshal(res.Body.Bytes(), &report))
		require.Equal(t, health.StatusOK, report.Checks["db"].Status)
		require.Equal(t, lines, log.Len(), "probes are not logged")
	})
}
