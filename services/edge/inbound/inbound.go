package inbound

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"tiffin/micro"
	"tiffin/services/edge/problem"
)

// Request is what is known about a request from outside. Handlers fill in Route
// and Actor for log and metrics.
type Request struct {
	ID      string
	TraceID string
	Client  netip.Addr // who is calling, see Networks.Client
	Secure  bool       // over TLS, here or at a trusted proxy
	Proxied bool       // by a trusted proxy, whose headers count
	Route   string     // as declared, such as /orders/:id; "" for a path that does not exist
	Actor   micro.Actor
	Key     string // id of the API key by which the actor came, "" without one
	Quiet   bool   // logged at debug level only, unless it failed: files and polls come too often and say too little
	Probe   bool   // logged at debug level only, whatever the answer

	start time.Time
}

// requestKey finds the Request among a Fiber context's values. A type of our own
// cannot collide with the keys of middleware.
type requestKey struct{}

// From gives the request of a handler behind the middleware. Without the
// middleware it gives an empty one.
func From(c *fiber.Ctx) *Request {
	if r, ok := c.Locals(requestKey{}).(*Request); ok {
		return r
	}
	return &Request{}
}

// context is what the request's lines are logged with.
func (r *Request) context(c *fiber.Ctx) context.Context {
	return micro.WithActor(c.UserContext(), r.Actor)
}

// Config is what the middleware needs. Everything but Origins may be left out.
type Config struct {
	Origins []string             // listed for CORS
	Proxies Networks             // trusted to say who is calling
	Traces  trace.TracerProvider // nil: trace context is passed on, no spans are made
	Log     *slog.Logger
	Metrics prometheus.Registerer
	Clock   func() time.Time
}

// Gate is the middleware. Make it with New.
type Gate struct {
	origins  origins
	proxies  Networks
	tracer   trace.Tracer
	log      *slog.Logger
	clock    func() time.Time
	duration *prometheus.HistogramVec
	active   prometheus.Gauge
	panics   prometheus.Counter
}

// New makes the middleware of an edge; all its apps share one.
func New(cfg Config) *Gate {
	g := &Gate{
		origins: newOrigins(cfg.Origins), proxies: cfg.Proxies, log: cfg.Log, clock: cfg.Clock,
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tiffin_http_request_duration_seconds", Help: "Time from the parsed request to its answer, by route.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tiffin_http_requests_in_flight", Help: "Requests being handled."}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tiffin_http_panics_total", Help: "Handlers that panicked. Each is a bug."}),
	}
	if cfg.Metrics != nil {
		cfg.Metrics.MustRegister(g.duration, g.active, g.panics)
	}
	if cfg.Traces != nil {
		g.tracer = cfg.Traces.Tracer("tiffin/edge")
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	if g.clock == nil {
		g.clock = time.Now
	}
	return g
}

// Handle is the outermost handler.
func (g *Gate) Handle(c *fiber.Ctx) error {
	r := g.admit(c)
	ctx, span := g.joinTrace(micro.WithRequestID(context.Background(), r.ID), c, r)
	r.TraceID = span.SpanContext().TraceID().String()
	c.SetUserContext(ctx)
	c.Set("Traceparent", traceparent(span.SpanContext()))
	g.active.Inc()
	defer g.active.Dec()
	if !g.origins.allow(c) {
		if err := g.next(c, r); err != nil {
			g.fail(c, r, err)
		}
	}
	g.observe(c, r)
	finish(c, span, r)
	return nil
}

// HandleError answers what fasthttp refuses before any handler: broken
// requests, too large or too slow ones.
func (g *Gate) HandleError(c *fiber.Ctx, err error) error {
	r := g.admit(c)
	c.SetUserContext(micro.WithRequestID(context.Background(), r.ID))
	r.Route = "unreadable"
	g.fail(c, r, err)
	g.observe(c, r)
	return nil
}

// admit makes the Request and sets the headers of its answer that do not depend
// on the route.
func (g *Gate) admit(c *fiber.Ctx) *Request {
	r := &Request{ID: requestID(c), start: g.clock(), Actor: micro.Actor{Role: micro.RoleAnonymous}}
	peer := peerOf(c)
	r.Client, r.Secure = peer, c.Context().IsTLS()
	if r.Proxied = g.proxies.Contain(peer); r.Proxied {
		r.Client = g.proxies.Client(peer, forwardedFor(c))
		r.Secure = r.Secure || strings.EqualFold(c.Get(fiber.HeaderXForwardedProto), "https")
	}
	c.Locals(requestKey{}, r)
	c.Set(fiber.HeaderXRequestID, r.ID)
	harden(c, r.Secure)
	return r
}

// peerOf gives the address at the other end of the connection.
func peerOf(c *fiber.Ctx) netip.Addr {
	if tcp, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.Addr{}
}

// forwardedFor joins all X-Forwarded-For headers in order, since a proxy may
// append a header instead of an item.
func forwardedFor(c *fiber.Ctx) string {
	values := c.Request().Header.PeekAll(fiber.HeaderXForwardedFor)
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = string(v)
	}
	return strings.Join(parts, ",")
}

// next runs the handlers and turns a panic into an error. The stack goes to the
// log and nowhere else.
func (g *Gate) next(c *fiber.Ctx, r *Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			g.panics.Inc()
			g.log.ErrorContext(r.context(c), "panic in handler", "route", r.Route, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = micro.E(micro.CodeInternal, "internal error")
		}
	}()
	return c.Next()
}

// fail replaces whatever the handler had begun to answer by the problem.
func (g *Gate) fail(c *fiber.Ctx, r *Request, err error) {
	p := problem.From(err, r.ID)
	if p.Status >= fiber.StatusInternalServerError {
		g.log.ErrorContext(r.context(c), "request failed", "route", r.Route, "status", p.Status, "error", err)
	}
	c.Response().ResetBody()
	if werr := p.Write(c); werr != nil {
		// Only a problem that cannot be encoded gets here; its status alone
		// still tells the client.
		g.log.ErrorContext(r.context(c), "problem not written", "error", werr)
		c.Status(p.Status)
	}
}
