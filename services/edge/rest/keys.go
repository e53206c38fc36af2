package rest

import (
	"net/http"
	"strings"

	"tiffin/micro"
	"tiffin/services/auth"
)

// keyRoutes are those of the API keys of integrators. Making one is sent once: a
// second try would leave a key that nobody has ever seen.
func keyRoutes() []Route {
	admin := only(auth.RoleAdmin)
	return []Route{
		Route{
			Method: http.MethodPost, Path: "/admin/api-keys", Tag: tagAdmin,
			Summary: "Make an API key",
			Detail: "It acts for the account `userId` and may do what that account may, narrowed to the scopes. `key` is shown " +
				"here and never again; programs send it as `X-API-Key`. Its rate limit takes the place of those of address and account.",
			Who: admin, Limit: LimitGeneral,
			Body: bodyOf[auth.KeyCreateRequest](), Status: http.StatusCreated, Answer: typeOf[auth.KeyCreateResponse](),
		}.once(auth.Subject(auth.VerbKeyCreate), typeOf[auth.KeyCreateRequest]()),
		Route{
			Method: http.MethodGet, Path: "/admin/api-keys", Tag: tagAdmin,
			Summary: "List API keys, newest first",
			Detail:  "Revoked and expired ones among them; `lastUsedAt` is exact to the minute.",
			Who:     admin, Limit: LimitGeneral,
			Params: append([]Param{query("userId", UUID, "Those that act for this account.")}, page()...),
			Status: http.StatusOK, Answer: typeOf[auth.KeyListResponse](),
		}.again(auth.Subject(auth.VerbKeyList), typeOf[auth.KeyListRequest]()),
		Route{
			Method: http.MethodDelete, Path: "/admin/api-keys/:id", Tag: tagAdmin,
			Summary: "Revoke an API key",
			Detail:  "At once and for good. It stays in the list.",
			Who:     admin, Limit: LimitGeneral,
			Params: []Param{pathID("id", "", UUID, "Id of the key.")},
			Status: http.StatusNoContent, Codes: []micro.Code{micro.CodeNotFound},
			handler: (*call).revokeKey,
		}.again(auth.Subject(auth.VerbKeyRevoke), typeOf[auth.KeyRevokeRequest]()),
	}
}

// revokeKey forwards, and then need not wait for the news of what it has itself
// ended: the very next request with the key is refused.
func (k *call) revokeKey() error {
	if err := k.forward(); err != nil {
		return err
	}
	k.api.cfg.Keys.Revoke(strings.ToLower(k.c.Params("id")))
	return nil
}
