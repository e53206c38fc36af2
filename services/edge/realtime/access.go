package realtime

import (
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"tiffin/micro"
	"tiffin/services/auth/token"
	"tiffin/services/edge/apikeys"
)

// Subprotocol is what browsers offer at /ws; a token may stand beside it as "bearer.<token>", since browsers cannot set
// headers there.
const Subprotocol = "tiffin"

const bearerProtocol = "bearer."

// origins is the list of sites whose pages may connect.
type origins map[string]bool

func newOrigins(list []string) origins {
	o := make(origins, len(list))
	for _, origin := range list {
		o[strings.ToLower(strings.TrimSuffix(origin, "/"))] = true
	}
	return o
}

// check returns forbidden for a page of another site. A browser sends its cookies and lets scripts read the answers of
// any site's socket, so for sockets this is the only wall there is. Native clients send no origin.
func (o origins) check(c *fiber.Ctx) error {
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" || o[strings.ToLower(origin)] {
		return nil
	}
	return micro.Forbidden("this origin may not connect")
}

// identity is who a client is.
type identity struct {
	actor   micro.Actor
	expires time.Time // zero: never
}

var anonymous = identity{actor: micro.Actor{Role: micro.RoleAnonymous}}

func (i identity) signedIn() bool { return i.actor.Role != micro.RoleAnonymous }

// identify verifies a token, if there is one. It returns unauthenticated for a wrong one.
func (s *Server) identify(raw string) (identity, error) {
	if raw == "" {
		return anonymous, nil
	}
	claims, err := s.cfg.Verifier.Verify(raw)
	if err != nil {
		return identity{}, errToken
	}
	return identity{actorOf(claims), claims.ExpiresAt}, nil
}

var errToken = micro.E(micro.CodeUnauthenticated, "the token is not valid")

func actorOf(c token.Claims) micro.Actor { return micro.Actor{ID: c.UserID, Role: c.Role} }

// errKeys tells a program with an API key that it has come to the wrong door, instead of letting it in as nobody.
var errKeys = micro.E(micro.CodeUnauthenticated, "API keys are for REST, sockets take the token of a session")

// tokenOf finds the token of a handshake: in the Authorization header or among the subprotocols.
func tokenOf(c *fiber.Ctx) (raw string, err error) {
	if len(c.Request().Header.Peek(apikeys.Header)) > 0 {
		return "", errKeys
	}
	if header := c.Get(fiber.HeaderAuthorization); header != "" {
		scheme, value, _ := strings.Cut(header, " ")
		if !strings.EqualFold(scheme, "bearer") || value == "" {
			return "", errToken
		}
		return strings.Clone(strings.TrimSpace(value)), nil
	}
	for protocol := range strings.SplitSeq(c.Get(fiber.HeaderSecWebSocketProtocol), ",") {
		if raw, ok := strings.CutPrefix(strings.TrimSpace(protocol), bearerProtocol); ok {
			return strings.Clone(raw), nil
		}
	}
	return "", nil
}

// subprotocol gives the one to agree on: ours if it is offered.
func subprotocol(c *fiber.Ctx) string {
	for offered := range strings.SplitSeq(c.Get(fiber.HeaderSecWebSocketProtocol), ",") {
		if strings.TrimSpace(offered) == Subprotocol {
			return Subprotocol
		}
	}
	return ""
}

// errStopping is the answer to clients that come while the edge is going away.
var errStopping = fiber.NewError(http.StatusServiceUnavailable, "the edge is going away")
