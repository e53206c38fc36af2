package auth

import (
	"tiffin/wire"
)

// The roles of end users. RoleAdmin can never be asked for at registration: an operator creates administrators.
const (
	RoleCustomer = "customer"
	RoleOwner    = "restaurant_owner"
	RoleRider    = "delivery_partner"
	RoleAdmin    = "admin"
)

// User is an account as clients see it. The password hash never leaves the service's store.
type User struct {
	ID          string    `json:"id"`          // UUID carrying the home region
	Email       string    `json:"email"`       // as typed at registration, trimmed
	FirstName   string    `json:"firstName"`   // given name
	LastName    string    `json:"lastName"`    // family name
	PhoneNumber string    `json:"phoneNumber"` // as typed
	Role        string    `json:"role"`        // one of the Role constants
	City        string    `json:"city"`        // as typed; the id says where it routed to
	CreatedAt   wire.Time `json:"createdAt"`
	UpdatedAt   wire.Time `json:"updatedAt"`
	PartnerID   string    `json:"partnerId,omitzero"` // riders only: the id of the partner record, which is the user id
}

// Session is a signed-in user: what register, login and refresh answer.
type Session struct {
	User         User   `json:"user"`
	Token        string `json:"token"`        // access token, a JWT for auth/token
	RefreshToken string `json:"refreshToken"` // opaque, single use
	ExpiresIn    int64  `json:"expiresIn"`    // seconds the access token lives
}

// RegisterRequest opens an account. See Validate for the limits of each field.
type RegisterRequest struct {
	Email       string `json:"email"`
	Password    string `json:"password"`
	FirstName   string `json:"firstName"`
	LastName    string `json:"lastName"`
	PhoneNumber string `json:"phoneNumber"`
	Role        string `json:"role"`
	City        string `json:"city"`
}

// LoginRequest exchanges a password for a session.
type LoginRequest struct {
	Email    string `json:"email"`
	Password string `json:"password"`
}

// RefreshRequest exchanges a refresh token for a new pair. It needs no actor: the access token may have expired.
type RefreshRequest struct {
	RefreshToken string `json:"refreshToken"`
}

// LogoutRequest revokes the family of the given refresh token, which must belong to the actor.
type LogoutRequest struct {
	RefreshToken string `json:"refreshToken"`
}

// LogoutResponse is empty: the family is revoked, also when it was already.
type LogoutResponse struct{}

// MeRequest asks for the actor's own account. An operator, who has none, names the account by ID.
type MeRequest struct {
	ID string `json:"id,omitzero"`
}

// MeResponse is the account asked for.
type MeResponse struct {
	User User `json:"user"`
}

// UpdateRequest changes a profile: nil leaves a field as it is. ID is the actor's own unless an operator or an
// administrator names another account.
type UpdateRequest struct {
	ID          string  `json:"id,omitzero"`
	FirstName   *string `json:"firstName,omitzero"`
	LastName    *string `json:"lastName,omitzero"`
	PhoneNumber *string `json:"phoneNumber,omitzero"`
}

// AdminCreateRequest opens an administrator's account. Only the operator may send it.
type AdminCreateRequest struct {
	Email       string `json:"email"`
	Password    string `json:"password"`
	FirstName   string `json:"firstName,omitzero"`
	LastName    string `json:"lastName,omitzero"`
	PhoneNumber string `json:"phoneNumber,omitzero"`
	City        string `json:"city"` // decides the home shard, like everybody's
}

// AdminCreateResponse is the new administrator's account.
type AdminCreateResponse struct {
	User User `json:"user"`
}
