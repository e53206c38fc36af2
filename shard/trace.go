package shard

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// tracer makes a span of every round trip that is part of a recorded trace, by
// the provider that records it: the roles of a process share the pools and have
// a provider each. Outside of a recorded trace it costs one look at the context,
// and makes nothing, so that what a loop asks each second is no trace of its
// own.
//
// Spans hold the text of statements, which has no values in it, and never their
// parameters. Of an error they hold its SQLSTATE and not its message, which may
// quote what somebody has typed.
type tracer struct{ shard string }

var (
	_ pgx.QueryTracer = tracer{}
	_ pgx.BatchTracer = tracer{}
)

// TraceQueryStart implements pgx.QueryTracer.
func (t tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	name := operation(data.SQL)
	return t.start(ctx, name, semconv.DBOperationName(name), semconv.DBQueryText(data.SQL))
}

// TraceQueryEnd implements pgx.QueryTracer.
func (t tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	endSpan(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer. A batch is one round trip and one
// span.
func (t tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx
	}
	texts := make([]string, len(data.Batch.QueuedQueries))
	for i, query := range data.Batch.QueuedQueries {
		texts[i] = query.SQL
	}
	return t.start(ctx, "BATCH", semconv.DBOperationName("BATCH"), semconv.DBOperationBatchSize(len(texts)),
		semconv.DBQueryText(strings.Join(texts, "; ")))
}

// TraceBatchQuery implements pgx.BatchTracer. The batch's span says it all.
func (t tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (t tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	endSpan(ctx, data.Err)
}

// spanKey marks the contexts that carry a span of this package: the end of a
// query without one must not end its caller's.
type spanKey struct{}

// start opens a span below the recorded one of ctx.
func (t tracer) start(ctx context.Context, name string, attributes ...attribute.KeyValue) context.Context {
	ctx, span := trace.SpanFromContext(ctx).TracerProvider().Tracer("tiffin/shard").Start(ctx, name,
		trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.DBSystemNamePostgreSQL, semconv.DBNamespace(t.shard)), trace.WithAttributes(attributes...))
	return context.WithValue(ctx, spanKey{}, span)
}

// endSpan ends the span that start opened, if it did.
func endSpan(ctx context.Context, err error) {
	span, ok := ctx.Value(spanKey{}).(trace.Span)
	if !ok {
		return
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		kind := "unavailable"
		if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) {
			kind = pgErr.Code
			span.SetAttributes(semconv.DBResponseStatusCode(kind))
		}
		span.SetAttributes(semconv.ErrorTypeKey.String(kind))
		span.SetStatus(codes.Error, kind)
	}
	span.End()
}

// operation is the first word of a statement in capitals: few names, which is
// what a name of spans should have.
func operation(sql string) string {
	sql = strings.TrimSpace(sql)
	end := strings.IndexFunc(sql, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end > 0 {
		sql = sql[:end]
	}
	return strings.ToUpper(sql)
}

// together opens a span for a caller whose transaction is committed with those
// of others: the statements are in the trace of the one whose context they ran
// with, and linked to from there. The returned function ends it.
func together(ctx context.Context, shard string) (context.Context, func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, func(error) {}
	}
	ctx = tracer{shard}.start(ctx, "COMMIT", semconv.DBOperationName("COMMIT"))
	return ctx, func(err error) { endSpan(ctx, err) }
}

// traced gives the context with which a group runs, with the trace of one of its
// members, linked to the others'. Its end is not theirs.
func traced[M any](group []M, contextOf func(M) context.Context) context.Context {
	ctx := contextOf(group[0])
	var leader trace.Span
	for _, m := range group {
		span := trace.SpanFromContext(contextOf(m))
		switch {
		case !span.IsRecording():
		case leader == nil:
			leader, ctx = span, contextOf(m)
		default:
			leader.AddLink(trace.Link{SpanContext: span.SpanContext()})
		}
	}
	return context.WithoutCancel(ctx)
}
