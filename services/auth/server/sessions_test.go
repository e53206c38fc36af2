package server

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
)

func refreshOf(s auth.Session) auth.RefreshRequest {
	return auth.RefreshRequest{RefreshToken: s.RefreshToken}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	for _, city := range homes {
		first := mustRegister(t, s, freshEmail(), city)
		session := first
		for range 5 {
			next, err := s.refresh(t.Context(), refreshOf(session))
			require.NoError(t, err)
			require.Equal(t, first.User, next.User)
			require.NotEqual(t, session.RefreshToken, next.RefreshToken)
			require.Equal(t, family(first), family(next))
			session = next
		}
	}
}

func family(s auth.Session) string { id, _, _ := strings.Cut(s.RefreshToken, "."); return id }

// A token presented again is stolen, or was: everything of its session ends, other sessions of the user go on.
func TestReuseRevokesTheFamily(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	email := freshEmail()
	first := mustRegister(t, s, email, "Boston")
	other, err := s.login(t.Context(), login(email))
	require.NoError(t, err)
	second, err := s.refresh(t.Context(), refreshOf(first))
	require.NoError(t, err)
	third, err := s.refresh(t.Context(), refreshOf(second))
	require.NoError(t, err)

	for _, session := range []auth.Session{first, second, third} {
		_, err = s.refresh(t.Context(), refreshOf(session))
		requireCode(t, micro.CodeUnauthenticated, err)
	}
	_, err = s.refresh(t.Context(), refreshOf(other))
	require.NoError(t, err)
}

// Two uses of one token at the same time are one use too many: at most one gets a pair, and that pair is dead too.
func TestRacingRefreshes(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	for _, city := range homes {
		session := mustRegister(t, s, freshEmail(), city)
		var mu sync.Mutex
		var won []auth.Session
		together(20, func(int) {
			next, err := s.refresh(t.Context(), refreshOf(session))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, next)
				return
			}
			require.Equal(t, micro.CodeUnauthenticated, micro.CodeOf(err))
		})
		require.Len(t, won, 1)
		_, err := s.refresh(t.Context(), refreshOf(won[0]))
		requireCode(t, micro.CodeUnauthenticated, err)
	}
}

// A refresh that had to wait for the family judges the token as the one before has left it, and not as it was when it
// began to wait.
func TestWaitingRefreshSeesTheTokenUsed(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	session := mustRegister(t, s, freshEmail(), "Boston")
	token, err := parseRefreshToken(session.RefreshToken)
	require.NoError(t, err)
	pool := s.cfg.Shards.ByShard("b").Pool()
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }() // after a failure, or the pool would wait for it
	_, _, err = lockFamily(t.Context(), tx, token)
	require.NoError(t, err)
	answer := make(chan error, 1)
	go func() {
		_, err := s.refresh(t.Context(), refreshOf(session))
		answer <- err
	}()
	require.Eventually(t, func() bool { return waitsForLock(t, s) }, soon, often)
	_, err = s.sessions.spend(t.Context(), tx, token, newRefreshToken(token.Family), "us-east", time.Now())
	require.NoError(t, err)
	require.NoError(t, tx.Commit(t.Context()))
	requireCode(t, micro.CodeUnauthenticated, <-answer)
	var reason string
	require.NoError(t, pool.QueryRow(t.Context(),
		`select coalesce(revoked_for, '') from auth.families where id = $1`, token.Family).Scan(&reason))
	require.Equal(t, "reuse", reason)
}

// Every worthless token gets the same answer, and none of them harms the session whose family it names: families are
// public, they stand in access tokens.
func TestWorthlessTokens(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	session := mustRegister(t, s, freshEmail(), "Boston")
	stranger := mustRegister(t, s, freshEmail(), "Boston")
	secret := session.RefreshToken[37:]
	for name, raw := range map[string]string{
		"not a token":            "not a token",
		"guessed secret":         family(session) + "." + strings.Repeat("A", 43),
		"secret of another":      family(stranger) + "." + secret,
		"family that is not":     s.cfg.Shards.Router().NewID("us-east") + "." + secret,
		"family of no region":    "0192f7e4-0000-8fff-8000-000000000000." + secret,
		"family in upper case":   strings.ToUpper(family(session)) + "." + secret,
		"padded":                 session.RefreshToken + "=",
		"line break":             session.RefreshToken[:50] + "\n" + session.RefreshToken[51:],
		"trailing bits":          session.RefreshToken[:79] + "_",
		"the access token":       session.Token,
		"no family":              "." + secret,
		"user id as the family":  session.User.ID + "." + secret,
		"three parts":            session.RefreshToken + ".x",
		"version 4 family":       "0192f7e4-0000-4abc-8000-000000000000." + secret,
		"wildcard in the family": "*." + secret,
	} {
		_, err := s.refresh(t.Context(), auth.RefreshRequest{RefreshToken: raw})
		requireCode(t, micro.CodeUnauthenticated, err)
		require.NotContains(t, err.Error(), raw, name)
	}
	_, err := s.refresh(t.Context(), refreshOf(session))
	require.NoError(t, err)
	_, err = s.refresh(t.Context(), refreshOf(stranger))
	require.NoError(t, err)
}

// A token that is not used for its lifetime is worth nothing; each refresh gives the session another lifetime.
func TestRefreshExpiry(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	now := time.Now()
	s := newFleet(t, func(c *Config) {
		c.RefreshTTL = time.Hour
		c.Clock = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	pass := func(d time.Duration) { mu.Lock(); defer mu.Unlock(); now = now.Add(d) }
	session := mustRegister(t, s, freshEmail(), "Boston")
	var err error
	for range 3 {
		pass(59 * time.Minute)
		session, err = s.refresh(t.Context(), refreshOf(session))
		require.NoError(t, err)
	}
	pass(time.Hour)
	_, err = s.refresh(t.Context(), refreshOf(session))
	requireCode(t, micro.CodeUnauthenticated, err)
}

func TestLogout(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	email := freshEmail()
	session := mustRegister(t, s, email, "Boston")
	other, err := s.login(t.Context(), login(email))
	require.NoError(t, err)
	stranger := mustRegister(t, s, freshEmail(), "Boston")
	logout := func(u auth.User, token string) error {
		_, err := s.logout(as(t.Context(), u), auth.LogoutRequest{RefreshToken: token})
		return err
	}

	_, err = s.logout(t.Context(), auth.LogoutRequest{RefreshToken: session.RefreshToken})
	requireCode(t, micro.CodeUnauthenticated, err)
	requireCode(t, micro.CodeUnauthenticated, logout(stranger.User, session.RefreshToken))
	requireCode(t, micro.CodeUnauthenticated, logout(session.User, "nonsense"))
	requireCode(t, micro.CodeUnauthenticated, logout(session.User, family(session)+"."+strings.Repeat("A", 43)))
	next, err := s.refresh(t.Context(), refreshOf(session))
	require.NoError(t, err, "none of that ended the session")

	require.NoError(t, logout(next.User, next.RefreshToken))
	require.NoError(t, logout(next.User, next.RefreshToken), "ending twice is no error")
	_, err = s.refresh(t.Context(), refreshOf(next))
	requireCode(t, micro.CodeUnauthenticated, err)
	_, err = s.refresh(t.Context(), refreshOf(other))
	require.NoError(t, err, "other sessions go on")
}

// The database holds nothing that a thief of a backup could present.
func TestOnlyHashesAreStored(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	session := mustRegister(t, s, freshEmail(), "Boston")
	token, err := parseRefreshToken(session.RefreshToken)
	require.NoError(t, err)
	var hash []byte
	require.NoError(t, s.cfg.Shards.ByShard("b").Pool().QueryRow(t.Context(),
		`select hash from auth.refresh_tokens where family_id = $1`, token.Family).Scan(&hash))
	require.Equal(t, token.hash(), hash)
	require.NotEqual(t, token.secret[:], hash)
}

func FuzzParseRefreshToken(f *testing.F) {
	f.Add("0192f7e4-0000-8abc-8000-000000000000." + strings.Repeat("A", 43))
	f.Add("0192f7e4-0000-8abc-8000-000000000000." + strings.Repeat("\n", 43))
	f.Add(".")
	f.Fuzz(func(t *testing.T, raw string) {
		token, err := parseRefreshToken(raw)
		if err != nil {
			require.ErrorIs(t, err, errRefresh)
			return
		}
		require.Equal(t, raw, token.String(), "one token has one spelling")
	})
}
