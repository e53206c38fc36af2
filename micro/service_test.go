package micro_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/wire"
)

type echoRequest struct {
	Text  string     `json:"text"`
	Price wire.Money `json:"price,omitzero"`
}

func (r echoRequest) Validate() error {
	if r.Text == "refuse me" {
		return wire.Invalid{{Field: "text", Message: "must be something else"}}
	}
	return nil
}

type echoResponse struct {
	Text      string      `json:"text"`
	Actor     micro.Actor `json:"actor"`
	RequestID string      `json:"requestId"`
	Key       string      `json:"key"`
	Left      int64       `json:"left"` // milliseconds to the deadline
}

func echo(ctx context.Context, req echoRequest) (echoResponse, error) {
	deadline, _ := ctx.Deadline()
	return echoResponse{
		Text: req.Text, Actor: micro.ActorFrom(ctx), RequestID: micro.RequestID(ctx),
		Key: micro.Header(ctx, "Idempotency-Key"), Left: time.Until(deadline).Milliseconds(),
	}, nil
}

// run starts a service and stops it at the end of the test; the error of Run is checked there.
func run(t testing.TB, s *micro.Service) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	select {
	case <-s.Ready():
	case err := <-done:
		t.Fatalf("service ended before it was ready: %v", err)
	}
	stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() { require.NoError(t, stop()) })
	return stop
}

// newEcho runs a service "order" with order.echo, since only known roles may subscribe.
func newEcho(t testing.TB, srv *natsServer, cfg micro.ServiceConfig) *micro.Service {
	t.Helper()
	cfg.Name, cfg.Version, cfg.Description, cfg.Conn = "order", "1.2.3", "Echoes.", srv.conn("order")
	s := micro.NewService(cfg)
	micro.Handle(s, "echo", "Gives back what it got.", echo)
	return s
}

func TestCallCarriesContext(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})

	ctx := micro.WithActor(t.Context(), micro.Actor{Role: "customer", ID: "42"})
	ctx = micro.WithRequestID(ctx, "req-1")
	ctx = micro.WithHeader(micro.WithHeader(ctx, "Idempotency-Key", "old"), "Idempotency-Key", "new")
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	res, err := micro.Call[echoRequest, echoResponse](ctx, client, "order.echo", echoRequest{Text: "hi"})
	require.NoError(t, err)
	require.Equal(t, "hi", res.Text)
	require.Equal(t, micro.Actor{Role: "customer", ID: "42"}, res.Actor)
	require.Equal(t, "req-1", res.RequestID)
	require.Equal(t, "new", res.Key)
	require.Less(t, res.Left, int64(3000), "the caller's deadline, a little earlier")
	require.Greater(t, res.Left, int64(2000))
}

func TestCallWithoutActorIsTheService(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	client := micro.NewClient(srv.conn("delivery"), micro.ClientConfig{})
	res, err := micro.Call[echoRequest, echoResponse](t.Context(), client, "order.echo", echoRequest{})
	require.NoError(t, err)
	require.Equal(t, micro.Actor{Role: micro.RoleService, ID: "delivery"}, res.Actor, "never the operator by accident")
	require.NotEmpty(t, res.RequestID, "made where it was missing")
}

func TestPlainRequestIsTheOperatorAndAudited(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var log logBuffer
	run(t, newEcho(t, srv, micro.ServiceConfig{Log: slog.New(slog.NewTextHandler(&log, nil))}))
	answer, err := srv.conn("ops").Request("order.echo", []byte(`{"text":"x"}`), 5*time.Second)
	require.NoError(t, err)
	var res echoResponse
	require.NoError(t, json.Unmarshal(answer.Data, &res))
	require.Equal(t, micro.RoleOperator, res.Actor.Role)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "operator request") }, 5*time.Second, time.Millisecond)
}

func TestErrorsSurviveTheWire(t *testing.T) {
	t.Parallel()
	full := &micro.Error{
		Code: micro.CodeConflict, Message: "not now\nor ever", Allowed: []string{}, RetryAfter: 1500 * time.Millisecond, Type: "busy",
	}
	cases := map[string]struct {
		err  error
		code micro.Code
	}{
		"own":         {full, micro.CodeConflict},
		"wrapped":     {fmt.Errorf("while cooking: %w", micro.NotFound("order")), micro.CodeNotFound},
		"invalid":     {wire.Invalid{{Field: "a", Message: "b"}}, micro.CodeInvalid},
		"unavailable": {down{}, micro.CodeUnavailable},
		"deadline":    {context.DeadlineExceeded, micro.CodeTimeout},
		"unknown":     {errors.New("pq: password of host db-7 is wrong"), micro.CodeInternal},
		"empty":       {micro.E(micro.CodeForbidden, ""), micro.CodeForbidden},
	}
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	micro.Handle(s, "fail", "Fails as asked.", func(_ context.Context, req echoRequest) (struct{}, error) {
		return struct{}{}, cases[req.Text].err
	})
	run(t, s)
	nc := srv.conn("edge")
	client := micro.NewClient(nc, micro.ClientConfig{})
	for name, c := range cases {
		_, err := micro.Call[echoRequest, struct{}](t.Context(), client, "order.fail", echoRequest{Text: name})
		require.ErrorIs(t, err, micro.E(c.code, ""), name)
		require.NotContains(t, err.Error(), "db-7", "internals stay inside")

		answer, err := nc.Request("order.fail", []byte(`{"text":"`+name+`"}`), 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(c.code.HTTP()), answer.Header.Get(natsmicro.ErrorCodeHeader))
		require.NotEmpty(t, answer.Header.Get(natsmicro.ErrorHeader))
	}
	_, err := micro.Call[echoRequest, struct{}](t.Context(), client, "order.fail", echoRequest{Text: "own"})
	var got *micro.Error
	require.ErrorAs(t, err, &got)
	require.Equal(t, &micro.Error{
		Code: micro.CodeConflict, Message: full.Message, Allowed: []string{}, RetryAfter: 2 * time.Second, Type: "busy",
	}, got, "whole, with an empty list that is not lost and seconds rounded up")
}

type down struct{}

func (down) Error() string     { return "shard a is down" }
func (down) Unavailable() bool { return true }

func TestBadRequests(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	run(t, newEcho(t, srv, micro.ServiceConfig{}))
	nc := srv.conn("edge")
	for body, status := range map[string]string{
		``:                             "",
		`{}`:                           "",
		`{"text":1}`:                   "422",
		`{"txet":""}`:                  "422",
		`{"text":"refuse me"}`:         "422",
		`{"text":"a","text":"b"}`:      "400",
		`nonsense`:                     "400",
		`{"text":"a"}{}`:               "400",
		`{"text":"a","price":1.005}`:   "422",
		`{"text":"a","price":"45.99"}`: "422",
	} {
		answer, err := nc.Request("order.echo", []byte(body), 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, status, answer.Header.Get(natsmicro.ErrorCodeHeader), body)
	}
}

func TestPanicCostsOneRequest(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	var log logBuffer
	s := newEcho(t, srv, micro.ServiceConfig{Log: slog.New(slog.NewTextHandler(&log, nil))})
	micro.Handle(s, "crash", "Panics.", func(context.Context, echoRequest) (struct{}, error) { panic("secret state") }, micro.WithWorkers(1))
	run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	for range 3 { // more than there are workers: the slot comes back
		_, err := micro.Call[echoRequest, struct{}](t.Context(), client, "order.crash", echoRequest{})
		require.ErrorIs(t, err, micro.E(micro.CodeInternal, ""))
		require.NotContains(t, err.Error(), "secret")
	}
	require.Contains(t, log.String(), "secret state")
	require.Contains(t, log.String(), "service_test.go", "with the stack")
}

func TestSlowCallsRunBesideEachOther(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	var meeting sync.WaitGroup
	meeting.Add(5)
	micro.Handle(s, "meet", "Returns when five are in.", func(context.Context, echoRequest) (struct{}, error) {
		meeting.Done()
		meeting.Wait()
		return struct{}{}, nil
	})
	run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	var callers sync.WaitGroup
	for range 5 {
		callers.Go(func() {
			_, err := micro.Call[echoRequest, struct{}](t.Context(), client, "order.meet", echoRequest{})
			require.NoError(t, err)
		})
	}
	callers.Wait()
}

func TestFullEndpointRefusesAtOnce(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	metrics := prometheus.NewRegistry()
	s := newEcho(t, srv, micro.ServiceConfig{Metrics: metrics})
	release := make(chan struct{})
	var started atomic.Int32
	micro.Handle(s, "hold", "Waits.", func(context.Context, echoRequest) (struct{}, error) {
		started.Add(1)
		<-release
		return struct{}{}, nil
	}, micro.WithWorkers(2), micro.WithQueue(1))
	run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	call := func() error {
		_, err := micro.Call[echoRequest, struct{}](t.Context(), client, "order.hold", echoRequest{})
		return err
	}
	var held sync.WaitGroup
	for range 3 {
		held.Go(func() { require.NoError(t, call()) })
	}
	nc := srv.conn("edge")
	require.Eventually(t, func() bool {
		load := endpointData(t, nc, "hold")
		return load.Running == 2 && load.Waiting == 1
	}, 5*time.Second, 5*time.Millisecond)

	require.Equal(t, 2.0, metric(t, metrics, "tiffin_requests_running", "hold", "order"))
	require.Equal(t, 1.0, metric(t, metrics, "tiffin_requests_waiting", "hold", "order"))

	err := call()
	require.ErrorIs(t, err, micro.E(micro.CodeUnavailable, ""))
	require.Equal(t, int32(2), started.Load())
	close(release)
	held.Wait()
	require.Equal(t, 1.0, metric(t, metrics, "tiffin_requests_refused_total", "hold", "order"))
}

func TestDeadlineEndsTheHandlerAndIsAnswered(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	micro.Handle(s, "wait", "Waits for its context.", func(ctx context.Context, _ echoRequest) (struct{}, error) {
		<-ctx.Done()
		return struct{}{}, ctx.Err()
	}, micro.WithTimeout(50*time.Millisecond))
	run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	_, err := micro.Call[echoRequest, struct{}](t.Context(), client, "order.wait", echoRequest{})
	var answered *micro.Error
	require.ErrorAs(t, err, &answered)
	require.Equal(t, micro.CodeTimeout, answered.Code)
	require.NoError(t, answered.Unwrap(), "the service answered; the client did not give up")
}

func TestLateRequestIsNotRun(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	var ran atomic.Bool
	micro.Handle(s, "order", "Must not run.", func(context.Context, echoRequest) (struct{}, error) {
		ran.Store(true)
		return struct{}{}, nil
	})
	run(t, s)
	past := nats.NewMsg("order.order")
	past.Header.Set(micro.HeaderDeadline, fmt.Sprint(time.Now().Add(-time.Second).UnixMilli()))
	answer, err := srv.conn("edge").RequestMsg(past, 5*time.Second)
	require.NoError(t, err)
	require.Equal(t, "503", answer.Header.Get(natsmicro.ErrorCodeHeader))
	require.False(t, ran.Load(), "a ghost of a request whose caller has gone")
}

func TestAnswerBeyondTheServersLimitIsAnError(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	s := newEcho(t, srv, micro.ServiceConfig{})
	micro.Handle(s, "huge", "Answers too much.", func(context.Context, echoRequest) (string, error) {
		return strings.Repeat("x", 2<<20), nil
	})
	run(t, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{})
	_, err := micro.Call[echoRequest, string](t.Context(), client, "order.huge", echoRequest{})
	require.ErrorIs(t, err, micro.E(micro.CodeInternal, ""))
}
