package telemetry_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"

	"tiffin/telemetry"
)

// open gives traces that go to the handler.
func open(t *testing.T, ratio float64, handle http.HandlerFunc) (*telemetry.Traces, *prometheus.Registry, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	var log bytes.Buffer
	metrics := prometheus.NewRegistry()
	traces, err := telemetry.OpenTraces(t.Context(), telemetry.TracesConfig{
		Endpoint: server.URL + "/", Ratio: ratio, Log: slog.New(slog.NewJSONHandler(&log, nil)), Metrics: metrics})
	require.NoError(t, err)
	return traces, metrics, &log
}

func TestRolesAreServicesOfTheirOwnAndSendTogether(t *testing.T) {
	t.Parallel()
	requests := 0
	traces, metrics, _ := open(t, 1, func(http.ResponseWriter, *http.Request) { requests++ })
	for _, role := range []string{"order", "edge"} {
		_, span := traces.For(role).Tracer("test").Start(t.Context(), "work")
		span.End()
	}
	traces.Close()
	require.Equal(t, 1, requests)
	families, err := metrics.Gather()
	require.NoError(t, err)
	require.Equal(t, "sent", families[0].Metric[0].Label[0].GetValue())
	require.EqualValues(t, 2, families[0].Metric[0].Counter.GetValue())
}

func TestACollectorThatRefusesIsLoggedAndCounted(t *testing.T) {
	t.Parallel()
	traces, metrics, log := open(t, 1, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	_, span := traces.For("order").Tracer("test").Start(t.Context(), "work")
	span.End()
	traces.Close()
	require.Contains(t, log.String(), "spans were not sent")
	families, err := metrics.Gather()
	require.NoError(t, err)
	require.Equal(t, "failed", families[0].Metric[0].Label[0].GetValue())
}

// Every role decides by the id alone, so they agree; and a parent that is
// recorded is followed.
func TestRolesAgreeOnWhatIsRecorded(t *testing.T) {
	t.Parallel()
	traces, _, _ := open(t, 0.25, func(http.ResponseWriter, *http.Request) {})
	defer traces.Close()
	edge, order := traces.For("edge").Tracer("test"), traces.For("order").Tracer("test")
	recorded := 0
	for range 4000 {
		ctx, first := edge.Start(t.Context(), "first")
		unsampled := first.SpanContext().WithTraceFlags(0).WithRemote(true)
		_, again := order.Start(trace.ContextWithRemoteSpanContext(t.Context(), unsampled), "by id")
		_, below := order.Start(trace.ContextWithRemoteSpanContext(ctx, first.SpanContext()), "below")
		require.Equal(t, first.IsRecording(), again.IsRecording())
		require.Equal(t, first.IsRecording(), below.IsRecording())
		if first.IsRecording() {
			recorded++
		}
	}
	require.InDelta(t, 1000, recorded, 150)
}
