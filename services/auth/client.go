package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"tiffin/micro"
	"tiffin/wire"
)

// The service's name, version and subjects, as nats micro shows them.
const (
	ServiceName    = "auth"
	ServiceVersion = "1.0.0"

	VerbRegister    = "register"
	VerbLogin       = "login"
	VerbRefresh     = "refresh"
	VerbLogout      = "logout"
	VerbMe          = "me"
	VerbUpdate      = "update"
	VerbAdminCreate = "admin-create"
	VerbAudit       = "audit"
	VerbKeyCreate   = "key-create"
	VerbKeyList     = "key-list"
	VerbKeyRevoke   = "key-revoke"
	VerbKeyVerify   = "key-verify"
	VerbNote        = "note"
)

// Subject returns the subject of one of the verbs above.
func Subject(verb string) string { return ServiceName + "." + verb }

// Client calls the auth service. It is safe for concurrent use; all its methods return *micro.Error.
type Client struct{ micro *micro.Client }

// NewClient returns a client that sends over c.
func NewClient(c *micro.Client) *Client { return &Client{micro: c} }

// Register opens an account and signs it in: conflict when the e-mail is taken anywhere in the fleet, unavailable while
// its home shard, or the majority of shards that decides about e-mails, is away.
func (c *Client) Register(ctx context.Context, req RegisterRequest) (Session, error) {
	return micro.Call[RegisterRequest, Session](ctx, c.micro, Subject(VerbRegister), req)
}

// Login signs in: unauthenticated for a wrong password and an unknown e-mail alike, limited during a flood of logins.
func (c *Client) Login(ctx context.Context, req LoginRequest) (Session, error) {
	return micro.Call[LoginRequest, Session](ctx, c.micro, Subject(VerbLogin), req)
}

// Refresh exchanges a refresh token for a new pair: unauthenticated when it is unknown, expired, revoked or used.
// It is never retried: a second try of a token that did arrive would revoke the family.
func (c *Client) Refresh(ctx context.Context, req RefreshRequest) (Session, error) {
	return micro.Call[RefreshRequest, Session](ctx, c.micro, Subject(VerbRefresh), req)
}

// Logout revokes the family of the actor's refresh token.
func (c *Client) Logout(ctx context.Context, req LogoutRequest) error {
	_, err := micro.CallIdempotent[LogoutRequest, LogoutResponse](ctx, c.micro, Subject(VerbLogout), req)
	return err
}

// Me returns the actor's account.
func (c *Client) Me(ctx context.Context) (User, error) {
	res, err := micro.CallIdempotent[MeRequest, MeResponse](ctx, c.micro, Subject(VerbMe), MeRequest{})
	return res.User, err
}

// Update changes a profile: forbidden for somebody else's, unless the actor is an operator or an administrator.
func (c *Client) Update(ctx context.Context, req UpdateRequest) (User, error) {
	res, err := micro.CallIdempotent[UpdateRequest, MeResponse](ctx, c.micro, Subject(VerbUpdate), req)
	return res.User, err
}

// AdminCreate opens an administrator's account: forbidden to every actor but the operator.
func (c *Client) AdminCreate(ctx context.Context, req AdminCreateRequest) (User, error) {
	res, err := micro.Call[AdminCreateRequest, AdminCreateResponse](ctx, c.micro, Subject(VerbAdminCreate), req)
	return res.User, err
}

// Audit reads a page of the audit log: forbidden to all but administrators and operators.
func (c *Client) Audit(ctx context.Context, req AuditRequest) (AuditResponse, error) {
	return micro.CallIdempotent[AuditRequest, AuditResponse](ctx, c.micro, Subject(VerbAudit), req)
}

// KeyCreate makes an API key: forbidden to all but administrators and operators. Its answer is the only one that ever
// holds the key.
func (c *Client) KeyCreate(ctx context.Context, req KeyCreateRequest) (KeyCreateResponse, error) {
	return micro.Call[KeyCreateRequest, KeyCreateResponse](ctx, c.micro, Subject(VerbKeyCreate), req)
}

// KeyRevoke ends an API key: forbidden to all but administrators and operators.
func (c *Client) KeyRevoke(ctx context.Context, id string) error {
	_, err := micro.CallIdempotent[KeyRevokeRequest, KeyRevokeResponse](ctx, c.micro, Subject(VerbKeyRevoke), KeyRevokeRequest{ID: id})
	return err
}

// KeyVerify asks what a key may do: unauthenticated when it is unknown, wrong, revoked or expired.
func (c *Client) KeyVerify(ctx context.Context, req KeyVerifyRequest) (KeyGrant, error) {
	return micro.CallIdempotent[KeyVerifyRequest, KeyGrant](ctx, c.micro, Subject(VerbKeyVerify), req)
}

// Auditor returns what a service of that name hands acts to: ServiceConfig.Audit. Those of administrators and operators
// go into the audit log; what others do is in the history of what they did it to. What cannot be stored is in the
// service's own log, with all the same fields.
func (c *Client) Auditor(service string, log *slog.Logger) func(context.Context, micro.Act) {
	return func(ctx context.Context, act micro.Act) {
		if act.Actor.Role != RoleAdmin && act.Actor.Role != micro.RoleOperator {
			return
		}
		entry := AuditEntry{At: wire.At(act.At), Action: act.Action, Outcome: act.Outcome, ActorID: act.Actor.ID,
			ActorRole: act.Actor.Role, Target: act.Target, Detail: act.Detail, RequestID: act.RequestID}
		if err := c.note(ctx, service, entry); err != nil {
			log.Error("audit entry not stored", "action", act.Action, "outcome", act.Outcome, "actor", act.Actor.String(),
				"target", act.Target, "detail", act.Detail, "request", act.RequestID, "audit", true, "error", err)
		}
	}
}

// note sends an entry under an id made here, so that a second try is the same entry.
func (c *Client) note(ctx context.Context, service string, entry AuditEntry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	entry.ID = id.String()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	ctx = micro.WithActor(ctx, micro.Actor{Role: micro.RoleService, ID: service})
	_, err = micro.CallIdempotent[NoteRequest, NoteResponse](ctx, c.micro, Subject(VerbNote), NoteRequest{Entry: entry})
	return err
}

// noteTimeout bounds what an act waits until it is written down.
const noteTimeout = 2 * time.Second
