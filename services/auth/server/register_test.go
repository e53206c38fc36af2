package server

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
	"tiffin/wire"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	for home, city := range homes {
		t.Run(city, func(t *testing.T) {
			t.Parallel()
			req := registration("  Ada+"+home+"@Example.com ", city)
			session, err := s.register(t.Context(), req)
			require.NoError(t, err)

			route, err := s.cfg.Shards.Router().RouteID(session.User.ID)
			require.NoError(t, err)
			require.Equal(t, home, route.Shard, "the account lives where its city does")
			require.Equal(t, "Ada+"+home+"@Example.com", session.User.Email, "the address is kept as typed, trimmed")
			require.Equal(t, auth.RoleCustomer, session.User.Role)
			require.Equal(t, city, session.User.City)
			require.Empty(t, session.User.PartnerID)
			require.EqualValues(t, 24*60*60, session.ExpiresIn)

			claims, err := token.NewVerifier(s.cfg.JWTSecret).Verify(session.Token)
			require.NoError(t, err)
			require.Equal(t, session.User.ID, claims.UserID)
			require.Equal(t, auth.RoleCustomer, claims.Role)
			require.True(t, strings.HasPrefix(session.RefreshToken, claims.Family+"."))
			require.Equal(t, claimedBy(session.User.ID, "a", "b", "c"),
				claimsOf(t, s.cfg.Shards, strings.ToLower(session.User.Email)))

			me, err := s.me(as(t.Context(), session.User), auth.MeRequest{})
			require.NoError(t, err)
			require.Equal(t, session.User, me.User)
		})
	}
}

// What a client gets never holds the hash, under any name.
func TestSessionShowsNoHash(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	data, err := wire.Encode(mustRegister(t, s, freshEmail(), "Reno"))
	require.NoError(t, err)
	require.NotContains(t, string(data), "$2a$")
	require.NotContains(t, strings.ToLower(string(data)), "password")
}

func TestUnknownCityHasAHome(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	session := mustRegister(t, s, freshEmail(), "Nowhere on Sea")
	again, err := s.login(t.Context(), login(session.User.Email))
	require.NoError(t, err)
	require.Equal(t, session.User, again.User)
}

// The same address is taken everywhere, however it is spelled.
func TestEmailIsTakenInEveryCityAndSpelling(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	first := mustRegister(t, s, "josé@bücher.example", "Boston")
	for _, city := range homes {
		for _, spelling := range []string{"josé@bücher.example", "JOSÉ@BÜCHER.example", "jose\u0301@xn--bcher-kva.example", " josé@bücher.EXAMPLE "} {
			_, err := s.register(t.Context(), registration(spelling, city))
			requireCode(t, micro.CodeConflict, err)
		}
	}
	require.Equal(t, 1, accountsOf(t, s.cfg.Shards, "josé@bücher.example"))
	again, err := s.login(t.Context(), login("JOSE\u0301@Bücher.example"))
	require.NoError(t, err)
	require.Equal(t, first.User.ID, again.User.ID)
}

// Racing registrations of one address over three shards: exactly one is answered with success, the others with
// conflict, and exactly one account exists.
func TestRacingRegistrations(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	cities := []string{"San Francisco", "Boston", "Guadalajara", "Toronto", "Chicago", "Houston"}
	for range 5 {
		email := freshEmail()
		var mu sync.Mutex
		results := map[micro.Code]int{}
		together(60, func(i int) {
			// On a crowded machine a shard may be too slow to answer; who is told so tries again, as clients do.
			code := micro.CodeUnavailable
			for code == micro.CodeUnavailable && t.Context().Err() == nil {
				_, err := s.register(t.Context(), registration(email, cities[i%len(cities)]))
				code = micro.CodeOf(err)
			}
			mu.Lock()
			defer mu.Unlock()
			results[code]++
		})
		require.Equal(t, map[micro.Code]int{"": 1, micro.CodeConflict: 59}, results)
		require.Equal(t, 1, accountsOf(t, s.cfg.Shards, email))
		again, err := s.login(t.Context(), login(email))
		require.NoError(t, err)
		require.Equal(t, claimedBy(again.User.ID, "a", "b", "c"), claimsOf(t, s.cfg.Shards, email))
	}
}

// Only the winner of an address pays for a hash.
func TestLosersAreNotHashed(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	made := countHashes(s)
	email := freshEmail()
	together(20, func(int) {
		// Who wins does not matter here.
		_, _ = s.register(t.Context(), registration(email, "Boston"))
	})
	require.EqualValues(t, 1, made.Load())
}

func TestAdminIsCreatedByTheOperatorAlone(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	req := auth.AdminCreateRequest{Email: freshEmail(), Password: "secret-enough", City: "Chicago"}
	for _, role := range []string{
		micro.RoleAnonymous, micro.RoleService, auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, auth.RoleAdmin,
	} {
		_, err := s.adminCreate(micro.WithActor(t.Context(), micro.Actor{Role: role, ID: "x"}), req)
		requireCode(t, micro.CodeForbidden, err)
	}
	operator := micro.WithActor(t.Context(), micro.Actor{Role: micro.RoleOperator, ID: "ops"})
	created, err := s.adminCreate(operator, req)
	require.NoError(t, err)
	require.Equal(t, auth.RoleAdmin, created.User.Role)
	_, err = s.adminCreate(operator, req)
	requireCode(t, micro.CodeConflict, err)

	session, err := s.login(t.Context(), login(req.Email))
	require.NoError(t, err)
	claims, err := token.NewVerifier(s.cfg.JWTSecret).Verify(session.Token)
	require.NoError(t, err)
	require.Equal(t, auth.RoleAdmin, claims.Role)
}

// A rider's partner record is written with the account, under the same id, where their city is.
func TestRiderGetsAPartnerRecord(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	req := registration(freshEmail(), "Guadalajara")
	req.Role = auth.RoleRider
	session, err := s.register(t.Context(), req)
	require.NoError(t, err)
	require.Equal(t, session.User.ID, session.User.PartnerID)

	db, err := s.cfg.Shards.ByID(session.User.ID)
	require.NoError(t, err)
	var region string
	var latitude float64
	require.NoError(t, db.Pool().QueryRow(t.Context(),
		`select region, latitude from delivery.partners where id = $1`, session.User.ID).Scan(&region, &latitude))
	require.Equal(t, "mx", region)
	require.InDelta(t, 20.67, latitude, 0.1)
}

// When the partner record cannot be written, there is no account either, and the address is free again.
func TestRiderWithoutPartnerRecordIsNoRider(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	_, err := s.cfg.Shards.ByShard("c").Pool().Exec(t.Context(), `drop table delivery.partners cascade`)
	require.NoError(t, err)
	req := registration(freshEmail(), "Guadalajara")
	req.Role = auth.RoleRider
	_, err = s.register(t.Context(), req)
	requireCode(t, micro.CodeInternal, err)
	require.Zero(t, accountsOf(t, s.cfg.Shards, req.Email))
	require.Empty(t, claimsOf(t, s.cfg.Shards, req.Email))
	mustRegister(t, s, req.Email, "Boston")
}
