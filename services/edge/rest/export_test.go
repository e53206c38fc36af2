package rest

import (
	"reflect"
	"time"

	"tiffin/services/auth/token"
)

// AppendJSON parses a value as a route does.
func (p Param) AppendJSON(b []byte, value string) ([]byte, string) { return p.appendJSON(b, value) }

// Target gives what a route forwards to, "" for none.
func (r Route) Target() (subject string, request reflect.Type) {
	return r.target.subject, r.target.request
}

// FieldName gives a parameter's name in the service's request.
func (p Param) FieldName() string { return p.field() }

// Splice joins fields and a body as a route does.
func Splice(fields, body []byte) []byte { return splice(fields, body) }

// Check decodes a body as a route does.
func (b *Body) Check(data []byte) error { return b.check(data) }

// Tokens is the memory of verified tokens.
type Tokens = tokens

// NewTokens makes one with generations of the size.
func NewTokens(verifier *token.Verifier, clock func() time.Time, most int) *Tokens {
	t := newTokens(verifier, clock)
	t.most = most
	return t
}

// Verify gives what a good token says.
func (t *tokens) Verify(raw string) (token.Claims, bool) { return t.verify(raw) }

// Size is how many tokens are remembered.
func (t *tokens) Size() int { return len(t.young) + len(t.old) }

// Knows reports whether a token is remembered.
func (t *tokens) Knows(raw string) bool {
	_, young := t.young[raw]
	_, old := t.old[raw]
	return young || old
}

// Alike reports whether callers share answers.
func (r Route) Alike() bool { return r.target.alike }
