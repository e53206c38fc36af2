package inbound

import (
	"context"
	"log/slog"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// unmatched stands for the route of paths that do not exist: they are the
// client's invention, and a metric's label or a span's name made of them would
// never stop growing.
const unmatched = "unmatched"

// observe counts and logs the request. The path goes to the log without its
// query, which may hold personal data.
func (g *Gate) observe(c *fiber.Ctx, r *Request) {
	route := r.Route
	if route == "" {
		route = unmatched
	}
	elapsed := g.clock().Sub(r.start)
	status := c.Response().StatusCode()
	g.duration.WithLabelValues(c.Method(), route, strconv.Itoa(status)).Observe(elapsed.Seconds())

	level := slog.LevelInfo
	if r.Probe || r.Quiet && status < fiber.StatusInternalServerError {
		level = slog.LevelDebug
	}
	if !g.log.Enabled(context.Background(), level) {
		return
	}
	g.log.LogAttrs(context.Background(), level, "request", r.key(),
		slog.String("method", c.Method()), slog.String("path", string(c.Request().URI().Path())),
		slog.String("route", route), slog.Int("status", status), slog.Int("bytes", len(c.Response().Body())),
		slog.Duration("duration", elapsed), slog.String("client", r.Client.String()),
		slog.String("actor", r.Actor.String()), slog.String("request_id", r.ID), slog.String("trace_id", r.TraceID))
}

// key is the attribute of requests that came with an API key; an empty one is left out of the log.
func (r *Request) key() slog.Attr {
	if r.Key == "" {
		return slog.Attr{}
	}
	return slog.String("api_key", r.Key)
}

// finish names the span by its route, now that it is known, and ends it.
// Without a tracer it is a mere carrier of ids.
func finish(span trace.Span, r *Request, status int) {
	if !span.IsRecording() {
		return
	}
	name := r.Route
	if name == "" {
		name = unmatched
	}
	span.SetName(name)
	span.SetAttributes(attribute.Int("http.response.status_code", status), attribute.String("http.route", name))
	if status >= fiber.StatusInternalServerError {
		span.SetStatus(codes.Error, strconv.Itoa(status))
	}
	span.End()
}
