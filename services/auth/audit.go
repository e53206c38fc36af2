package auth

import (
	"tiffin/wire"
)

// Actions of the audit log.
const (
	ActionRegister    = "register"
	ActionSignIn      = "sign-in"
	ActionSignOut     = "sign-out"
	ActionTokenReuse  = "token-reuse" // a refresh token came a second time; its session was ended
	ActionProfile     = "profile-change"
	ActionAdminCreate = "admin-create"
	ActionKeyCreate   = "key-create"
	ActionKeyRevoke   = "key-revoke"
)

// Limits of a page of this service's lists.
const (
	DefaultPage = 20
	MaxPage     = 100
)

// AuditRequest asks for a page of the audit log, newest first. Only administrators and operators may.
type AuditRequest struct {
	ActorID string `json:"actorId,omitzero"` // by this actor only
	Action  string `json:"action,omitzero"`  // one of the Action constants only
	Limit   int    `json:"limit,omitzero"`   // default 20, at most 100
	Cursor  string `json:"cursor,omitzero"`  // of the page before
}

// Validate returns wire.Invalid naming what cannot be asked for.
func (r AuditRequest) Validate() error {
	var v checks
	v.page(r.Limit, r.Cursor)
	return v.err()
}

// AuditEntry is one act. It never holds a password, a token or anything that was typed.
type AuditEntry struct {
	ID        string    `json:"id"`
	At        wire.Time `json:"at"`
	Action    string    `json:"action"`
	Outcome   string    `json:"outcome"` // "ok" or "refused"
	ActorID   string    `json:"actorId"` // empty for somebody who is not signed in
	ActorRole string    `json:"actorRole"`
	Target    string    `json:"target"` // the account or session it was done to; empty when there is none
	RequestID string    `json:"requestId"`
}

// AuditResponse is a page of the audit log.
type AuditResponse struct {
	Entries    []AuditEntry `json:"entries"`
	NextCursor string       `json:"nextCursor,omitzero"`
}
