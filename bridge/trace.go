package bridge

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
)

// traces makes the last spans of an event's trace on this side of RabbitMQ.
type traces struct{ tracer trace.Tracer }

// newTraces takes nil for no spans.
func newTraces(p trace.TracerProvider) traces {
	if p == nil {
		return traces{}
	}
	return traces{p.Tracer("tiffin/bridge")}
}

// begin opens the span of an event that is about to be published, and makes it the parent of what consumers do. It gives
// nil for an event that belongs to no recorded trace. An event that is never confirmed has no span: the session that
// publishes it again makes one.
func (t traces) begin(e *micro.Event) trace.Span {
	if t.tracer == nil || e.Headers["traceparent"] == "" {
		return nil
	}
	headers := propagation.MapCarrier(e.Headers)
	ctx := propagation.TraceContext{}.Extract(context.Background(), headers)
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return nil
	}
	ctx, span := t.tracer.Start(ctx, "publish "+exchange, trace.WithSpanKind(trace.SpanKindProducer),
		trace.WithAttributes(semconv.MessagingSystemRabbitMQ, semconv.MessagingOperationName("publish"),
			semconv.MessagingOperationTypeSend, semconv.MessagingDestinationName(exchange),
			semconv.MessagingRabbitMQDestinationRoutingKey(e.Type), semconv.MessagingMessageID(e.ID),
			attribute.String("tiffin.request_id", e.Headers[micro.HeaderRequestID])))
	propagation.TraceContext{}.Inject(ctx, headers)
	return span
}
