package auth

import (
	"tiffin/wire"
)

// Actions of the audit log that are this service's own. Those of others are named as their endpoints, "order.status".
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
	Outcome   string    `json:"outcome"` // "ok", "refused", or "failed": unknown whether something was done
	ActorID   string    `json:"actorId"` // empty for somebody who is not signed in
	ActorRole string    `json:"actorRole"`
	Target    string    `json:"target"`          // id of what it was done to; empty when there is none
	Detail    string    `json:"detail,omitzero"` // how, such as the state that an order was moved to
	RequestID string    `json:"requestId"`
}

// NoteRequest brings an act that another service was asked for into the audit log. Only services may send it.
type NoteRequest struct {
	Entry AuditEntry `json:"entry"`
}

// Validate returns wire.Invalid for what micro.Act does not hold.
func (r NoteRequest) Validate() error {
	var v checks
	v.id("entry.id", r.Entry.ID)
	for field, value := range map[string]string{
		"entry.action": r.Entry.Action, "entry.outcome": r.Entry.Outcome, "entry.actorId": r.Entry.ActorID,
		"entry.actorRole": r.Entry.ActorRole, "entry.target": r.Entry.Target, "entry.detail": r.Entry.Detail,
		"entry.requestId": r.Entry.RequestID,
	} {
		v.text(field, value, 0, maxNoted)
	}
	return v.err()
}

// NoteResponse is empty: the entry is stored, also when it was already.
type NoteResponse struct{}

// maxNoted bounds what an entry holds of each kind, in characters.
const maxNoted = 256

// AuditResponse is a page of the audit log.
type AuditResponse struct {
	Entries    []AuditEntry `json:"entries"`
	NextCursor string       `json:"nextCursor,omitzero"`
}
