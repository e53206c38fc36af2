package micro

import (
	"context"
	"net/http"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
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

// rpc are the options of the spans of one subject, made once. The names are OpenTelemetry's semantic conventions.
func rpc(subject string, kind trace.SpanKind) []trace.SpanStartOption {
	return []trace.SpanStartOption{trace.WithSpanKind(kind),
		trace.WithAttributes(semconv.RPCSystemNameKey.String("nats"), semconv.RPCMethod(subject))}
}

// requestIDAttribute is the attribute that leads from a span to the log lines of its request.
const requestIDAttribute = "tiffin.request_id"

// unrecorded tells whether ctx belongs to a trace that nobody records. Whoever began it has decided that for all its
// spans, and asking again at each hop costs as much as reading a small request.
func unrecorded(ctx context.Context) bool {
	parent := trace.SpanContextFromContext(ctx)
	return parent.IsValid() && !parent.IsSampled()
}

// span joins the caller's trace and, with a tracer, opens a span. The returned function ends it.
func (s *Service) span(ctx context.Context, e *endpoint, header nats.Header) (context.Context, func(*Error)) {
	ctx = extract(ctx, header)
	if s.tracer == nil || unrecorded(ctx) {
		return ctx, func(*Error) {}
	}
	ctx, span := s.tracer.Start(ctx, e.subject, e.spanOptions...)
	if !span.IsRecording() {
		return ctx, func(*Error) {}
	}
	span.SetAttributes(attribute.String(requestIDAttribute, RequestID(ctx)))
	return ctx, func(failure *Error) {
		if failure != nil {
			span.SetAttributes(semconv.ErrorTypeKey.String(string(failure.Code)))
			// What the caller did wrong is no fault of this side.
			if failure.Code.HTTP() >= http.StatusInternalServerError {
				span.SetStatus(codes.Error, string(failure.Code))
			}
		}
		span.End()
	}
}

// span opens a client span when a tracer is configured. The returned function ends it.
func (c *Client) span(ctx context.Context, to *route, subject string) (context.Context, func(outcome string)) {
	if c.tracer == nil || unrecorded(ctx) {
		return ctx, func(string) {}
	}
	ctx, span := c.tracer.Start(ctx, subject, to.spanOptions...)
	return ctx, func(outcome string) {
		if outcome != "ok" {
			span.SetAttributes(semconv.ErrorTypeKey.String(outcome))
			span.SetStatus(codes.Error, outcome)
		}
		span.End()
	}
}

// spans opens a span for each event of a batch that belongs to a recorded trace, and makes it the parent of whatever
// its consumers do. The returned function ends them.
func (p *Publisher) spans(ctx context.Context, events []Event, msgs []*nats.Msg) func(error) {
	if p.tracer == nil {
		return func(error) {}
	}
	var open []trace.Span
	for i, msg := range msgs {
		ctx := extract(ctx, msg.Header)
		if !trace.SpanContextFromContext(ctx).IsSampled() {
			continue
		}
		ctx, span := p.tracer.Start(ctx, "publish events."+events[i].Type, trace.WithSpanKind(trace.SpanKindProducer),
			trace.WithAttributes(messaging("publish", semconv.MessagingOperationTypeSend, msg.Subject, &events[i])...),
			trace.WithAttributes(semconv.MessagingBatchMessageCount(len(msgs))))
		inject(ctx, msg.Header)
		open = append(open, span)
	}
	return func(err error) {
		for _, span := range open {
			if err != nil {
				span.SetStatus(codes.Error, "not stored")
			}
			span.End()
		}
	}
}

// span opens a span for the handling of an event. The returned function ends it.
func (c *consumer) span(ctx context.Context, subject string, event *Event) (context.Context, func(error)) {
	if c.tracer == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, func(error) {}
	}
	ctx, span := c.tracer.Start(ctx, "process events."+event.Type, trace.WithSpanKind(trace.SpanKindConsumer),
		trace.WithAttributes(messaging("process", semconv.MessagingOperationTypeProcess, subject, event)...),
		trace.WithAttributes(semconv.MessagingConsumerGroupName(c.cfg.Durable)))
	return ctx, func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, "not handled")
		}
		span.End()
	}
}

// messaging describes what is done with an event.
func messaging(operation string, kind attribute.KeyValue, subject string, e *Event) []attribute.KeyValue {
	return []attribute.KeyValue{
		semconv.MessagingSystemKey.String("nats"), semconv.MessagingOperationName(operation), kind,
		semconv.MessagingDestinationName(subject), semconv.MessagingMessageID(e.ID),
	}
}
