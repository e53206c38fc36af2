package edge_test

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/apikey"
	"tiffin/services/auth/revoked"
	"tiffin/services/edge"
	"tiffin/services/edge/apikeys"
)

// verifyKey knows the keys that grant has made.
func (s *services) verifyKey(_ context.Context, req auth.KeyVerifyRequest) (auth.KeyGrant, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts["auth.key-verify"]++
	grant, known := s.keys[req.ID]
	switch {
	case !known:
		return auth.KeyGrant{}, apikeys.ErrKey()
	case s.errs["auth.key-verify"] != nil:
		return auth.KeyGrant{}, s.errs["auth.key-verify"]
	}
	return grant, nil
}

// grant makes a key.
func (s *services) grant(role string, rate int, scopes ...string) apikey.Key {
	id := uuid.New()
	id[6] = id[6]&0x0f | 0x80 // version 8, as those that carry a region
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[id.String()] = auth.KeyGrant{ID: id.String(), UserID: userID, Role: role, RateLimit: rate, Scopes: scopes}
	return apikey.New(id.String())
}

// byKey gives the headers of a JSON request with the key.
func byKey(key fmt.Stringer) []string {
	return []string{"Content-Type", "application/json", "X-API-Key", key.String()}
}

// text is a key that is none.
type text string

func (t text) String() string { return string(t) }

// Every route by a key with every scope but the one it needs, and by one with that alone.
func TestKeysOpenWhatTheirScopesSay(t *testing.T) {
	t.Parallel()
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		send := func(scopes ...string) answer {
			key := w.grant(cmp.Or(s.role, auth.RoleCustomer), 1000, scopes...)
			return w.send(t, s.Method, s.path, s.body, byKey(key)...)
		}
		scope := s.Scope()
		others := slices.DeleteFunc(auth.Scopes(), func(other string) bool { return other == scope })
		switch {
		case scope != "":
			require.Equal(t, s.Status, send(scope).status)
			got := send(others...)
			require.Equal(t, http.StatusForbidden, got.status)
			require.Contains(t, got.problem(t)["detail"], scope)
		case !s.Who.SignedIn && s.Method == http.MethodGet:
			require.Equal(t, s.Status, send().status, "everybody may")
		default:
			require.Equal(t, http.StatusForbidden, send(auth.Scopes()...).status, "nothing for keys, whatever their scopes")
		}
	})
}

func TestServicesSeeTheAccountOfAKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.grant(auth.RoleOwner, 1000, auth.ScopeOrdersRead)
	for range 5 {
		require.Equal(t, http.StatusOK, w.get(t, "/orders/"+orderID, byKey(key)...).status)
	}
	require.Equal(t, micro.Actor{ID: userID, Role: auth.RoleOwner}, w.got("order.get").actor)
	require.Equal(t, 1, w.count("auth.key-verify"), "and are not asked each time")
	require.Contains(t, w.log.String(), `"api_key":"`+key.ID+`"`)
	require.NotContains(t, w.log.String(), key.String()[len(key.String())-43:])
	got := w.send(t, "POST", "/orders", "{}", byKey(key)...)
	require.Equal(t, http.StatusForbidden, got.status, "the account's role comes first")
}

func TestBadKeysAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	key := w.grant(auth.RoleAdmin, 1000, auth.Scopes()...)
	good, unknown := key.String(), apikey.New(orderID).String()
	for _, s := range samples(t) {
		for name, raw := range map[string]string{
			"unknown": unknown, "rubbish": "rubbish", "a token": w.token(t, "admin"), "cut": good[:len(good)-1], "other case": strings.ToUpper(good),
		} {
			got := w.send(t, s.Method, s.path, s.body, byKey(text(raw))...)
			require.Equal(t, http.StatusUnauthorized, got.status, name)
			require.Contains(t, got.problem(t)["type"], "unauthenticated")
			require.NotContains(t, got.body, raw)
		}
		got := w.send(t, s.Method, s.path, s.body, w.as(t, "admin", "X-API-Key", good)...)
		require.Equal(t, http.StatusBadRequest, got.status, "whose rights would count?")
		got = w.send(t, s.Method, s.path, s.body, append(byKey(key), "X-API-Key", unknown)...)
		require.Equal(t, http.StatusBadRequest, got.status, "two keys")
	}
	w.fail("auth.key-verify", micro.E(micro.CodeUnavailable, "its shard is away"))
	require.Equal(t, http.StatusServiceUnavailable, w.get(t, "/orders", byKey(key)...).status, "neither good nor bad")
}

func TestAKeyHasALimitOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1, Auth: 1, Orders: 1}))
	key := w.grant(auth.RoleCustomer, 3, auth.ScopeOrdersRead)
	first := w.get(t, "/orders", byKey(key)...)
	require.Equal(t, http.StatusOK, first.status)
	require.Equal(t, "3", first.header.Get("RateLimit-Limit"))
	got := exhaust(t, func() answer { return w.get(t, "/orders", byKey(key)...) })
	require.Equal(t, "1", got.header.Get("Retry-After"))
	other := w.beside(t, limits(edge.RateLimits{General: 1, Auth: 1, Orders: 1}))
	exhaust(t, func() answer { return other.get(t, "/restaurants", byKey(key)...) })
	require.Equal(t, http.StatusOK, w.get(t, "/orders", w.as(t, "customer")...).status,
		"neither the address's share nor the account's was touched")
}

// Guessing keys is as slow as guessing passwords, and does not reach the auth service faster either.
func TestGuessingKeysIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, limits(edge.RateLimits{General: 1000, Auth: 2}))
	asked := 0
	exhaust(t, func() answer {
		asked++
		return w.get(t, "/restaurants", byKey(apikey.New(orderID))...)
	})
	require.Equal(t, w.count("auth.key-verify"), asked-1)
	require.Equal(t, http.StatusOK, w.get(t, "/restaurants").status, "others behind the address are not locked out")
}

func TestARevokedKeyEndsOnEveryEdge(t *testing.T) {
	t.Parallel()
	follow := func(c *edge.Config) { c.Revoked = revoked.NewList(c.Redis, nil, nil) }
	w := newWorld(t, follow)
	other := w.beside(t, follow)
	key := w.grant(auth.RoleAdmin, 1000, auth.ScopeOrdersRead)
	for _, e := range []*world{w, other} {
		require.Equal(t, http.StatusOK, e.get(t, "/orders", byKey(key)...).status)
	}
	require.Equal(t, http.StatusNoContent, w.send(t, "DELETE", "/admin/api-keys/"+strings.ToUpper(key.ID), "", w.as(t, "admin")...).status)
	require.Equal(t, http.StatusUnauthorized, w.get(t, "/orders", byKey(key)...).status, "at once where it was done")

	opts, err := redis.ParseURL(w.redisURL)
	require.NoError(t, err)
	store := redis.NewClient(opts)
	defer func() { require.NoError(t, store.Close()) }()
	revoked.NewAnnouncer(store, time.Hour, nil, time.Now, nil).Announce(t.Context(), key.ID) // as the auth service does
	require.Eventually(t, func() bool {
		return other.get(t, "/orders", byKey(key)...).status == http.StatusUnauthorized
	}, 10*time.Second, 5*time.Millisecond)
}

// Pages of other sites cannot send keys: a key in a browser is everybody's.
func TestBrowsersAreNotToldToSendKeys(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *edge.Config) { c.Origins = []string{"https://app.example.com"} })
	got := w.send(t, http.MethodOptions, "/orders", "", "Origin", "https://app.example.com",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "X-API-Key")
	require.NotContains(t, strings.ToLower(got.header.Get("Access-Control-Allow-Headers")), "x-api-key")
}
