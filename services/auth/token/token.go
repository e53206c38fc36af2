// Package token makes and checks access tokens: JWTs that say who the bearer is, verified without asking anybody.
//
// Rules, each closing a known hole of JWT libraries (RFC 8725): the algorithm is HS256 and nothing else; exp, iss, aud
// and the kind (typ "access") are required; base64 is decoded strictly, so one token has one spelling; a token with a
// crit header is refused, because it asks for rules we do not know; claims are returned only after the signature held.
//
// There is no leeway on exp: a clock a few seconds off shortens a token of hours, and nothing else depends on clocks,
// since iat is not judged.
package token

import (
	"errors"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	issuer   = "tiffin"
	audience = "tiffin"
	kind     = "access"
)

// ErrInvalid is returned for every token that is not to be trusted; the reason is wrapped for logs, not for clients.
var ErrInvalid = errors.New("invalid token")

// Claims is what a verified token says.
type Claims struct {
	UserID    string    // the user's id
	Role      string    // the user's role
	Family    string    // id of the refresh-token family (the session) it was made for
	ExpiresAt time.Time // UTC, whole seconds
}

type claims struct {
	jwt.RegisteredClaims
	Role   string `json:"role"`
	Family string `json:"fam"`
	Kind   string `json:"typ"`
}

// Option changes a Signer or a Verifier.
type Option func(*options)

type options struct {
	clock   func() time.Time
	revoked func(family string) bool
}

// WithClock replaces time.Now.
func WithClock(clock func() time.Time) Option { return func(o *options) { o.clock = clock } }

// WithRevoked names what knows the sessions that were ended: tokens of their families are refused. It is asked for every
// token, so it must be quick.
func WithRevoked(has func(family string) bool) Option { return func(o *options) { o.revoked = has } }

func apply(opts []Option) options {
	o := options{clock: time.Now, revoked: func(string) bool { return false }}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// Signer makes tokens. It is safe for concurrent use.
type Signer struct {
	key   []byte
	ttl   time.Duration
	clock func() time.Time
}

// NewSigner returns a signer whose tokens live for ttl.
func NewSigner(secret string, ttl time.Duration, opts ...Option) *Signer {
	return &Signer{key: []byte(secret), ttl: ttl, clock: apply(opts).clock}
}

// Sign returns a token for the user and the moment it expires.
func (s *Signer) Sign(userID, role, family string) (string, time.Time, error) {
	now := s.clock().UTC()
	expires := now.Add(s.ttl).Truncate(time.Second)
	raw, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: issuer, Audience: jwt.ClaimStrings{audience}, Subject: userID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		Role: role, Family: family, Kind: kind,
	}).SignedString(s.key)
	return raw, expires, err
}

// TTL is how long a token lives.
func (s *Signer) TTL() time.Duration { return s.ttl }

// Verifier checks tokens. It is safe for concurrent use.
type Verifier struct {
	key     []byte
	parser  *jwt.Parser
	revoked func(family string) bool
}

// NewVerifier returns a verifier for tokens signed with the same secret.
func NewVerifier(secret string, opts ...Option) *Verifier {
	return &Verifier{key: []byte(secret), revoked: apply(opts).revoked, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithExpirationRequired(),
		jwt.WithIssuer(issuer),
		jwt.WithAudience(audience),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(apply(opts).clock),
	)}
}

// Revoked reports whether the session of a token that was good before has ended since.
func (v *Verifier) Revoked(c Claims) bool { return v.revoked(c.Family) }

// Verify returns what the token says, or ErrInvalid with empty claims.
func (v *Verifier) Verify(raw string) (Claims, error) {
	if strings.ContainsAny(raw, "\r\n") { // Go's base64 decoder skips them, even when strict
		return Claims{}, ErrInvalid
	}
	var c claims
	parsed, err := v.parser.ParseWithClaims(raw, &c, func(t *jwt.Token) (any, error) {
		if _, ok := t.Header["crit"]; ok {
			return nil, errors.New("critical header")
		}
		return v.key, nil
	})
	switch {
	case err != nil:
		return Claims{}, errors.Join(ErrInvalid, err)
	case !parsed.Valid, c.Kind != kind, c.Subject == "", c.Role == "", c.Family == "", v.revoked(c.Family):
		return Claims{}, ErrInvalid
	}
	return Claims{UserID: c.Subject, Role: c.Role, Family: c.Family, ExpiresAt: c.ExpiresAt.UTC()}, nil
}
