package edge

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tiffin/health"
	"tiffin/services/edge/inbound"
	"tiffin/services/edge/rest"
	"tiffin/wire"
)

// tagProbes is the heading of what is not part of the API's own contract.
const tagProbes = "Probes and documentation"

// alive is the answer of /healthz.
type alive struct {
	Status string `json:"status"` // ok
}

// probes are the routes outside the contract's table, as the documentation
// shows them. They are served here, unlimited.
func probes() []rest.Route {
	get := func(path, media, summary, detail string, answer reflect.Type) rest.Route {
		return rest.Route{Method: http.MethodGet, Path: path, Tag: tagProbes, Summary: summary, Detail: detail,
			Status: http.StatusOK, Media: media, Answer: answer, Probe: true}
	}
	text, report := reflect.TypeFor[string](), reflect.TypeFor[health.Report]()
	ready := get("/readyz", fiber.MIMEApplicationJSON, "Whether to send requests here",
		"200 once everything has been up, and from then on while NATS is reachable; 503 otherwise.", report)
	ready.Also = map[int]reflect.Type{http.StatusServiceUnavailable: report}
	return []rest.Route{
		get("/healthz", fiber.MIMEApplicationJSON, "Whether the process is alive", "", reflect.TypeFor[alive]()),
		ready,
		get("/metrics", fiber.MIMETextPlain, "Figures for Prometheus", "", text),
		get("/openapi.json", fiber.MIMEApplicationJSON, "This description", "OpenAPI 3.1.", reflect.TypeFor[map[string]any]()),
		get("/asyncapi.json", fiber.MIMEApplicationJSON, "The events on NATS and RabbitMQ", "AsyncAPI 3.0.", reflect.TypeFor[map[string]any]()),
		get("/docs", fiber.MIMETextHTML, "This description as a page", "", text),
	}
}

// reserved are the first segments of paths that never are pages of the web app.
func reserved() []string {
	prefixes := []string{"/ws", "/socket.io"}
	for _, route := range slices.Concat(rest.Routes(), probes()) {
		if prefix := rest.Prefix(route.Path); !slices.Contains(prefixes, prefix) {
			prefixes = append(prefixes, prefix)
		}
	}
	return prefixes
}

// mountProbes adds what balancers and Prometheus ask.
func (s *Server) mountProbes(app *fiber.App) {
	app.Get("/healthz", quiet("/healthz", func(c *fiber.Ctx) error {
		return sendJSON(c, http.StatusOK, alive{Status: "ok"})
	}))
	app.Get("/readyz", quiet("/readyz", func(c *fiber.Ctx) error {
		report, ready := s.readiness.Ready()
		if ready {
			return sendJSON(c, http.StatusOK, report)
		}
		c.Set(fiber.HeaderRetryAfter, "1")
		return sendJSON(c, http.StatusServiceUnavailable, report)
	}))
	app.Get("/metrics", quiet("/metrics", adaptor.HTTPHandler(promhttp.HandlerFor(s.cfg.Gatherer, promhttp.HandlerOpts{}))))
}

// quiet names the route for the metrics and keeps it out of the log, whatever
// the answer: probes come every second, and what they found is in the log once.
func quiet(route string, next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in := inbound.From(c)
		in.Route, in.Probe = route, true
		c.Set(fiber.HeaderCacheControl, "no-store")
		return next(c)
	}
}

// nameRoute names routes that others serve. Polling is too frequent for the
// log.
func nameRoute(route string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		in := inbound.From(c)
		in.Route, in.Quiet = route, true
		return c.Next()
	}
}

// sendJSON answers with v. Probes answer before anything else of the edge is
// known to work, so this needs nothing but the encoder.
func sendJSON(c *fiber.Ctx, status int, v any) error {
	body, err := wire.Encode(v)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Status(status).Send(body)
}

// originOf is the part of an address that a Content-Security-Policy names, "" of
// none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
