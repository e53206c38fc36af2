package rest

import (
	"context"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"

	"tiffin/flight"
	"tiffin/micro"
	"tiffin/services/auth/revoked"
	"tiffin/services/auth/token"
	"tiffin/services/edge/apikeys"
	"tiffin/services/edge/inbound"
	"tiffin/services/edge/ops"
	"tiffin/services/edge/ratelimit"
	"tiffin/services/order"
	"tiffin/shard"
)

// flightPatience is how long a shared question keeps the next one waiting. Most
// are answered in a tenth of it.
const flightPatience = 20 * time.Millisecond

// Config is what the API needs. All but Exempt are required.
type Config struct {
	Client   *micro.Client
	Verifier *token.Verifier
	Keys     *apikeys.Keys
	Limiter  *ratelimit.Limiter
	Rates    map[Limit]int    // requests per second, 0 = off
	Exempt   inbound.Networks // clients without limits
	Cities   *shard.Gazetteer
	Revoked  *revoked.List // may be nil
	Overview func(context.Context) (ops.Overview, error)
	Clock    func() time.Time
}

// API serves the routes.
type API struct {
	cfg    Config
	tokens *tokens
	orders *order.Client
	flight flight.Group[jsontext.Value] // of what everybody may ask for
}

// New makes the API.
func New(cfg Config) *API {
	return &API{
		cfg: cfg, tokens: newTokens(cfg.Verifier, cfg.Clock), orders: order.NewClient(cfg.Client),
		flight: flight.Group[jsontext.Value]{Patience: flightPatience},
	}
}

// Mount adds every route to the app, and the answer for paths beneath them that
// do not exist.
func (a *API) Mount(app *fiber.App) {
	prefixes := map[string]bool{}
	for _, route := range Routes() {
		app.Add(route.Method, route.Path, a.serve(route))
		if route.Method == fiber.MethodGet {
			app.Head(route.Path, a.serve(route))
		}
		prefixes[Prefix(route.Path)] = true
	}
	for prefix := range prefixes {
		app.Use(prefix, a.missing)
	}
}

// Prefix gives the first segment of a path: /orders of /orders/:id.
func Prefix(path string) string {
	if i := strings.IndexByte(path[1:], '/'); i >= 0 {
		return path[:i+1]
	}
	return path
}

// missing keeps probing for paths under the limits. Fiber's router then answers
// 404 or 405.
func (a *API) missing(c *fiber.Ctx) error {
	in := inbound.From(c)
	if err := a.limit(c, LimitGeneral, in); err != nil {
		return err
	}
	return c.Next()
}

// serve is the pipeline, see the package's comment for its order.
func (a *API) serve(route Route) fiber.Handler {
	if route.handler == nil {
		route.handler = (*call).forward
	}
	return func(c *fiber.Ctx) error {
		in := inbound.From(c)
		in.Route = route.Path
		who, fault := a.identify(c, in)
		if err := a.spend(c, route.Limit, in, who); err != nil {
			return err
		}
		if fault != nil {
			return fault
		}
		if err := route.admit(who, in.Actor.Role); err != nil {
			return err
		}
		k := &call{api: a, route: &route, c: c, ctx: micro.WithActor(c.UserContext(), in.Actor)}
		if err := k.read(); err != nil {
			return err
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return route.handler(k)
	}
}

// limit spends a request of the group and sets the headers that tell the client
// what is left.
func (a *API) limit(c *fiber.Ctx, group Limit, in *inbound.Request) error {
	if group == LimitLocation && in.Actor.ID == "" {
		group = LimitGeneral // nobody's position: the route will refuse it, but not as often as one likes
	}
	return a.take(c, in, a.cfg.Rates[group], keys(group, in))
}

// take spends a request at the rate; c gets the headers, nil for none.
func (a *API) take(c *fiber.Ctx, in *inbound.Request, rate int, keys [2]string) error {
	if rate <= 0 || a.cfg.Exempt.Contain(in.Client) {
		return nil
	}
	d := a.cfg.Limiter.Take(rate, keys)
	if c != nil {
		setLimitHeaders(c, d)
	}
	if d.Allowed {
		return nil
	}
	err := micro.E(micro.CodeLimited, "at most %d requests a second", d.Limit)
	err.RetryAfter = max(d.RetryAfter, time.Millisecond)
	return err
}

// keys names who spends.
func keys(group Limit, in *inbound.Request) (keys [2]string) {
	if group != LimitLocation {
		keys[0] = string(group) + ":ip:" + network(in)
	}
	if in.Actor.ID != "" {
		keys[1] = string(group) + ":user:" + in.Actor.ID
	}
	return keys
}

// network names where a request comes from. A client with IPv6 owns a whole /64
// of addresses, so that is what counts.
func network(in *inbound.Request) string {
	address := in.Client
	if address.Is6() {
		if network, err := address.Prefix(64); err == nil {
			address = network.Addr()
		}
	}
	return address.String()
}
