package auth

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"tiffin/wire"
)

// Limits of the fields of an account. A password is bounded in bytes because bcrypt reads no more than 72 of them.
const (
	MinPasswordRunes = 8
	MaxPasswordBytes = 72
	maxEmailBytes    = 254 // RFC 5321: the longest address that fits a path
	maxNameRunes     = 100
	maxPhoneRunes    = 20
	maxCityRunes     = 100
	maxTokenBytes    = 256
)

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r RegisterRequest) Validate() error {
	v := account(r.Email, r.Password, r.City)
	v.text("firstName", r.FirstName, 1, maxNameRunes)
	v.text("lastName", r.LastName, 1, maxNameRunes)
	v.phone(r.PhoneNumber, true)
	switch r.Role {
	case RoleCustomer, RoleOwner, RoleRider:
	default:
		v.refuse("role", "must be customer, restaurant_owner or delivery_partner")
	}
	return v.err()
}

// Validate returns wire.Invalid when the password could not have been registered, so that bcrypt never sees bytes it
// would ignore: it stops at a NUL and after 72 bytes, and two different passwords would then match.
func (r LoginRequest) Validate() error {
	var v checks
	if r.Email == "" {
		v.refuse("email", "is required")
	} else if len(r.Email) > 2*maxEmailBytes || !utf8.ValidString(r.Email) {
		v.refuse("email", "is not an e-mail address")
	}
	if r.Password == "" {
		v.refuse("password", "is required")
	} else {
		v.bcryptable(r.Password)
	}
	return v.err()
}

// Validate returns wire.Invalid when no token is given; whether it is a good one is the service's answer (401).
func (r RefreshRequest) Validate() error { return validateToken(r.RefreshToken) }

// Validate returns wire.Invalid when no token is given.
func (r LogoutRequest) Validate() error { return validateToken(r.RefreshToken) }

// Validate returns wire.Invalid naming every field that cannot be accepted. Names are optional for administrators.
func (r AdminCreateRequest) Validate() error {
	v := account(r.Email, r.Password, r.City)
	v.text("firstName", r.FirstName, 0, maxNameRunes)
	v.text("lastName", r.LastName, 0, maxNameRunes)
	v.phone(r.PhoneNumber, false)
	return v.err()
}

// Validate returns wire.Invalid naming every given field that cannot be accepted.
func (r UpdateRequest) Validate() error {
	var v checks
	if r.FirstName != nil {
		v.text("firstName", *r.FirstName, 1, maxNameRunes)
	}
	if r.LastName != nil {
		v.text("lastName", *r.LastName, 1, maxNameRunes)
	}
	if r.PhoneNumber != nil {
		v.phone(*r.PhoneNumber, true)
	}
	return v.err()
}

func validateToken(token string) error {
	var v checks
	switch {
	case token == "":
		v.refuse("refreshToken", "is required")
	case len(token) > maxTokenBytes:
		v.refuse("refreshToken", "is too long")
	}
	return v.err()
}

// account checks what every kind of registration has in common.
func account(email, password, city string) checks {
	var v checks
	if _, err := CanonicalEmail(email); err != nil {
		v.refuse("email", "is not an e-mail address")
	}
	if utf8.RuneCountInString(password) < MinPasswordRunes {
		v.refuse("password", "must have at least 8 characters")
	} else {
		v.bcryptable(password)
	}
	v.text("city", city, 1, maxCityRunes)
	return v
}

// checks collects refusals. Messages never repeat the value: it may be a password or somebody's address.
type checks struct{ invalid wire.Invalid }

func (v *checks) refuse(field, message string) {
	v.invalid = append(v.invalid, wire.FieldError{Field: field, Message: message})
}

func (v *checks) err() error {
	if len(v.invalid) == 0 {
		return nil
	}
	return v.invalid
}

func (v *checks) bcryptable(password string) {
	switch {
	case len(password) > MaxPasswordBytes:
		v.refuse("password", "must have at most 72 bytes")
	case strings.ContainsRune(password, 0):
		v.refuse("password", "must not contain NUL")
	}
}

func (v *checks) text(field, value string, least, most int) {
	n := utf8.RuneCountInString(strings.TrimSpace(value))
	switch {
	case n < least:
		v.refuse(field, "is required")
	case n > most:
		v.refuse(field, "is too long")
	case strings.ContainsFunc(value, unicode.IsControl):
		v.refuse(field, "must not contain control characters")
	}
}

// phone accepts what people write: digits with +, spaces, dots, dashes and brackets, at least five digits of it.
func (v *checks) phone(value string, required bool) {
	if value == "" && !required {
		return
	}
	digits := 0
	for _, r := range value {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+ .-()/", r):
			v.refuse("phoneNumber", "is not a phone number")
			return
		}
	}
	if digits < 5 || utf8.RuneCountInString(value) > maxPhoneRunes {
		v.refuse("phoneNumber", "is not a phone number")
	}
}
