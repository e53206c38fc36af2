package inbound

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// unmatched stands for the route of paths that do not exist: they are the
// client's invention, and a metric's label or a span's name made of them would
// never stop growing.
const unmatched = "unmatched"

// observe counts and logs the request. The path goes to the log without its
// query, which may hold personal data.
func (g *Gate) observe(c *fiber.Ctx, r *Request) {
	ctx := r.context(c)
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
	if !g.log.Enabled(ctx, level) {
		return
	}
	line := slog.NewRecord(time.Now(), level, "request", 0) // 0: where it is logged is no news, and dear to find out
	line.AddAttrs(r.key(),
		slog.String("method", c.Method()), slog.String("path", string(c.Request().URI().Path())),
		slog.String("route", route), slog.Int("status", status), slog.Int("bytes", len(c.Response().Body())),
		slog.Duration("duration", elapsed), slog.String("client", r.Client.String()))
	_ = g.log.Handler().Handle(ctx, line) // as slog does
}

// key is the attribute of requests that came with an API key; an empty one is left out of the log.
func (r *Request) key() slog.Attr {
	if r.Key == "" {
		return slog.Attr{}
	}
	return slog.String("api_key", r.Key)
}

// finish names the span by its route, now that it is known, and ends it.
// Without a tracer it is a mere carrier of ids. Neither path nor address nor
// actor go into it: they are, or lead to, a person.
func finish(c *fiber.Ctx, span trace.Span, r *Request) {
	if !span.IsRecording() {
		return
	}
	route, method, status := r.Route, c.Method(), c.Response().StatusCode()
	if route == "" {
		route = unmatched
	}
	span.SetName(method + " " + route)
	span.SetAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.HTTPRoute(route),
		semconv.HTTPResponseStatusCode(status), attribute.String("tiffin.request_id", r.ID))
	if status >= fiber.StatusInternalServerError {
		span.SetAttributes(semconv.ErrorTypeKey.String(strconv.Itoa(status)))
		span.SetStatus(codes.Error, strconv.Itoa(status))
	}
	span.End()
}
