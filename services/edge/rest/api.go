package rest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/revoked"
	"tiffin/services/auth/token"
	"tiffin/services/edge/inbound"
	"tiffin/services/edge/ops"
	"tiffin/services/edge/ratelimit"
	"tiffin/services/order"
	"tiffin/shard"
)

// Config is what the API needs. All but Exempt are required.
type Config struct {
	Client   *micro.Client
	Verifier *token.Verifier
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
}

// New makes the API.
func New(cfg Config) *API {
	return &API{cfg: cfg, tokens: newTokens(cfg.Verifier, cfg.Clock), orders: order.NewClient(cfg.Client)}
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
		trusted := a.identify(c, in)
		if err := a.limit(c, route.Limit, in); err != nil {
			return err
		}
		if route.Who.SignedIn && !trusted {
			return micro.E(micro.CodeUnauthenticated, "sign in and send the token as Authorization: Bearer")
		}
		if !route.Who.May(in.Actor.Role) {
			return micro.Forbidden("this is not for the role %s", in.Actor.Role)
		}
		k := &call{api: a, route: &route, c: c, ctx: micro.WithActor(c.UserContext(), in.Actor)}
		if err := k.read(); err != nil {
			return err
		}
		c.Set(fiber.HeaderCacheControl, "no-store")
		return route.handler(k)
	}
}

// identify sets the request's actor from its token and reports whether there
// was a good one.
func (a *API) identify(c *fiber.Ctx, in *inbound.Request) bool {
	scheme, raw, found := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !found || !strings.EqualFold(scheme, "bearer") {
		return false
	}
	claims, good := a.tokens.verify(raw)
	if !good || !slices.Contains(roles, claims.Role) {
		return false
	}
	in.Actor = micro.Actor{ID: claims.UserID, Role: claims.Role}
	return true
}

// roles are those of accounts. A token with another, such as the operator's,
// was not made by the auth service.
var roles = []string{auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, auth.RoleAdmin}

// limit spends a request of the group and sets the headers that tell the client
// what is left.
func (a *API) limit(c *fiber.Ctx, group Limit, in *inbound.Request) error {
	user := in.Actor.ID
	if group == LimitLocation && user == "" {
		group = LimitGeneral // nobody's position: the route will refuse it, but not as often as one likes
	}
	rate := a.cfg.Rates[group]
	if rate <= 0 || a.cfg.Exempt.Contain(in.Client) {
		return nil
	}
	d := a.cfg.Limiter.Take(rate, keys(group, in))
	setLimitHeaders(c, d)
	if d.Allowed {
		return nil
	}
	err := micro.E(micro.CodeLimited, "at most %d requests a second", d.Limit)
	err.RetryAfter = max(d.RetryAfter, time.Millisecond)
	return err
}

// keys names who spends. A client with IPv6 owns a whole /64 of addresses, so
// that is what counts.
func keys(group Limit, in *inbound.Request) (keys [2]string) {
	if group != LimitLocation {
		address := in.Client
		if address.Is6() {
			if network, err := address.Prefix(64); err == nil {
				address = network.Addr()
			}
		}
		keys[0] = string(group) + ":ip:" + address.String()
	}
	if in.Actor.ID != "" {
		keys[1] = string(group) + ":user:" + in.Actor.ID
	}
	return keys
}
