package rest_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/services/auth/token"
	"tiffin/services/edge/rest"
)

const secret = "a secret for tests, long enough for HMAC"

func sign(t testing.TB, user string, ttl time.Duration) string {
	t.Helper()
	raw, _, err := token.NewSigner(secret, ttl).Sign(user, "customer", "family")
	require.NoError(t, err)
	return raw
}

func TestRememberedTokensStillExpire(t *testing.T) {
	t.Parallel()
	now := time.Now()
	tokens := rest.NewTokens(token.NewVerifier(secret), func() time.Time { return now }, 100)
	raw := sign(t, "u1", time.Hour)
	for range 3 {
		claims, good := tokens.Verify(raw)
		require.True(t, good)
		require.Equal(t, "u1", claims.UserID)
	}
	now = now.Add(time.Hour - 2*time.Second)
	_, good := tokens.Verify(raw)
	require.True(t, good)
	now = now.Add(2 * time.Second)
	_, good = tokens.Verify(raw)
	require.False(t, good, "from the second it says")
}

func TestOnlyTheExactTokenIsRemembered(t *testing.T) {
	t.Parallel()
	tokens := rest.NewTokens(token.NewVerifier(secret), time.Now, 100)
	raw := sign(t, "u1", time.Hour)
	_, good := tokens.Verify(raw)
	require.True(t, good)
	for i := range raw {
		changed := []byte(raw)
		if changed[i]++; changed[i] > 'z' {
			changed[i] = 'a'
		}
		_, good := tokens.Verify(string(changed))
		require.False(t, good, "byte %d", i)
	}
	require.Equal(t, 1, tokens.Size(), "bad tokens take no room")
}

func TestTokensAreForgottenByGenerations(t *testing.T) {
	t.Parallel()
	tokens := rest.NewTokens(token.NewVerifier(secret), time.Now, 100)
	busy := sign(t, "busy", time.Hour)
	for i := range 300 {
		_, good := tokens.Verify(sign(t, fmt.Sprint("u", i), time.Hour))
		require.True(t, good)
		if i%50 == 0 {
			_, good = tokens.Verify(busy)
			require.True(t, good)
		}
	}
	require.LessOrEqual(t, tokens.Size(), 200)
	require.True(t, tokens.Knows(busy), "what is used moves over")
}

func TestTokensAreSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	tokens := rest.NewTokens(token.NewVerifier(secret), time.Now, 100)
	var raws []string
	for i := range 20 {
		raws = append(raws, sign(t, fmt.Sprint("u", i), time.Hour))
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i := range 200 {
				claims, good := tokens.Verify(raws[i%len(raws)])
				require.True(t, good)
				require.Equal(t, fmt.Sprint("u", i%len(raws)), claims.UserID)
			}
		})
	}
	wg.Wait()
}

func BenchmarkRememberedToken(b *testing.B) {
	tokens := rest.NewTokens(token.NewVerifier(secret), time.Now, 100)
	raw := sign(b, "u1", time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		if _, good := tokens.Verify(raw); !good {
			b.Fatal("refused")
		}
	}
}

// A token that was good a moment ago is refused from the sign-out on, remembered or not.
func TestTokensOfEndedSessionsAreRefused(t *testing.T) {
	t.Parallel()
	ended := map[string]bool{}
	tokens := rest.NewTokens(token.NewVerifier(secret, token.WithRevoked(func(family string) bool { return ended[family] })), time.Now, 100)
	raw := sign(t, "u1", time.Hour)
	_, good := tokens.Verify(raw)
	require.True(t, good)
	ended["family"] = true
	for range 2 {
		_, good = tokens.Verify(raw)
		require.False(t, good)
	}
	_, good = tokens.Verify(sign(t, "u2", time.Hour))
	require.False(t, good, "never seen before")
}
