package server

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
)

func withRedis(rdb *redis.Client) func(*Config) { return func(c *Config) { c.Redis = rdb } }

func me(t *testing.T, s *Server, u auth.User) auth.User {
	t.Helper()
	res, err := s.me(as(t.Context(), u), auth.MeRequest{})
	require.NoError(t, err)
	return res.User
}

// A profile read once is served without its shard for half an hour.
func TestProfileIsCached(t *testing.T) {
	t.Parallel()
	rdb := testenv.Redis(t)
	set := openSet(t, threeShards(t))
	s, other := newServer(t, set, withRedis(rdb)), newServer(t, set, withRedis(rdb))
	session := mustRegister(t, s, freshEmail(), "Boston")
	require.Equal(t, session.User, me(t, s, session.User))

	_, err := set.ByShard("b").Pool().Exec(t.Context(), `update auth.users set first_name = 'behind the cache'`)
	require.NoError(t, err)
	require.Equal(t, session.User, me(t, s, session.User))
	require.Equal(t, session.User, me(t, other, session.User), "instances share the cache")
	ttl, err := rdb.TTL(t.Context(), "auth:user:"+session.User.ID).Result()
	require.NoError(t, err)
	require.InDelta(t, 30*60, ttl.Seconds(), 60)
}

// A change is seen by the next read of every instance.
func TestChangeIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	rdb := testenv.Redis(t)
	set := openSet(t, threeShards(t))
	s, other := newServer(t, set, withRedis(rdb)), newServer(t, set, withRedis(rdb))
	user := mustRegister(t, s, freshEmail(), "Boston").User
	for _, name := range []string{"Grace", "Hedy", "Katherine"} {
		me(t, s, user)
		me(t, other, user)
		changed, err := s.update(as(t.Context(), user), auth.UpdateRequest{FirstName: &name})
		require.NoError(t, err)
		require.Equal(t, name, changed.User.FirstName)
		require.Equal(t, user.LastName, changed.User.LastName)
		require.Equal(t, changed.User, me(t, other, user))
		require.Equal(t, changed.User, me(t, s, user))
	}
}

// Without Redis, profiles come from their shard.
func TestProfileWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.OwnRedis(t)
	opts, err := redis.ParseURL(server.URL)
	require.NoError(t, err)
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { require.NoError(t, rdb.Close()) })
	s := newFleet(t, withRedis(rdb))
	user := mustRegister(t, s, freshEmail(), "Boston").User
	me(t, s, user)
	server.Kill()
	require.Equal(t, user, me(t, s, user))
	name := "Grace"
	changed, err := s.update(as(t.Context(), user), auth.UpdateRequest{FirstName: &name})
	require.NoError(t, err)
	require.Equal(t, changed.User, me(t, s, user))
}

func TestWhoMayReadAndChangeWhom(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	user := mustRegister(t, s, freshEmail(), "Boston").User
	stranger := mustRegister(t, s, freshEmail(), "Boston").User
	admin := stranger
	admin.Role = auth.RoleAdmin
	operator := micro.WithActor(t.Context(), micro.Actor{Role: micro.RoleOperator, ID: "ops"})
	name := "Grace"
	for title, tc := range map[string]struct {
		ctx  context.Context
		id   string
		want micro.Code
	}{
		"nobody":                {t.Context(), "", micro.CodeUnauthenticated},
		"nobody, naming one":    {t.Context(), user.ID, micro.CodeUnauthenticated},
		"oneself":               {as(t.Context(), user), "", ""},
		"oneself by id":         {as(t.Context(), user), strings.ToUpper(user.ID), ""},
		"a stranger":            {as(t.Context(), stranger), user.ID, micro.CodeNotFound},
		"an administrator":      {as(t.Context(), admin), user.ID, ""},
		"the operator":          {operator, user.ID, ""},
		"the operator, unnamed": {operator, "", micro.CodeInvalid},
		"an id that is not":     {operator, "nobody", micro.CodeNotFound},
		"an account long gone":  {operator, s.cfg.Shards.Router().NewID("mx"), micro.CodeNotFound},
	} {
		_, err := s.me(tc.ctx, auth.MeRequest{ID: tc.id})
		require.Equal(t, tc.want, micro.CodeOf(err), "%s reads", title)
		_, err = s.update(tc.ctx, auth.UpdateRequest{ID: tc.id, FirstName: &name})
		require.Equal(t, tc.want, micro.CodeOf(err), "%s changes", title)
	}
}

// Neither the tables nor the cache show a phone number to whoever has no key.
func TestNoPhoneNumberIsStoredInPlainText(t *testing.T) {
	t.Parallel()
	rdb := testenv.Redis(t)
	set := openSet(t, threeShards(t))
	s := newServer(t, set, withRedis(rdb))
	session := mustRegister(t, s, freshEmail(), "Boston")
	require.Equal(t, "+14155550100", me(t, s, session.User).PhoneNumber)
	require.Equal(t, "+14155550100", me(t, s, session.User).PhoneNumber, "from the cache")
	next, err := s.refresh(t.Context(), auth.RefreshRequest{RefreshToken: session.RefreshToken})
	require.NoError(t, err)
	require.Equal(t, session.User, next.User)
	phone := "+1 415 555 0199"
	changed, err := s.update(as(t.Context(), session.User), auth.UpdateRequest{PhoneNumber: &phone})
	require.NoError(t, err)
	require.Equal(t, phone, changed.User.PhoneNumber)
	require.Equal(t, phone, me(t, s, session.User).PhoneNumber)
	for _, db := range set.All() {
		text, err := testenv.Dump(t.Context(), db.Pool())
		require.NoError(t, err)
		require.NotContains(t, text, "415555")
		require.NotContains(t, text, "555 0199")
	}
	cached, err := rdb.HGetAll(t.Context(), "auth:user:"+session.User.ID).Result()
	require.NoError(t, err)
	require.NotEmpty(t, cached, "the profile is in the cache")
	require.NotContains(t, fmt.Sprint(cached), "555 0199")
}
