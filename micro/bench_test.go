package micro_test

import (
	"context"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
)

// concurrent runs call from 64 goroutines until b.N calls are made, and tells each its number.
func concurrent(b *testing.B, call func(n int) error) {
	b.Helper()
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu(b)
	work := make(chan int, 64)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for n := range work {
				if err := call(n); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range b.N {
		work <- n
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

// asked are the contexts of a hundred requests as an edge makes them, of which one is of a recorded trace.
func asked(ctx context.Context) (all []context.Context) {
	for i := range 100 {
		all = append(all, ask(ctx, byte(i), i == 0))
	}
	return all
}

// ask is the context of a customer's request, with its id and trace.
func ask(ctx context.Context, n byte, recorded bool) context.Context {
	customer := micro.WithActor(micro.WithRequestID(ctx, "0197a1"), micro.Actor{Role: "customer", ID: "42"})
	return trace.ContextWithSpanContext(customer, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1, n}, SpanID: trace.SpanID{2, n}, TraceFlags: trace.TraceFlags(0).WithSampled(recorded),
	}))
}

// plainly asks with the plain client of nats.go. The messages are those that the kit's client sends, or bare bodies, as an
// operator sends them.
func plainly(b *testing.B, srv *natsServer, bare bool) {
	b.Helper()
	nc := srv.conn("edge")
	body := []byte(`{"text":"a request of ordinary length","price":45.99}`)
	var headers [100]nats.Header
	for i, ctx := range asked(b.Context()) {
		headers[i] = nats.Header{}
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(headers[i]))
		headers[i] = nats.Header{
			micro.HeaderActor: {micro.ActorFrom(ctx).String()}, micro.HeaderRequestID: {micro.RequestID(ctx)},
			micro.HeaderDeadline: {strconv.FormatInt(time.Now().Add(time.Hour).UnixMilli(), 10)},
			"traceparent":        {headers[i].Get("Traceparent")},
		}
	}
	concurrent(b, func(n int) error {
		msg := &nats.Msg{Subject: "order.echo", Data: body}
		if !bare {
			msg.Header = headers[n%len(headers)]
		}
		_, err := nc.RequestMsg(msg, 5*time.Second)
		return err
	})
}

// plainEcho is the yardstick: nats.go/micro without anything around it.
func plainEcho(b *testing.B, srv *natsServer) {
	b.Helper()
	svc, err := natsmicro.AddService(srv.conn("order"), natsmicro.Config{Name: "order", Version: "1.0.0"})
	require.NoError(b, err)
	require.NoError(b, svc.AddEndpoint("echo", natsmicro.HandlerFunc(func(r natsmicro.Request) {
		if err := r.Respond(r.Data()); err != nil {
			b.Error(err)
		}
	}), natsmicro.WithEndpointSubject("order.echo")))
}

// kitEcho is the same echo with everything on: strict decoding, validation, deadline, workers, recover, metrics, and one
// trace in a hundred recorded.
func kitEcho(b *testing.B, srv *natsServer) (prometheus.Registerer, trace.TracerProvider) {
	b.Helper()
	metrics := prometheus.NewRegistry()
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(tracetest.NewNoopExporter()),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0.01))))
	b.Cleanup(func() { require.NoError(b, traces.Shutdown(context.Background())) })
	s := micro.NewService(micro.ServiceConfig{Name: "order", Version: "1.0.0", Conn: srv.conn("order"), Metrics: metrics, Traces: traces})
	micro.Handle(s, "echo", "Echo.", func(_ context.Context, req echoRequest) (echoRequest, error) { return req, nil })
	run(b, s)
	return metrics, traces
}

// BenchmarkPlain and BenchmarkKitEndpoint get the same messages, those an edge sends.
func BenchmarkPlain(b *testing.B) {
	srv := newServer(b)
	plainEcho(b, srv)
	plainly(b, srv, false)
}

func BenchmarkKitEndpoint(b *testing.B) {
	srv := newServer(b)
	kitEcho(b, srv)
	plainly(b, srv, false)
}

// BenchmarkPlainBare and BenchmarkKitEndpointBare get bodies without headers. The kit begins a trace for each then.
func BenchmarkPlainBare(b *testing.B) {
	srv := newServer(b)
	plainEcho(b, srv)
	plainly(b, srv, true)
}

func BenchmarkKitEndpointBare(b *testing.B) {
	srv := newServer(b)
	kitEcho(b, srv)
	plainly(b, srv, true)
}

// BenchmarkKit asks the kit's endpoint through the kit's client, which has everything on as well.
func BenchmarkKit(b *testing.B) {
	srv := newServer(b)
	metrics, traces := kitEcho(b, srv)
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{Metrics: metrics, Traces: traces})
	requests := asked(b.Context())
	req := echoRequest{Text: "a request of ordinary length", Price: 4599}
	concurrent(b, func(n int) error {
		_, err := micro.Call[echoRequest, echoRequest](requests[n%len(requests)], client, "order.echo", req)
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
