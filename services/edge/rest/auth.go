package rest

import (
	"net/http"
	"strings"
	"time"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/wire"
)

// authRoutes are those of accounts and sessions. What changes something is sent
// once: a second registration would find the first one's address taken, and a
// second refresh would look like a stolen token and end the session. Signing in
// needs no token, so these routes are the ones that guessing is tried on; hence
// their own, stricter limit.
func authRoutes() []Route {
	return []Route{
		Route{
			Method: http.MethodPost, Path: "/auth/register", Tag: tagAuth,
			Summary: "Create an account",
			Detail: "The city decides in which region the account lives. An e-mail address belongs to one account of the " +
				"whole fleet, in any letter case. A `delivery_partner` gets a partner record too.",
			Who: anyone, Limit: LimitAuth,
			Body: bodyOf[auth.RegisterRequest](), Status: http.StatusCreated, Answer: typeOf[auth.Session](),
			Codes: []micro.Code{micro.CodeConflict},
		}.once(auth.Subject(auth.VerbRegister), typeOf[auth.RegisterRequest]()),
		Route{
			Method: http.MethodPost, Path: "/auth/login", Tag: tagAuth,
			Summary: "Sign in",
			Detail:  "A wrong password and an unknown e-mail address are refused alike.",
			Who:     anyone, Limit: LimitAuth,
			Body: bodyOf[auth.LoginRequest](), Status: http.StatusOK, Answer: typeOf[auth.Session](),
			Codes: []micro.Code{micro.CodeUnauthenticated},
		}.once(auth.Subject(auth.VerbLogin), typeOf[auth.LoginRequest]()),
		Route{
			Method: http.MethodPost, Path: "/auth/refresh", Tag: tagAuth,
			Summary: "Exchange a refresh token for a new pair",
			Detail: "The access token may have expired. A refresh token works once: presenting it again revokes every " +
				"token of its family, so clients must not refresh twice at the same time.",
			Who: anyone, Limit: LimitAuth,
			Body: bodyOf[auth.RefreshRequest](), Status: http.StatusOK, Answer: typeOf[auth.Session](),
			Codes: []micro.Code{micro.CodeUnauthenticated},
		}.once(auth.Subject(auth.VerbRefresh), typeOf[auth.RefreshRequest]()),
		Route{
			Method: http.MethodPost, Path: "/auth/logout", Tag: tagAuth,
			Summary: "Sign out",
			Detail:  "Revokes the refresh token's whole family, its access tokens included.",
			Who:     signedIn, Limit: LimitAuth,
			Body: bodyOf[auth.LogoutRequest](), Status: http.StatusNoContent,
			handler: (*call).logout,
		}.again(auth.Subject(auth.VerbLogout), typeOf[auth.LogoutRequest]()),
		Route{
			Method: http.MethodGet, Path: "/auth/me", Tag: tagAuth,
			Summary: "The signed-in account",
			Detail:  "For a rider with `partnerId`.",
			Who:     signedIn, Limit: LimitAuth,
			Status: http.StatusOK, Answer: typeOf[auth.MeResponse](),
			Codes: []micro.Code{micro.CodeNotFound},
		}.again(auth.Subject(auth.VerbMe), typeOf[auth.MeRequest]()),
	}
}

// logout forwards, and then need not wait for the news of what it has itself
// ended: the very next request with the token is refused.
func (k *call) logout() error {
	if err := k.forward(); err != nil || k.api.cfg.Revoked == nil {
		return err
	}
	var request auth.LogoutRequest
	if wire.Decode(k.body, &request) == nil {
		family, _, _ := strings.Cut(request.RefreshToken, ".")
		k.api.cfg.Revoked.Add(family, k.api.cfg.Clock().Add(rememberRevoked))
	}
	return nil
}

// rememberRevoked bridges the time until the news comes from the auth service,
// which knows how long the tokens live.
const rememberRevoked = time.Hour
