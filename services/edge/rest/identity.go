package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/edge/apikeys"
	"tiffin/services/edge/inbound"
)

// caller is who sends a request and by what right.
type caller struct {
	signedIn bool           // by a good token or a good key
	key      *auth.KeyGrant // nil: not by an API key
}

// roles are those of accounts. A token with another, such as the operator's,
// was not made by the auth service.
var roles = []string{auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, auth.RoleAdmin}

// identify sets the request's actor from its token or its API key. A bad token
// makes an anonymous caller, so that an expired session can still sign in again;
// a bad key is a fault, since programs send keys on purpose. Both at once are one
// too: whose rights would count would be a guess.
func (a *API) identify(c *fiber.Ctx, in *inbound.Request) (caller, error) {
	keys := c.Request().Header.PeekAll(apikeys.Header)
	switch {
	case len(keys) == 0:
		return caller{signedIn: a.bearer(c, in)}, nil
	case len(keys) > 1, c.Get(fiber.HeaderAuthorization) != "":
		return caller{}, micro.E(micro.CodeMalformed, "send one %s or one Authorization, not both", apikeys.Header)
	}
	grant, err := a.cfg.Keys.Verify(c.UserContext(), string(keys[0]), func() error {
		return a.take(nil, in, a.cfg.Rates[LimitAuth], [2]string{"keys:ip:" + network(in)})
	})
	if err != nil {
		return caller{}, err
	}
	in.Actor, in.Key = micro.Actor{ID: grant.UserID, Role: grant.Role}, grant.ID
	return caller{signedIn: true, key: &grant}, nil
}

// bearer sets the actor from the token and reports whether there was a good one.
func (a *API) bearer(c *fiber.Ctx, in *inbound.Request) bool {
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

// spend takes a request from what the caller may send: a key has a limit of its
// own, wherever it is used from, in place of those of address and account.
func (a *API) spend(c *fiber.Ctx, group Limit, in *inbound.Request, who caller) error {
	if who.key == nil {
		return a.limit(c, group, in)
	}
	return a.take(c, in, who.key.RateLimit, [2]string{"key:" + who.key.ID})
}

// Scope is what an API key needs for the route, "" when no key may use it or,
// for what everybody may read, none is needed. It follows from method and path,
// so that no route can forget it.
func (r Route) Scope() string {
	verb := ":write"
	if r.Method == http.MethodGet {
		verb = ":read"
	}
	if scope := Prefix(r.Path)[1:] + verb; r.Who.SignedIn && slices.Contains(auth.Scopes(), scope) {
		return scope
	}
	return ""
}

// public reports whether everybody may read the route, keys included.
func (r Route) public() bool { return !r.Who.SignedIn && r.Method == http.MethodGet }

// admit judges the caller: identity first, then role and scope.
func (r Route) admit(who caller, role string) error {
	switch {
	case r.Who.SignedIn && !who.signedIn:
		return micro.E(micro.CodeUnauthenticated, "sign in and send the token as Authorization: Bearer, or send an API key as %s", apikeys.Header)
	case !r.Who.May(role):
		return micro.Forbidden("this is not for the role %s", role)
	case who.key == nil, r.public():
		return nil
	case r.Scope() == "":
		return micro.Forbidden("API keys cannot be used for this")
	case !who.key.Allows(r.Scope()):
		return micro.Forbidden("this needs an API key with the scope %s", r.Scope())
	}
	return nil
}
