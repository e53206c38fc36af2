package micro_test

import (
	"context"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// concurrent runs call from 64 goroutines until b.N calls are made.
func concurrent(b *testing.B, call func() error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	work := make(chan struct{}, 64)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for range work {
				if err := call(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	callers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpu gives the processor time of this process, server included: a figure that a busy machine does not spoil.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkPlain is the yardstick: an echo on nats.go/micro without anything around it.
func BenchmarkPlain(b *testing.B) {
	srv := newServer(b)
	svc, err := natsmicro.AddService(srv.conn("order"), natsmicro.Config{Name: "order", Version: "1.0.0"})
	require.NoError(b, err)
	require.NoError(b, svc.AddEndpoint("echo", natsmicro.HandlerFunc(func(r natsmicro.Request) {
		if err := r.Respond(r.Data()); err != nil {
			b.Error(err)
		}
	}), natsmicro.WithEndpointSubject("order.echo")))
	nc := srv.conn("edge")
	body := []byte(`{"text":"a request of ordinary length","price":45.99}`)
	concurrent(b, func() error {
		_, err := nc.Request("order.echo", body, 5*time.Second)
		return err
	})
}

// BenchmarkKit is the same echo with everything on: strict decoding, validation, deadline, workers, recover, trace
// context, metrics, on both sides.
func BenchmarkKit(b *testing.B) {
	srv := newServer(b)
	metrics := prometheus.NewRegistry()
	s := micro.NewService(micro.ServiceConfig{Name: "order", Version: "1.0.0", Conn: srv.conn("order"), Metrics: metrics})
	micro.Handle(s, "echo", "Echo.", func(_ context.Context, req echoRequest) (echoRequest, error) { return req, nil })
	run(b, s)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{Metrics: metrics})
	ctx := micro.WithActor(micro.WithRequestID(b.Context(), "0197a1"), micro.Actor{Role: "customer", ID: "42"})
	req := echoRequest{Text: "a request of ordinary length", Price: 4599}
	concurrent(b, func() error {
		_, err := micro.Call[echoRequest, echoRequest](ctx, client, "order.echo", req)
		return err
	})
}

// BenchmarkKitEndpoint has the plain client of BenchmarkPlain before the kit's endpoint.
func BenchmarkKitEndpoint(b *testing.B) {
	srv := newServer(b)
	s := micro.NewService(micro.ServiceConfig{Name: "order", Version: "1.0.0", Conn: srv.conn("order"), Metrics: prometheus.NewRegistry()})
	micro.Handle(s, "echo", "Echo.", func(_ context.Context, req echoRequest) (echoRequest, error) { return req, nil })
	run(b, s)
	nc := srv.conn("edge")
	body := []byte(`{"text":"a request of ordinary length","price":45.99}`)
	concurrent(b, func() error {
		_, err := nc.Request("order.echo", body, 5*time.Second)
		return err
	})
}

// Events are stored as a relay stores them: a few one by one, more of them in an atomic batch, which costs the server a
// store of its own on the disk. Where the two cross is why few is what it is.
func BenchmarkPublishFew(b *testing.B) {
	_, js := streams(b)
	publisher := micro.NewPublisher(js)
	for _, n := range []int{1, 2, 4, 5, 8, 16} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				events := make([]micro.Event, n)
				for i := range events {
					events[i] = event(uuid.NewString())
				}
				_, err := publisher.PublishBatch(b.Context(), events)
				require.NoError(b, err)
			}
		})
	}
}
