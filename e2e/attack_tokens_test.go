package e2e_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// secret is what this fleet signs tokens with, so that the suite can make tokens that are wrong in one thing alone.
const secret = "known to the end-to-end tests alone"

// forge makes a token: the customer's own, with changed headers and claims, signed by the key. nil signs with nothing.
func (v *victim) forge(head, change object, size func() hash.Hash, key string) string {
	var claims object
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(v.customer.Token, ".")[1])
	require.NoError(v.t, err)
	require.NoError(v.t, json.Unmarshal(payload, &claims))
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	encode := func(o object) string { return base64.RawURLEncoding.EncodeToString([]byte(text(v.t, o))) }
	token := encode(head) + "." + encode(claims)
	if size == nil {
		return token + "."
	}
	mac := hmac.New(size, []byte(key))
	mac.Write([]byte(token))
	return token + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (v *victim) tokens() []hostile {
	hs256 := object{"alg": "HS256", "typ": "JWT"}
	look := func(name, token string, want int) hostile {
		return hostile{name: name, method: "GET", path: "/orders/" + v.order, headers: map[string]string{"Authorization": "Bearer " + token}, want: want}
	}
	signed := func(name string, change object) hostile {
		return look(name, v.forge(hs256, change, sha256.New, secret), 401)
	}
	headed := func(name string, head object) hostile { return look(name, v.forge(head, nil, sha256.New, secret), 401) }
	parts := strings.Split(v.customer.Token, ".")
	foreign := strings.Split(v.stranger.Token, ".")
	past, now := time.Now().Add(-time.Hour).Unix(), time.Now().Unix()
	return []hostile{
		look("the forge itself works", v.forge(hs256, nil, sha256.New, secret), 200),
		look("no algorithm", v.forge(object{"alg": "none", "typ": "JWT"}, nil, nil, ""), 401),
		look("No algorithm", v.forge(object{"alg": "None"}, nil, nil, ""), 401),
		look("another algorithm", v.forge(object{"alg": "HS512"}, nil, sha512.New, secret), 401),
		look("an algorithm of keys", v.forge(object{"alg": "RS256"}, nil, sha256.New, secret), 401),
		look("another secret", v.forge(hs256, nil, sha256.New, "secret"), 401), look("an empty secret", v.forge(hs256, nil, sha256.New, ""), 401),
		look("a key file", v.forge(object{"alg": "HS256", "kid": "../../../../dev/null"}, nil, sha256.New, ""), 401),
		look("a key brought along", v.forge(object{"alg": "HS256", "jwk": object{"kty": "oct", "k": "AA"}}, nil, sha256.New, "\x00"), 401),
		headed("rules we do not know", object{"alg": "HS256", "crit": []string{"exp"}}),
		signed("expired", object{"exp": past}), signed("this second", object{"exp": now}), signed("never expires", object{"exp": nil}),
		signed("expires in words", object{"exp": "tomorrow"}), signed("another issuer", object{"iss": "elsewhere"}),
		signed("another audience", object{"aud": []string{"elsewhere"}}), signed("another kind", object{"typ": "refresh"}),
		signed("the operator", object{"role": "operator", "sub": "ops"}), signed("a service", object{"role": "service"}),
		signed("nobody", object{"sub": ""}), signed("no role", object{"role": nil}), signed("no session", object{"fam": nil}),
		look("another's claims", parts[0]+"."+foreign[1]+"."+parts[2], 401), look("cut", v.customer.Token[:len(v.customer.Token)-1], 401),
		look("another spelling", v.customer.Token+"=", 401), look("two parts", parts[0]+"."+parts[1], 401),
		look("a refresh token", v.refresh, 401), look("an ended session's", v.ended, 401),
		{name: "in the query", method: "GET", path: "/orders/" + v.order + "?token=" + v.customer.Token + "&access_token=" + v.customer.Token, want: 401},
		{name: "as refresh token", method: "POST", path: "/auth/refresh", body: object{"refreshToken": v.customer.Token}, want: 422},
		{name: "a made-up refresh token", method: "POST", path: "/auth/refresh", body: object{"refreshToken": v.customer.ID() + "." + strings.Repeat("A", 43)}, want: 401},
	}
}

// keyOf makes an API key for the customer.
func (v *victim) keyOf(rate int, scopes ...string) (raw, id string) {
	made := v.admin.must(http.StatusCreated, "POST", "/admin/api-keys", object{
		"name": "Suite", "userId": v.customer.ID(), "scopes": scopes, "rateLimit": rate})
	return made["key"].(string), made["apiKey"].(object)["id"].(string)
}

func (v *victim) keys() []hostile {
	reader, _ := v.keyOf(100, "orders:read")
	revoked, id := v.keyOf(100, "orders:read")
	order := "/orders/" + v.order
	require.Equal(v.t, http.StatusOK, v.byKey(v.t, "GET", order, revoked).StatusCode, "an edge remembers it")
	v.admin.must(http.StatusNoContent, "DELETE", "/admin/api-keys/"+id, nil)
	boss := v.admin.must(http.StatusCreated, "POST", "/admin/api-keys", object{
		"name": "Boss", "userId": v.admin.ID(), "scopes": []string{"admin:read", "orders:write"}})["key"].(string)
	by := func(name, method, path, key string, body any, want int) hostile {
		return hostile{name: name, method: method, path: path, headers: map[string]string{"X-Api-Key": key}, body: body, want: want}
	}
	another := object{"name": "More", "userId": v.admin.ID(), "scopes": []string{"admin:read"}}
	return []hostile{
		by("a good one reads", "GET", order, reader, nil, 200),
		by("without the scope", "POST", "/orders", reader, v.cart(), 403), by("the account", "GET", "/auth/me", reader, nil, 403),
		by("sign in faster", "POST", "/auth/login", reader, object{"email": v.signedUp, "password": "guess1234"}, 403),
		by("revoked", "GET", order, revoked, nil, 401), by("revoked where all may", "GET", "/restaurants", revoked, nil, 401),
		by("guessed", "GET", order, reader[:len(reader)-4]+"AAAA", nil, 401), by("no key", "GET", order, "tfk_*", nil, 401),
		by("a token", "GET", order, v.customer.Token, nil, 401),
		by("another's order", "GET", order, v.keyFor(v.stranger), nil, 404),
		by("a key that makes keys", "POST", "/admin/api-keys", boss, another, 403),
		by("a key that ends keys", "DELETE", "/admin/api-keys/"+id, boss, nil, 403),
		by("the audit log by scope", "GET", "/admin/audit?limit=1", boss, nil, 200),
		{name: "as a bearer", method: "GET", path: order, headers: map[string]string{"Authorization": "Bearer " + reader}, want: 401},
		{name: "beside a token", method: "GET", path: order, as: v.stranger, headers: map[string]string{"X-Api-Key": reader}, want: 400},
		{name: "a scope of everything", method: "POST", path: "/admin/api-keys", as: v.admin, want: 422,
			body: object{"name": "All", "userId": v.admin.ID(), "scopes": []string{"*"}}},
		{name: "made by an owner", method: "POST", path: "/admin/api-keys", as: v.owner, body: another, want: 403},
	}
}

// keyFor makes an API key for somebody else.
func (v *victim) keyFor(p *person) string {
	return v.admin.must(http.StatusCreated, "POST", "/admin/api-keys", object{
		"name": "Suite", "userId": p.ID(), "scopes": []string{"orders:read"}})["key"].(string)
}

// byKey makes a request with an API key.
func (v *victim) byKey(t *testing.T, method, path, key string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, fleet.Edge+path, nil)
	require.NoError(t, err)
	req.Header.Set("X-API-Key", key)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res
}

// flood uses a key faster than its limit: it is told to wait, and nobody else is.
func (v *victim) flood(t *testing.T) {
	key, _ := v.keyOf(2, "orders:read")
	var refused *http.Response
	for range 100 {
		if res := v.byKey(t, "GET", "/orders/"+v.order, key); res.StatusCode == http.StatusTooManyRequests {
			refused = res
			break
		}
	}
	require.NotNil(t, refused)
	require.Equal(t, "1", refused.Header.Get("Retry-After"))
	require.Equal(t, "2", refused.Header.Get("RateLimit-Limit"))
	other, _ := v.keyOf(2, "orders:read")
	require.Equal(t, http.StatusOK, v.byKey(t, "GET", "/orders/"+v.order, other).StatusCode)
}
