package server

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/apikey"
	"tiffin/services/auth/revoked"
	"tiffin/wire"
)

// asked is how an edge asks about a key.
func asked(t *testing.T, raw string) auth.KeyVerifyRequest {
	t.Helper()
	key, ok := apikey.Parse(raw)
	require.True(t, ok)
	digest := key.Digest()
	return auth.KeyVerifyRequest{ID: key.ID, Digest: hex.EncodeToString(digest[:])}
}

// operating is a context of the operator.
func operating(t *testing.T) context.Context {
	t.Helper()
	return micro.WithActor(t.Context(), micro.Actor{Role: micro.RoleOperator, ID: "joe"})
}

// newKey makes a key for the user by an operator.
func newKey(t *testing.T, s *Server, userID string, scopes ...string) auth.KeyCreateResponse {
	t.Helper()
	res, err := s.keyCreate(operating(t), auth.KeyCreateRequest{Name: "Till", UserID: userID, Scopes: scopes})
	require.NoError(t, err)
	return res
}

func TestAKeyActsForItsAccount(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	for id, city := range homes {
		user := mustRegister(t, s, freshEmail(), city).User
		made := newKey(t, s, user.ID, auth.ScopeOrdersRead, auth.ScopeAccount)
		home, err := s.cfg.Shards.ByID(made.APIKey.ID)
		require.NoError(t, err)
		require.Equal(t, id, home.ID(), "the key is found where its account is")
		require.Contains(t, made.Key, made.APIKey.ID)

		grant, err := s.keyVerify(t.Context(), asked(t, made.Key))
		require.NoError(t, err)
		require.Equal(t, auth.KeyGrant{ID: made.APIKey.ID, UserID: user.ID, Role: auth.RoleCustomer,
			Scopes: []string{auth.ScopeAccount, auth.ScopeOrdersRead}, RateLimit: auth.DefaultKeyRate}, grant)
		require.True(t, grant.Allows(auth.ScopeOrdersRead))
		require.False(t, grant.Allows(auth.ScopeOrdersWrite))
		require.False(t, grant.Allows(""), "what has no scope is not for keys")
	}
}

func TestOnlyTheDigestIsStored(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	made := newKey(t, s, mustRegister(t, s, freshEmail(), "Boston").User.ID, auth.ScopeOrdersRead)
	key, _ := apikey.Parse(made.Key)
	var row string
	var digest []byte
	require.NoError(t, s.cfg.Shards.ByShard("b").Pool().QueryRow(t.Context(),
		`select k::text, digest from auth.api_keys k where id = $1`, key.ID).Scan(&row, &digest))
	want := key.Digest()
	require.Equal(t, want[:], digest)
	require.NotContains(t, row, made.Key[len(made.Key)-43:])
	list, err := s.keyList(operating(t), auth.KeyListRequest{})
	require.NoError(t, err)
	text, err := wire.Encode(list)
	require.NoError(t, err)
	require.NotContains(t, string(text), made.Key[len(made.Key)-43:], "shown once")
}

func TestKeysThatAreWorthNothing(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newFleet(t, func(c *Config) { c.Clock = func() time.Time { return now } })
	user := mustRegister(t, s, freshEmail(), "Boston").User
	good := newKey(t, s, user.ID, auth.ScopeOrdersRead)
	at := wire.At(now.Add(time.Hour))
	brief, err := s.keyCreate(operating(t), auth.KeyCreateRequest{Name: "Brief", UserID: user.ID, Scopes: []string{auth.ScopeOrdersRead}, ExpiresAt: &at})
	require.NoError(t, err)
	ended := newKey(t, s, user.ID, auth.ScopeOrdersRead)
	for range 2 { // ending twice is no error
		_, err = s.keyRevoke(operating(t), auth.KeyRevokeRequest{ID: strings.ToUpper(ended.APIKey.ID)})
		require.NoError(t, err)
	}
	grant, err := s.keyVerify(t.Context(), asked(t, brief.Key))
	require.NoError(t, err)
	require.Equal(t, at, *grant.ExpiresAt)
	now = now.Add(time.Hour)

	digest := asked(t, good.Key).Digest
	for name, req := range map[string]auth.KeyVerifyRequest{
		"revoked":                  asked(t, ended.Key),
		"expired":                  asked(t, brief.Key),
		"another secret":           asked(t, apikey.New(good.APIKey.ID).String()),
		"another key's secret":     {ID: ended.APIKey.ID, Digest: digest},
		"unknown":                  asked(t, apikey.New(s.cfg.Shards.Router().NewID("us-east")).String()),
		"of no region we have":     {ID: "01935c8e-2f4a-8fff-9d3e-5f60718293a4", Digest: digest},
		"the id of an account":     {ID: user.ID, Digest: digest},
		"no id of this fleet":      {ID: uuid.NewString(), Digest: digest},
		"the digest of no secret":  {ID: good.APIKey.ID, Digest: strings.Repeat("0", 64)},
		"the first half of digest": {ID: good.APIKey.ID, Digest: digest[:32] + strings.Repeat("0", 32)},
	} {
		got, err := s.keyVerify(t.Context(), req)
		requireCode(t, micro.CodeUnauthenticated, err)
		require.EqualError(t, err, "unauthenticated: the API key is not valid", "%s: one answer for all", name)
		require.Empty(t, got)
	}
	_, err = s.keyVerify(t.Context(), asked(t, good.Key))
	require.NoError(t, err)
}

func TestWhoMayHandleKeys(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	user := mustRegister(t, s, freshEmail(), "Boston").User
	admin := micro.WithActor(t.Context(), micro.Actor{ID: uuid.NewString(), Role: auth.RoleAdmin})
	req := auth.KeyCreateRequest{Name: "Till", UserID: strings.ToUpper(user.ID), Scopes: []string{auth.ScopeOrdersRead}, RateLimit: 7}
	made, err := s.keyCreate(admin, req)
	require.NoError(t, err)
	require.Equal(t, 7, made.APIKey.RateLimit)
	require.Equal(t, user.ID, made.APIKey.UserID)
	for code, ctx := range map[micro.Code]struct{ who, role string }{
		micro.CodeUnauthenticated: {"", micro.RoleAnonymous}, micro.CodeForbidden: {user.ID, user.Role},
	} {
		as := micro.WithActor(t.Context(), micro.Actor{ID: ctx.who, Role: ctx.role})
		_, err := s.keyCreate(as, req)
		requireCode(t, code, err)
		_, err = s.keyList(as, auth.KeyListRequest{})
		requireCode(t, code, err)
		_, err = s.keyRevoke(as, auth.KeyRevokeRequest{ID: made.APIKey.ID})
		requireCode(t, code, err)
	}
	_, err = s.keyVerify(t.Context(), asked(t, made.Key))
	require.NoError(t, err, "none of them revoked it")

	for _, id := range []string{s.cfg.Shards.Router().NewID("us-east"), uuid.NewString()} {
		_, err = s.keyRevoke(admin, auth.KeyRevokeRequest{ID: id})
		requireCode(t, micro.CodeNotFound, err)
		var invalid wire.Invalid
		_, err = s.keyCreate(admin, auth.KeyCreateRequest{Name: "x", UserID: id, Scopes: req.Scopes})
		require.ErrorAs(t, err, &invalid)
	}
	past := wire.At(time.Now())
	req.ExpiresAt = &past
	_, err = s.keyCreate(admin, req)
	requireCode(t, micro.CodeInvalid, err)

	log, err := s.audit(admin, auth.AuditRequest{Action: auth.ActionKeyCreate})
	require.NoError(t, err)
	require.Len(t, log.Entries, 1)
	require.Equal(t, made.APIKey.ID, log.Entries[0].Target)
	require.Equal(t, auth.RoleAdmin, log.Entries[0].ActorRole)
}

func TestKeysAreListedInPagesOverAllShards(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	var made []string
	var last auth.User
	for range 2 {
		for _, city := range homes {
			last = mustRegister(t, s, freshEmail(), city).User
			made = append(made, newKey(t, s, last.ID, auth.ScopeOrdersRead).APIKey.ID)
		}
	}
	slices.Sort(made) // within one millisecond chance decides
	slices.Reverse(made)
	var paged []string
	for req := (auth.KeyListRequest{Limit: 4}); ; {
		page, err := s.keyList(operating(t), req)
		require.NoError(t, err)
		for _, key := range page.APIKeys {
			paged = append(paged, key.ID)
		}
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			break
		}
	}
	require.Equal(t, made, paged)
	mine, err := s.keyList(operating(t), auth.KeyListRequest{UserID: last.ID})
	require.NoError(t, err)
	require.Len(t, mine.APIKeys, 1)
	require.Nil(t, mine.APIKeys[0].LastUsedAt)
}

func TestTheLastUseIsNotedOnceAMinute(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newFleet(t, func(c *Config) { c.Clock = func() time.Time { return now } })
	made := newKey(t, s, mustRegister(t, s, freshEmail(), "Boston").User.ID, auth.ScopeOrdersRead)
	used := func() wire.Time {
		_, err := s.keyVerify(t.Context(), asked(t, made.Key))
		require.NoError(t, err)
		list, err := s.keyList(operating(t), auth.KeyListRequest{})
		require.NoError(t, err)
		return *list.APIKeys[0].LastUsedAt
	}
	first := used()
	require.Equal(t, wire.At(now), first)
	now = now.Add(auth.KeyMemory - time.Second)
	require.Equal(t, first, used())
	now = now.Add(time.Second)
	require.Equal(t, wire.At(now), used())
}

// A key's shard that is away is no verdict about the key.
func TestAKeyOfADeadShardIsUnavailable(t *testing.T) {
	t.Parallel()
	s, c := fragile(t)
	there := newKey(t, s, mustRegister(t, s, freshEmail(), "Guadalajara").User.ID, auth.ScopeOrdersRead)
	here := newKey(t, s, mustRegister(t, s, freshEmail(), "Boston").User.ID, auth.ScopeOrdersRead)
	c.Kill()
	_, err := s.keyVerify(t.Context(), asked(t, there.Key))
	requireCode(t, micro.CodeUnavailable, err)
	_, err = s.keyVerify(t.Context(), asked(t, here.Key))
	require.NoError(t, err)
}

// Revoking reaches every edge's list at once, whatever the life of sessions' tokens, and a list that was not there yet
// is filled from the record.
func TestARevokedKeyIsAnnounced(t *testing.T) {
	t.Parallel()
	_, client, s := serve(t, func(c *Config) { c.JWTExpiry = time.Millisecond })
	list := revoked.NewList(s.cfg.Redis, nil, nil)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- list.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	made, err := client.KeyCreate(operating(t), auth.KeyCreateRequest{
		Name: "Till", UserID: mustRegister(t, s, freshEmail(), "Boston").User.ID, Scopes: []string{auth.ScopeOrdersRead}})
	require.NoError(t, err)
	_, err = client.KeyVerify(t.Context(), asked(t, made.Key))
	require.NoError(t, err)
	require.False(t, list.Has(made.APIKey.ID))
	require.NoError(t, client.KeyRevoke(operating(t), made.APIKey.ID))
	require.Eventually(t, func() bool { return list.Has(made.APIKey.ID) }, soon, often)

	require.NoError(t, s.cfg.Redis.FlushDB(t.Context()).Err())
	record, err := s.revokedSince(t.Context(), time.Now().Add(-time.Minute))
	require.NoError(t, err)
	require.True(t, slices.ContainsFunc(record, func(f revoked.Family) bool { return f.ID == made.APIKey.ID }))
	var exists int64
	require.Eventually(t, func() bool {
		exists, err = s.cfg.Redis.ZCard(t.Context(), "auth:revoked").Result()
		return err == nil && exists == 1
	}, soon, often, "what Redis lost is written again")
}
