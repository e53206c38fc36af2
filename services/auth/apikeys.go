package auth

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"tiffin/wire"
)

// Scopes of API keys, "<first segment of the path>:<read|write>". A key acts for an account and may do what that account
// may, narrowed to its scopes; what everybody may read needs none. Nothing that changes accounts, sessions or keys has a
// scope, so a stolen key cannot make itself others.
const (
	ScopeAccount          = "auth:read" // GET /auth/me
	ScopeOrdersRead       = "orders:read"
	ScopeOrdersWrite      = "orders:write"
	ScopeRestaurantsWrite = "restaurants:write"
	ScopeDeliveryRead     = "delivery:read"
	ScopeDeliveryWrite    = "delivery:write"
	ScopeTrackingRead     = "tracking:read"
	ScopeAdminRead        = "admin:read"
)

// Scopes lists all there are.
func Scopes() []string {
	return []string{ScopeAccount, ScopeOrdersRead, ScopeOrdersWrite, ScopeRestaurantsWrite, ScopeDeliveryRead,
		ScopeDeliveryWrite, ScopeTrackingRead, ScopeAdminRead}
}

// Limits of API keys.
const (
	DefaultKeyRate = 20   // requests a second
	MaxKeyRate     = 1000 // requests a second
	maxKeyName     = 100  // characters
	digestBytes    = 32   // SHA-256
)

// KeyMemory is how long whoever has verified a key may go on without asking again. Revoking takes effect sooner, by the
// list of package revoked; this is the bound for when that news cannot travel.
const KeyMemory = time.Minute

// APIKey is a key as administrators see it: everything but the secret.
type APIKey struct {
	ID         string     `json:"id"`   // public, begins the key
	Name       string     `json:"name"` // what for, in the administrator's words
	UserID     string     `json:"userId"`
	Scopes     []string   `json:"scopes"`
	RateLimit  int        `json:"rateLimit"` // requests a second over all edges
	CreatedAt  wire.Time  `json:"createdAt"`
	CreatedBy  string     `json:"createdBy"`           // id of the administrator, or the operator's name
	ExpiresAt  *wire.Time `json:"expiresAt,omitzero"`  // nil: never
	RevokedAt  *wire.Time `json:"revokedAt,omitzero"`  // nil: not revoked
	LastUsedAt *wire.Time `json:"lastUsedAt,omitzero"` // to the minute; nil: not yet
}

// KeyCreateRequest makes a key that acts for an account. Only administrators and operators may.
type KeyCreateRequest struct {
	Name      string     `json:"name"`
	UserID    string     `json:"userId"`
	Scopes    []string   `json:"scopes"`
	RateLimit int        `json:"rateLimit,omitzero"` // requests a second, default 20
	ExpiresAt *wire.Time `json:"expiresAt,omitzero"` // in the future; nil: never
}

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r KeyCreateRequest) Validate() error {
	var v checks
	v.text("name", r.Name, 1, maxKeyName)
	v.id("userId", r.UserID)
	if len(r.Scopes) == 0 {
		v.refuse("scopes", "is required")
	}
	for i, scope := range r.Scopes {
		if !slices.Contains(Scopes(), scope) || slices.Contains(r.Scopes[:i], scope) {
			v.refuse("scopes", "must be different ones of "+strings.Join(Scopes(), ", "))
			break
		}
	}
	if r.RateLimit < 0 || r.RateLimit > MaxKeyRate {
		v.refuse("rateLimit", "must be between 1 and 1000")
	}
	return v.err()
}

// KeyCreateResponse holds the key itself, the only time that it is shown.
type KeyCreateResponse struct {
	Key    string `json:"key"` // to be sent as X-API-Key
	APIKey APIKey `json:"apiKey"`
}

// KeyListRequest asks for a page of keys, newest first, revoked and expired ones among them.
type KeyListRequest struct {
	UserID string `json:"userId,omitzero"` // acting for this account only
	Limit  int    `json:"limit,omitzero"`  // default 20, at most 100
	Cursor string `json:"cursor,omitzero"` // of the page before
}

// Validate returns wire.Invalid naming what cannot be asked for.
func (r KeyListRequest) Validate() error {
	var v checks
	v.page(r.Limit, r.Cursor)
	if r.UserID != "" {
		v.id("userId", r.UserID)
	}
	return v.err()
}

// KeyListResponse is a page of keys.
type KeyListResponse struct {
	APIKeys    []APIKey `json:"apiKeys"`
	NextCursor string   `json:"nextCursor,omitzero"`
}

// KeyRevokeRequest ends a key for good.
type KeyRevokeRequest struct {
	ID string `json:"id"`
}

// Validate returns wire.Invalid for what is no id.
func (r KeyRevokeRequest) Validate() error {
	var v checks
	v.id("id", r.ID)
	return v.err()
}

// KeyRevokeResponse is empty: the key is revoked, also when it was already.
type KeyRevokeResponse struct{}

// KeyVerifyRequest asks what a key may do. The secret itself stays where the key came in.
type KeyVerifyRequest struct {
	ID     string `json:"id"`
	Digest string `json:"digest"` // SHA-256 of the secret, hexadecimal
}

// Validate returns wire.Invalid for what package apikey did not make.
func (r KeyVerifyRequest) Validate() error {
	var v checks
	v.id("id", r.ID)
	if digest, err := hex.DecodeString(r.Digest); err != nil || len(digest) != digestBytes {
		v.refuse("digest", "is no SHA-256 in hexadecimal")
	}
	return v.err()
}

// KeyGrant is what a good key allows.
type KeyGrant struct {
	ID        string     `json:"id"`
	UserID    string     `json:"userId"` // for whom it acts
	Role      string     `json:"role"`   // of that account
	Scopes    []string   `json:"scopes"`
	RateLimit int        `json:"rateLimit"` // requests a second
	ExpiresAt *wire.Time `json:"expiresAt,omitzero"`
}

// Allows reports whether the key has the scope.
func (g KeyGrant) Allows(scope string) bool { return scope != "" && slices.Contains(g.Scopes, scope) }

// id refuses what is no UUID. Whose it is, and where it leads, is the service's to say.
func (v *checks) id(field, value string) {
	if len(value) != 36 || uuid.Validate(value) != nil {
		v.refuse(field, "must be a UUID")
	}
}

// page checks what all lists of this service take.
func (v *checks) page(limit int, cursor string) {
	if limit < 0 || limit > MaxPage {
		v.refuse("limit", "must be between 1 and 100")
	}
	if cursor != "" && uuid.Validate(cursor) != nil {
		v.refuse("cursor", "is not one of ours")
	}
}
