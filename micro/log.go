package micro

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"
)

// LogHandler adds to every line that is logged with the context of a request or of an event what joins it to the other
// lines of the same: request_id, actor and, in a trace, trace_id. Lines of loops stay as they are.
func LogHandler(next slog.Handler) slog.Handler { return logHandler{next} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := RequestID(ctx); id != "" {
		var traceID slog.Attr // empty, it is left out
		if sc := trace.SpanContextFromContext(ctx); sc.HasTraceID() {
			traceID = slog.String("trace_id", sc.TraceID().String())
		}
		record.AddAttrs(slog.String("request_id", id), slog.String("actor", ActorFrom(ctx).String()), traceID)
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
