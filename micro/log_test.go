package micro_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
)

func TestLinesOfARequestSayWhose(t *testing.T) {
	t.Parallel()
	ctx := micro.WithActor(micro.WithRequestID(context.Background(), "r-1"), micro.Actor{Role: "customer", ID: "42"})
	traced := trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{15: 7}, SpanID: trace.SpanID{7: 1}}))
	for _, c := range []struct {
		name string
		ctx  context.Context
		want map[string]any
	}{
		{"a loop's", context.Background(), map[string]any{"service": "order", "n": 1.0}},
		{"a request's", ctx, map[string]any{"service": "order", "n": 1.0, "request_id": "r-1", "actor": "customer 42"}},
		{"in a trace", traced, map[string]any{"service": "order", "n": 1.0, "request_id": "r-1", "actor": "customer 42",
			"trace_id": "00000000000000000000000000000007"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := slog.New(micro.LogHandler(slog.NewJSONHandler(&out, nil))).With("service", "order")
			log.InfoContext(c.ctx, "done", "n", 1)
			var line map[string]any
			require.NoError(t, json.Unmarshal(out.Bytes(), &line))
			delete(line, "time")
			c.want["msg"], c.want["level"] = "done", "INFO"
			require.Equal(t, c.want, line)
		})
	}
}
