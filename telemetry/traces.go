package telemetry

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
)

// closeTimeout bounds sending the last spans and errors.
const closeTimeout = 3 * time.Second

// TracesConfig says where traces go.
type TracesConfig struct {
	Endpoint    string            // base URL of OTLP over HTTP; /v1/traces is added
	Headers     map[string]string // sent along, such as a key
	Ratio       float64           // of new traces that are recorded, 0 to 1
	Environment string            // such as "production"
	Version     string            // of the program
	Log         *slog.Logger
	Metrics     prometheus.Registerer
}

// Traces records spans and sends them in batches. A nil *Traces records none.
type Traces struct {
	config    TracesConfig
	processor sdktrace.SpanProcessor
	instance  string
}

// OpenTraces starts sending. Without an endpoint it gives nil. The collector
// need not be there, now or ever.
func OpenTraces(ctx context.Context, c TracesConfig) (*Traces, error) {
	if c.Endpoint == "" {
		return nil, nil
	}
	otlp, err := otlptracehttp.New(ctx,
		otlptracehttp.WithEndpointURL(strings.TrimSuffix(c.Endpoint, "/")+"/v1/traces"),
		otlptracehttp.WithHeaders(c.Headers), otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
	if err != nil {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Traces{
		config: c, processor: sdktrace.NewBatchSpanProcessor(newExporter(otlp, c)),
		instance: fmt.Sprintf("%s/%d", host, os.Getpid()),
	}, nil
}

// For gives the provider of a role, nil without traces. Roles of one process are
// services of their own, as they are in processes of their own.
func (t *Traces) For(role string) trace.TracerProvider {
	if t == nil {
		return nil
	}
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(t.processor), sdktrace.WithSampler(sampler(t.config.Ratio)),
		sdktrace.WithResource(resource.NewWithAttributes(semconv.SchemaURL,
			semconv.ServiceNamespace("tiffin"), semconv.ServiceName(role), semconv.ServiceVersion(t.config.Version),
			semconv.ServiceInstanceID(t.instance), attribute.String("deployment.environment.name", t.config.Environment))))
}

// sampler records a share of the traces, chosen by their ids, and all spans of
// those. That an id from outside comes with the word that it is not recorded
// means nothing: clients are not asked. The word of one of ours is the same as
// the id's, unless they were given another ratio.
func sampler(ratio float64) sdktrace.Sampler {
	byID := sdktrace.TraceIDRatioBased(ratio)
	return sdktrace.ParentBased(byID, sdktrace.WithRemoteParentNotSampled(byID))
}

// Close sends what is left, for a few seconds at most.
func (t *Traces) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if err := t.processor.Shutdown(ctx); err != nil {
		t.config.Log.Warn("the last spans were not sent", "error", err)
	}
}

// exporter counts what is sent, and logs what is not: the library would hand its
// errors to a global handler.
type exporter struct {
	sdktrace.SpanExporter
	log   *slog.Logger
	spans *prometheus.CounterVec
}

func newExporter(next sdktrace.SpanExporter, c TracesConfig) exporter {
	return exporter{next, c.Log, micro.Register(c.Metrics, prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "tiffin_trace_spans_total", Help: "Recorded spans, by whether the collector took them: sent or failed.",
	}, []string{"outcome"}))}
}

// ExportSpans implements sdktrace.SpanExporter. It never fails: there is nothing
// that the caller could do.
func (e exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	outcome := "sent"
	if err := e.SpanExporter.ExportSpans(ctx, spans); err != nil {
		outcome = "failed"
		e.log.Warn("spans were not sent", "spans", len(spans), "error", err)
	}
	e.spans.WithLabelValues(outcome).Add(float64(len(spans)))
	return nil
}
