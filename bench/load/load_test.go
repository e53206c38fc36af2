package load

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"
)

// serve answers every request with a status until the test ends.
func serve(t *testing.T, status int) (addr string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	server := &fasthttp.Server{CloseOnShutdown: true, Handler: func(ctx *fasthttp.RequestCtx) {
		asked.Add(1)
		ctx.SetStatusCode(status)
		ctx.SetBodyString("so it is")
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Shutdown())
		require.NoError(t, <-done)
	})
	return listener.Addr().String(), asked
}

func ask(_ uint64, req *fasthttp.Request) { req.SetRequestURI("http://bench/") }

func TestALimitEndsTheLoadAndTheMeasuredTime(t *testing.T) {
	t.Parallel()
	addr, asked := serve(t, fasthttp.StatusOK)
	var judged atomic.Uint64
	began := time.Now()
	r := Run(t.Context(), addr, Plan{Connections: 4, Duration: time.Hour, Limit: 1000, Prepare: ask, OK: func(*fasthttp.Response) bool {
		judged.Add(1)
		return true
	}})
	took := time.Since(began)
	require.EqualValues(t, 1000, asked.Load())
	require.EqualValues(t, 1000, judged.Load())
	require.EqualValues(t, 1000, r.Sent)
	require.Zero(t, r.Errors)
	require.Positive(t, r.Requests)
	require.GreaterOrEqual(t, r.Throughput, float64(r.Requests)/took.Seconds())
}

func TestEveryAnswerIsSeenAlsoThoseThatDoNotCount(t *testing.T) {
	t.Parallel()
	addr, asked := serve(t, fasthttp.StatusOK)
	var judged atomic.Int64
	r := Run(t.Context(), addr, Plan{Connections: 2, Warmup: time.Hour, Duration: time.Hour, Limit: 50, Prepare: ask, OK: func(*fasthttp.Response) bool {
		judged.Add(1)
		return true
	}})
	require.Equal(t, asked.Load(), judged.Load())
	require.Zero(t, r.Requests, "all of it was warm-up")
	require.Zero(t, r.Throughput)
}

func TestWhatIsRefusedIsAnError(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, fasthttp.StatusTeapot)
	r := Run(t.Context(), addr, Plan{Connections: 1, Duration: time.Hour, Limit: 20, Prepare: ask})
	require.Equal(t, r.Requests, r.Errors)
	require.Contains(t, r.FirstError, "418 so it is")
}

func TestAPaceCountsFromWhenARequestWasDue(t *testing.T) {
	t.Parallel()
	addr, _ := serve(t, fasthttp.StatusOK)
	began := time.Now()
	r := Run(t.Context(), addr, Plan{Connections: 1, Duration: time.Hour, Rate: 1000, Limit: 100, Prepare: ask})
	require.GreaterOrEqual(t, time.Since(began), 99*time.Millisecond, "the last is due after 99 ms")
	require.Zero(t, r.Errors)
	require.LessOrEqual(t, r.P50, r.P99)
}
