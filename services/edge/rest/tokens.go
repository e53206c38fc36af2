package rest

import (
	"strings"
	"sync"
	"time"

	"tiffin/services/auth/token"
)

// remembered is how many verified tokens one generation holds, at roughly half
// a kilobyte each.
const remembered = 8192

// tokens verifies tokens and remembers the good ones until they expire, because
// a client sends the same token with every request and nothing about it can
// change: its signature covers all of it, and it is judged by the clock and by
// the list of ended sessions each time. Bad tokens are not remembered, so nobody can fill the memory without
// the key.
//
// There are two generations: when the young one is full it becomes the old one,
// and what is still used moves over. That bounds the memory without a list to
// maintain.
type tokens struct {
	verifier *token.Verifier
	clock    func() time.Time
	most     int // of one generation

	mu         sync.RWMutex
	young, old map[string]token.Claims
}

// newTokens makes an empty memory.
func newTokens(verifier *token.Verifier, clock func() time.Time) *tokens {
	return &tokens{verifier: verifier, clock: clock, most: remembered, young: map[string]token.Claims{}}
}

// verify gives what a good token says.
func (t *tokens) verify(raw string) (token.Claims, bool) {
	t.mu.RLock()
	claims, fresh := t.young[raw]
	known := fresh
	if !known {
		claims, known = t.old[raw]
	}
	t.mu.RUnlock()
	if !known {
		var err error
		if claims, err = t.verifier.Verify(raw); err != nil {
			return token.Claims{}, false
		}
	}
	if !t.clock().Before(claims.ExpiresAt) || known && t.verifier.Revoked(claims) {
		return token.Claims{}, false
	}
	if !fresh {
		t.remember(strings.Clone(raw), claims)
	}
	return claims, true
}

// remember notes a good token in the young generation.
func (t *tokens) remember(raw string, claims token.Claims) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.young) >= t.most {
		t.old, t.young = t.young, map[string]token.Claims{}
	}
	t.young[raw] = claims
}
