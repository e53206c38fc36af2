package sim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"tiffin/services/edge"
)

// The edge's HTTP library starts goroutines that it never ends, or only seconds after the server is gone.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// answering is an api whose far end gives the answers in turn, the last one again and again.
func answering(t *testing.T, answers ...func(http.ResponseWriter, *http.Request)) (*api, *atomic.Int64) {
	t.Helper()
	asked := new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		answers[min(n, len(answers))-1](w, r)
	}))
	a := newAPI(server.URL+"/", nil)
	t.Cleanup(func() { a.close(); server.Close() })
	return a, asked
}

func status(code int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(code)
		// A test that cannot write its answer fails by what it asks next.
		_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(code), "status": code, "detail": "so it is", "n": 7})
	}
}

// A request that is sent while the edge hangs up is lost, and a PATCH is not sent again: the fleet's campaign saw it.
func TestConnectionsAreGivenUpBeforeTheEdgeDoes(t *testing.T) {
	t.Parallel()
	a := newAPI("http://127.0.0.1:1", nil)
	defer a.close()
	require.Positive(t, idle)
	require.Equal(t, idle, a.http.Transport.(*http.Transport).IdleConnTimeout)
	require.Less(t, idle, edge.IdleTimeout)
}

func TestRequestsCarryWhatTheyShould(t *testing.T) {
	t.Parallel()
	a, _ := answering(t, func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/orders?x=1", r.URL.String())
		require.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
		require.Equal(t, "application/json", r.Header.Get("Content-Type"))
		require.Equal(t, "k", r.Header.Get("Idempotency-Key"))
		status(http.StatusCreated)(w, r)
	})
	var out struct{ N int }
	require.NoError(t, a.do(t.Context(), call{
		method: http.MethodPost, path: "/orders?x=1", token: "secret", body: map[string]int{"a": 1}, header: map[string]string{"Idempotency-Key": "k"},
	}, &out))
	require.Equal(t, 7, out.N)
}

func TestRefusalsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 401, 403, 404, 409, 413, 415, 422} {
		a, asked := answering(t, status(code))
		err := a.do(t.Context(), call{method: http.MethodGet, path: "/orders"}, nil)
		require.Equal(t, code, statusOf(err))
		require.ErrorContains(t, err, "so it is")
		require.EqualValues(t, 1, asked.Load())
	}
	require.Zero(t, statusOf(context.Canceled))
}

func TestProblemsOfOthersHaveAStatusToo(t *testing.T) {
	t.Parallel()
	a, _ := answering(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", http.StatusTeapot) })
	err := a.do(t.Context(), call{method: http.MethodGet, path: "/x"}, nil)
	require.Equal(t, http.StatusTeapot, statusOf(err))
}

// When the fleet says later, it is later: for all routes of that limit, and not for others.
func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	a, asked := answering(t, status(429, "Retry-After", "1"), status(200))
	began := time.Now()
	done := make(chan time.Duration, 2)
	for range 2 {
		go func() {
			if err := a.do(context.Background(), call{method: http.MethodGet, path: "/orders/1"}, nil); err != nil {
				t.Error(err)
			}
			done <- time.Since(began)
		}()
	}
	require.Eventually(t, func() bool { return asked.Load() >= 1 && a.limited.Load() == 1 }, 5*time.Second, time.Millisecond)
	require.NoError(t, a.do(t.Context(), call{method: http.MethodGet, path: "/restaurants"}, nil))
	require.Less(t, time.Since(began), 900*time.Millisecond, "restaurants are limited apart")
	require.GreaterOrEqual(t, max(<-done, <-done), time.Second)
	require.EqualValues(t, 1, a.limited.Load())
}

func TestWhatFailsForNowIsTriedAgain(t *testing.T) {
	t.Parallel()
	a, asked := answering(t, status(503, "Retry-After", "1"), status(200))
	require.NoError(t, a.do(t.Context(), call{method: http.MethodGet, path: "/orders"}, nil))
	require.EqualValues(t, 2, asked.Load())
	require.EqualValues(t, 1, a.failed.Load())
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	a := newAPI("http://127.0.0.1:1", nil)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	require.Error(t, a.do(ctx, call{method: http.MethodGet, path: "/healthz"}, nil))
	require.Positive(t, a.failed.Load())
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{"3": 3 * time.Second, "": pause, "0": pause, "-1": pause, "soon": pause} {
		require.Equal(t, want, retryAfter(http.Header{"Retry-After": {in}}), "%q", in)
	}
}

func TestClass(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"/orders": "orders", "/orders/1/status": "orders", "/orders?x=/y": "orders", "/auth/login": "auth", "/": ""} {
		require.Equal(t, want, class(in), in)
	}
}
