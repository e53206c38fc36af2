package micro

import (
	"context"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// carrier puts trace context into NATS headers. Unlike the carrier for HTTP it keeps the case of names, because NATS
// headers are case-sensitive and other readers look for "traceparent".
type carrier nats.Header

// Get gives the first value of a header, "" when absent.
func (c carrier) Get(key string) string { return nats.Header(c).Get(key) }

// Set replaces a header.
func (c carrier) Set(key, value string) { nats.Header(c).Set(key, value) }

// Keys lists the names present.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}

var _ propagation.TextMapCarrier = carrier(nil)

// inject adds traceparent and tracestate, nothing when ctx is not part of a trace.
func inject(ctx context.Context, header nats.Header) {
	propagation.TraceContext{}.Inject(ctx, carrier(header))
}

// extract makes ctx part of the trace in the headers.
func extract(ctx context.Context, header nats.Header) context.Context {
	if len(header["traceparent"]) == 0 {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, carrier(header))
}

// tracer gives nil when no spans are wanted.
func tracer(p trace.TracerProvider) trace.Tracer {
	if p == nil {
		return nil
	}
	return p.Tracer("tiffin/micro")
}

// span joins the caller's trace and, with a tracer, opens a span. The returned function ends it.
func (s *Service) span(ctx context.Context, e *endpoint, header nats.Header) (context.Context, func(*Error)) {
	ctx = extract(ctx, header)
	if s.tracer == nil {
		return ctx, func(*Error) {}
	}
	ctx, span := s.tracer.Start(ctx, e.subject, trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(failure *Error) {
		if failure != nil {
			span.SetStatus(codes.Error, string(failure.Code))
		}
		span.End()
	}
}
