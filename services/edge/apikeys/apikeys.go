// Package apikeys knows what the API keys that come in may do, without asking the auth service for each request.
//
// Invariants:
//
//   - A key that was verified is good for auth.KeyMemory and then asked about again. A revoked one is refused as soon as
//     this edge's copy of the list of package revoked has it, and after that minute in any case.
//   - The list is looked at after the memory, and entries of the list outlive those of the memory: an answer that was on
//     its way while the key was revoked does not bring it back.
//   - Only good keys are remembered, under a digest, so nobody fills the memory without keys and nobody finds keys in it.
//   - Whoever presents a key that is not remembered pays for the question first, see Verify.
package apikeys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/apikey"
	"tiffin/services/auth/revoked"
)

// Header carries the key.
const Header = "X-API-Key"

// remembered is how many keys one of the two generations holds, at roughly half a kilobyte each.
const remembered = 4096

// Verifier is the auth service as far as it is needed here.
type Verifier interface {
	KeyVerify(ctx context.Context, req auth.KeyVerifyRequest) (auth.KeyGrant, error)
}

// Keys verifies keys. It is safe for concurrent use.
type Keys struct {
	verifier Verifier
	revoked  *revoked.List
	clock    func() time.Time
	flights  singleflight.Group // many requests with one key ask once

	mu         sync.RWMutex
	young, old map[digest]known // by generation, as the tokens in package rest
}

type digest [sha256.Size]byte

// known is a good key and how long it may be taken for one.
type known struct {
	grant auth.KeyGrant
	until time.Time
}

// New makes an empty memory. list may be nil: then revoking takes effect with auth.KeyMemory.
func New(verifier Verifier, list *revoked.List, clock func() time.Time) *Keys {
	return &Keys{verifier: verifier, revoked: list, clock: clock, young: map[digest]known{}, old: map[digest]known{}}
}

// ErrKey is the one answer to a key that is malformed, unknown, wrong, revoked or expired.
func ErrKey() error { return micro.E(micro.CodeUnauthenticated, "the API key is not valid") }

// Verify says what a key may do: ErrKey for a bad one, unavailable when nobody can tell now. admit is asked before the
// auth service is, and its refusal returned: otherwise made-up keys would cost the fleet a query each.
func (k *Keys) Verify(ctx context.Context, raw string, admit func() error) (auth.KeyGrant, error) {
	key, ok := apikey.Parse(raw)
	if !ok {
		return auth.KeyGrant{}, ErrKey()
	}
	sum := digest(sha256.Sum256([]byte(raw)))
	grant, ok := k.recall(sum)
	if !ok {
		var err error
		if grant, err = k.ask(ctx, sum, key, admit); err != nil {
			return auth.KeyGrant{}, err
		}
	}
	if !k.Holds(grant) {
		return auth.KeyGrant{}, ErrKey()
	}
	return grant, nil
}

// Holds reports whether a key that was good is neither revoked nor expired since, as far as is known here.
func (k *Keys) Holds(grant auth.KeyGrant) bool {
	expired := grant.ExpiresAt != nil && !k.clock().Before(grant.ExpiresAt.Time)
	return !expired && (k.revoked == nil || !k.revoked.Has(grant.ID))
}

// Revoke notes a key that this edge has just had revoked: it need not wait for the news.
func (k *Keys) Revoke(id string) {
	if k.revoked != nil {
		k.revoked.Add(id, k.clock().Add(2*auth.KeyMemory))
	}
}

// ask verifies at the auth service. What one asks is the answer for all who came meanwhile, so it must not end with the
// one request.
func (k *Keys) ask(ctx context.Context, sum digest, key apikey.Key, admit func() error) (auth.KeyGrant, error) {
	answer, err, _ := k.flights.Do(string(sum[:]), func() (any, error) {
		if err := admit(); err != nil {
			return auth.KeyGrant{}, err
		}
		asked, secret := k.clock(), key.Digest()
		grant, err := k.verifier.KeyVerify(context.WithoutCancel(ctx),
			auth.KeyVerifyRequest{ID: key.ID, Digest: hex.EncodeToString(secret[:])})
		if err == nil {
			k.remember(sum, known{grant, asked.Add(auth.KeyMemory)})
		}
		return grant, err
	})
	grant, _ := answer.(auth.KeyGrant)
	return grant, err
}

// recall gives what is remembered of a key, if that is young enough.
func (k *Keys) recall(sum digest) (auth.KeyGrant, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	found, ok := k.young[sum]
	if !ok {
		found, ok = k.old[sum]
	}
	return found.grant, ok && k.clock().Before(found.until)
}

// remember notes a good key. When the young generation is full it becomes the old one, which bounds the memory.
func (k *Keys) remember(sum digest, what known) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.young) >= remembered {
		k.old, k.young = k.young, map[digest]known{}
	}
	k.young[sum] = what
}
