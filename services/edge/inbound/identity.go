package inbound

import (
	"context"
	"encoding/hex"
	"math/rand/v2"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/nats-io/nuid"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// maxRequestID is the longest request id taken over from a client.
const maxRequestID = 128

// requestID takes the client's id over if it is harmless in headers, logs and
// URIs, and makes one otherwise.
func requestID(c *fiber.Ctx) string {
	given := c.Request().Header.Peek(fiber.HeaderXRequestID)
	if len(given) == 0 || len(given) > maxRequestID {
		return nuid.Next()
	}
	for _, b := range given {
		switch {
		case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z', b >= '0' && b <= '9', b == '-', b == '_', b == '.', b == '~':
		default:
			return nuid.Next()
		}
	}
	return string(given)
}

// joinTrace continues the client's trace, or begins one, so that the log lines
// of all services always share an id. With a tracer the request becomes a span,
// which the tracer may decide to record; without one the ids are passed on.
//
// Whether to record is not a client's to say, or anybody could have all of their
// requests recorded: of what comes from no trusted proxy only the ids count.
func (g *Gate) joinTrace(ctx context.Context, c *fiber.Ctx, r *Request) (context.Context, trace.Span) {
	if len(c.Request().Header.Peek("traceparent")) > 0 {
		ctx = propagation.TraceContext{}.Extract(ctx, carrier{c})
	}
	if g.tracer != nil {
		if sc := trace.SpanContextFromContext(ctx); sc.IsValid() && !r.Proxied {
			ctx = trace.ContextWithRemoteSpanContext(ctx, sc.WithTraceFlags(0).WithTraceState(trace.TraceState{}))
		}
		return g.tracer.Start(ctx, c.Method(), trace.WithSpanKind(trace.SpanKindServer))
	}
	if !trace.SpanContextFromContext(ctx).IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(
			trace.SpanContextConfig{TraceID: newTraceID(), SpanID: newSpanID()}))
	}
	return ctx, trace.SpanFromContext(ctx)
}

// traceparent writes the header of the W3C recommendation, version 00.
func traceparent(sc trace.SpanContext) string {
	traceID, spanID, flags := sc.TraceID(), sc.SpanID(), [1]byte{byte(sc.TraceFlags())}
	b := make([]byte, 0, 55)
	b = hex.AppendEncode(append(b, "00-"...), traceID[:])
	b = hex.AppendEncode(append(b, '-'), spanID[:])
	return string(hex.AppendEncode(append(b, '-'), flags[:]))
}

// The ids need to be unlikely to collide, not hard to guess, so the fast
// generator will do. All zeroes would be invalid.
func newTraceID() (id trace.TraceID) {
	fill(id[:8], rand.Uint64()|1)
	fill(id[8:], rand.Uint64())
	return id
}

// newSpanID makes the id of the request within its trace.
func newSpanID() (id trace.SpanID) {
	fill(id[:], rand.Uint64()|1)
	return id
}

// fill writes the bytes of n.
func fill(b []byte, n uint64) {
	for i := range b {
		b[i] = byte(n >> (8 * i))
	}
}

// carrier reads trace headers from a request, with copies, because Fiber's
// strings do not outlive the handler.
type carrier struct{ c *fiber.Ctx }

// Get gives a header's value, "" when absent.
func (r carrier) Get(key string) string { return strings.Clone(r.c.Get(key)) }

// Set does nothing: trace headers of a request are read only.
func (r carrier) Set(string, string) {}

// Keys lists the names that may be asked for.
func (r carrier) Keys() []string { return propagation.TraceContext{}.Fields() }
