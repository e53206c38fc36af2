package micro_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// logBuffer collects log lines of several goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type load struct{ Running, Waiting int }

// stats asks the service "order" for its statistics.
func stats(t testing.TB, nc *nats.Conn) natsmicro.Stats {
	t.Helper()
	answer, err := nc.Request("$SRV.STATS.order", nil, 5*time.Second)
	require.NoError(t, err)
	var out natsmicro.Stats
	require.NoError(t, json.Unmarshal(answer.Data, &out))
	return out
}

// endpointData gives the kit's own part of an endpoint's statistics.
func endpointData(t testing.TB, nc *nats.Conn, verb string) (out load) {
	t.Helper()
	for _, e := range stats(t, nc).Endpoints {
		if e.Name == verb {
			require.NoError(t, json.Unmarshal(e.Data, &out))
		}
	}
	return out
}

// metric gives the value of a counter or gauge with the given label values, 0 when it is not there.
func metric(t testing.TB, reg *prometheus.Registry, name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			var have []string
			for _, l := range m.GetLabel() {
				have = append(have, l.GetValue())
			}
			if slices.Equal(have, labels) {
				return m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return 0
}

func TestStopAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	release := make(chan struct{})
	var started sync.WaitGroup
	started.Add(1)
	var calls atomic.Int32
	micro.Handle(s, "slow", "Waits.", func(context.Context, echoRequest) (string, error) {
		if calls.Add(1) == 1 {
			started.Done()
		}
		<-release
		return "done", nil
	}, micro.WithWorkers(2))
	stop := run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	var callers sync.WaitGroup
	for range 10 {
		callers.Go(func() {
			res, err := micro.Call[echoRequest, string](t.Context(), client, "order.slow", echoRequest{})
			require.NoError(t, err)
			require.Equal(t, "done", res)
		})
	}
	started.Wait()
	nc := srv.conn("edge")
	require.Eventually(t, func() bool { l := endpointData(t, nc, "slow"); return l.Running+l.Waiting == 10 }, 5*time.Second, time.Millisecond)
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	require.Eventually(t, func() bool { // new requests go nowhere while the old ones are still at work
		_, err := nc.Request("order.slow", nil, time.Second)
		return errors.Is(err, nats.ErrNoResponders)
	}, 5*time.Second, time.Millisecond)
	close(release)
	require.NoError(t, <-stopped)
	callers.Wait()
}

func TestRunFailsWhenTheConnectionIsClosed(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	nc := srv.conn("order")
	s := micro.NewService(micro.ServiceConfig{Name: "order", Version: "1.0.0", Conn: nc})
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	<-s.Ready()
	nc.Close()
	require.ErrorIs(t, <-done, micro.ErrLost)
}

func TestRunFailsWhenASubscriptionIsRefused(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	// The role auth may not serve order.*: as after a change of nats.conf.
	s := micro.NewService(micro.ServiceConfig{Name: "order", Version: "1.0.0", Conn: srv.conn("auth")})
	require.ErrorIs(t, s.Run(t.Context()), micro.ErrLost)
}

func TestServiceSurvivesARestartOfTheServer(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{Timeout: time.Second})
	call := func() error {
		_, err := micro.CallIdempotent[echoRequest, echoResponse](t.Context(), client, "order.echo", echoRequest{})
		return err
	}
	require.NoError(t, call())
	srv.Stop()
	require.ErrorIs(t, call(), micro.E(micro.CodeUnavailable, ""), "fails at once, is not kept for later")
	srv.Start()
	require.Eventually(t, func() bool { return call() == nil }, 15*time.Second, 50*time.Millisecond)
}

func TestDiscovery(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	run(t, newEcho(t, srv, micro.ServiceConfig{Health: func(context.Context) map[string]error {
		return map[string]error{"postgres.a": nil, "redis": context.DeadlineExceeded}
	}}))
	observer := srv.conn("")
	answer, err := observer.Request("$SRV.INFO.order", nil, 5*time.Second)
	require.NoError(t, err)
	var info natsmicro.Info
	require.NoError(t, json.Unmarshal(answer.Data, &info))
	require.Equal(t, natsmicro.InfoResponseType, info.Type)
	require.Equal(t, "1.2.3", info.Version)
	require.Len(t, info.Endpoints, 2)
	echo := info.Endpoints[1]
	require.Equal(t, "order.echo", echo.Subject)
	require.Equal(t, "Gives back what it got.", echo.Metadata["description"])
	require.Contains(t, echo.Metadata["request_schema"], `"multipleOf":0.01`)
	require.Contains(t, echo.Metadata["response_schema"], `"requestId"`)

	edge := srv.conn("edge")
	health, err := edge.Request("order.health", nil, 5*time.Second)
	require.NoError(t, err)
	require.JSONEq(t, `{"status":"degraded","checks":{"postgres.a":"ok","redis":"unavailable"}}`, string(health.Data))

	_, err = edge.Request("order.echo", []byte(`{"text":"refuse me"}`), 5*time.Second)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		e := stats(t, observer).Endpoints[1]
		return e.NumRequests == 1 && e.NumErrors == 1 && strings.HasPrefix(e.LastError, "invalid") && e.AverageProcessingTime > 0
	}, 5*time.Second, time.Millisecond, "errors that were answered by a worker count as well")

	for _, subject := range []string{"$SRV.PING", "$SRV.PING.order", "$SRV.PING.order." + info.ID} {
		answer, err := observer.Request(subject, nil, 5*time.Second)
		require.NoError(t, err, subject)
		require.Contains(t, string(answer.Data), natsmicro.PingResponseType)
	}
}

func TestBreakerOpensWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	call := func() error {
		_, err := micro.Call[echoRequest, echoResponse](t.Context(), client, "order.echo", echoRequest{})
		return err
	}
	for range 20 {
		require.ErrorIs(t, call(), micro.E(micro.CodeUnavailable, ""))
	}
	require.ErrorContains(t, call(), "circuit breaker is open")
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	require.Eventually(t, func() bool { return call() == nil }, 5*time.Second, 20*time.Millisecond, "it closes by itself")
}

func TestAnsweredErrorsDoNotOpenTheBreaker(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	micro.Handle(s, "shard", "As with a dead shard.", func(context.Context, echoRequest) (string, error) { return "", down{} })
	run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	for range 50 {
		_, err := micro.Call[echoRequest, string](t.Context(), client, "order.shard", echoRequest{})
		require.ErrorIs(t, err, micro.E(micro.CodeUnavailable, ""))
	}
	_, err := micro.Call[echoRequest, echoResponse](t.Context(), client, "order.echo", echoRequest{})
	require.NoError(t, err, "the other regions go on")
}

func TestIdempotentCallTriesAnotherInstance(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	// A paused instance: it is in the queue group and never answers.
	paused := srv.conn("order")
	var swallowed atomic.Int32
	_, err := paused.QueueSubscribe("order.echo", "q", func(*nats.Msg) { swallowed.Add(1) })
	require.NoError(t, err)
	require.NoError(t, paused.Flush())
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{Timeout: time.Second})
	go func() {
		for swallowed.Load() == 0 {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
		paused.Close() // it leaves the rotation, as after two missed pings
	}()
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	for range 8 { // until one of them met the paused instance first
		_, err := micro.CallIdempotent[echoRequest, echoResponse](t.Context(), client, "order.echo", echoRequest{})
		require.NoError(t, err)
	}
}
