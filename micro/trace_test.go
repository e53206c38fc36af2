package micro_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
)

// TestWhoBeganATraceDecidesForAll: every hop of a recorded trace has its span, one of an unrecorded trace has none although
// the sampler of each role would record all, and the trace's id travels in both.
func TestWhoBeganATraceDecidesForAll(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	recorder := tracetest.NewSpanRecorder()
	traces := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder), sdktrace.WithSampler(sdktrace.AlwaysSample()))
	service := func(name string, handle func(context.Context, echoRequest) (string, error)) {
		s := micro.NewService(micro.ServiceConfig{Name: name, Version: "1.0.0", Conn: srv.conn(name), Traces: traces})
		micro.Handle(s, "trace", "Give the trace's id.", handle)
		run(t, s)
	}
	service("restaurant", func(ctx context.Context, _ echoRequest) (string, error) {
		return trace.SpanContextFromContext(ctx).TraceID().String(), nil
	})
	onward := micro.NewClient(srv.conn("order"), micro.ClientConfig{Traces: traces})
	service("order", func(ctx context.Context, req echoRequest) (string, error) {
		return micro.Call[echoRequest, string](ctx, onward, "restaurant.trace", req)
	})
	client := micro.NewClient(srv.conn("edge"), micro.ClientConfig{Traces: traces})

	for flags, spans := range map[trace.TraceFlags]int{trace.FlagsSampled: 4, 0: 0} {
		recorder.Reset()
		began := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{7}, SpanID: trace.SpanID{8}, TraceFlags: flags})
		arrived, err := micro.Call[echoRequest, string](trace.ContextWithSpanContext(t.Context(), began), client, "order.trace", echoRequest{Text: "hi"})
		require.NoError(t, err)
		require.Equal(t, began.TraceID().String(), arrived)
		require.Eventually(t, func() bool { return len(recorder.Ended()) == spans }, 5*time.Second, time.Millisecond, "spans of a trace with flags %v", flags)
		require.Len(t, recorder.Started(), spans)
	}
}
