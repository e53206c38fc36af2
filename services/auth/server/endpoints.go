package server

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/shard"
)

// endpoints declares the service.
func (s *Server) endpoints() *micro.Service {
	service := micro.NewService(micro.ServiceConfig{
		Name: auth.ServiceName, Version: auth.ServiceVersion, Description: "Accounts and sessions",
		Conn: s.cfg.Conn, Log: s.cfg.Log, Metrics: s.cfg.Metrics, Traces: s.cfg.Traces, Health: s.Health,
	})
	micro.Handle(service, auth.VerbRegister, "Open an account and sign it in", s.register)
	micro.Handle(service, auth.VerbLogin, "Exchange a password for a session", s.login)
	micro.Handle(service, auth.VerbRefresh, "Exchange a refresh token for a new pair", s.refresh)
	micro.Handle(service, auth.VerbLogout, "Revoke a session", s.logout)
	micro.Handle(service, auth.VerbMe, "Read the actor's account", s.me)
	micro.Handle(service, auth.VerbUpdate, "Change a profile", s.update)
	micro.Handle(service, auth.VerbAdminCreate, "Open an administrator's account (operator only)", s.adminCreate)
	micro.Handle(service, auth.VerbAudit, "Read who did what, newest first (administrators and operators)", s.audit)
	micro.Handle(service, auth.VerbKeyCreate, "Make an API key (administrators and operators)", s.keyCreate)
	micro.Handle(service, auth.VerbKeyList, "List API keys, newest first (administrators and operators)", s.keyList)
	micro.Handle(service, auth.VerbKeyRevoke, "End an API key (administrators and operators)", s.keyRevoke)
	micro.Handle(service, auth.VerbKeyVerify, "Say what an API key may do", s.keyVerify)
	micro.Handle(service, auth.VerbNote, "Bring an act at another service into the audit log (services)", s.noted)
	return service
}

// register opens an account and its first session in one transaction: whoever gets a 201 can refresh, and whoever does
// not has no session that nobody knows of.
func (s *Server) register(ctx context.Context, req auth.RegisterRequest) (session auth.Session, err error) {
	defer func() { s.metrics.count(auth.VerbRegister, err) }()
	a := account{
		Email: req.Email, FirstName: req.FirstName, LastName: req.LastName, PhoneNumber: req.PhoneNumber,
		Role: req.Role, City: req.City,
	}
	if err := s.hasher.busy(); err != nil {
		return session, err
	}
	var refresh refreshToken
	a, err = s.openAccount(ctx, a, req.Password, func(ctx context.Context, tx pgx.Tx, a account, region shard.Region) error {
		var err error
		refresh, err = s.sessions.begin(ctx, tx, a.ID, region)
		return err
	})
	if err != nil {
		return session, err
	}
	s.trail.note(ctx, asUser(a), auth.ActionRegister, a.ID, micro.OutcomeOK)
	return s.session(a, refresh)
}

// login begins a new family each time, so that signing out of one device leaves the others signed in.
func (s *Server) login(ctx context.Context, req auth.LoginRequest) (session auth.Session, err error) {
	defer func() { s.metrics.count(auth.VerbLogin, err) }()
	if err := s.hasher.busy(); err != nil {
		return session, err
	}
	a, err := s.identify(ctx, req)
	if errors.Is(err, errWrong()) {
		s.trail.note(ctx, micro.ActorFrom(ctx), auth.ActionSignIn, a.ID, micro.OutcomeRefused)
	}
	if err != nil {
		return session, err
	}
	refresh, err := s.sessions.login(ctx, a.ID)
	if err != nil {
		return session, err
	}
	s.trail.note(ctx, asUser(a), auth.ActionSignIn, a.ID, micro.OutcomeOK)
	return s.session(a, refresh)
}

// errWrong is the one answer to a wrong password and an unknown address.
func errWrong() error { return micro.E(micro.CodeUnauthenticated, "wrong e-mail address or password") }

// identify returns the account of an address and its password. An unknown address costs what a wrong password costs,
// and is answered the same way; the account comes with the refusal too, for the audit log.
func (s *Server) identify(ctx context.Context, req auth.LoginRequest) (account, error) {
	a, err := account{}, errNoAccount
	if canonical, invalid := auth.CanonicalEmail(req.Email); invalid == nil {
		a, err = findAccount(ctx, s.cfg.Shards, canonical)
	}
	if err != nil && !errors.Is(err, errNoAccount) {
		return account{}, err
	}
	ok, err := s.hasher.matches(ctx, a.PasswordHash, req.Password)
	switch {
	case err != nil:
		return account{}, err
	case !ok:
		return a, errWrong()
	}
	s.rehash(ctx, a, req.Password)
	return a, nil
}

// rehash brings a hash to today's cost. Otherwise the time of a login would tell for ever which accounts are older than
// the last change of the cost. Failing costs nothing: the next login tries again.
func (s *Server) rehash(ctx context.Context, a account, password string) {
	if !s.hasher.outdated(a.PasswordHash) {
		return
	}
	hash, err := s.hasher.hash(ctx, password)
	if err == nil {
		err = updateHash(ctx, s.cfg.Shards, a.ID, a.PasswordHash, hash)
	}
	if err != nil {
		s.log.WarnContext(ctx, "password hash keeps its old cost for now", "user", a.ID, "error", err)
	}
}

// refresh needs no actor: the access token has often expired by then.
func (s *Server) refresh(ctx context.Context, req auth.RefreshRequest) (session auth.Session, err error) {
	defer func() { s.metrics.count(auth.VerbRefresh, err) }()
	next, a, err := s.sessions.rotate(ctx, req.RefreshToken)
	if errors.Is(err, errReuse) {
		s.metrics.reuses.Inc()
		family, _, _ := strings.Cut(req.RefreshToken, ".")
		s.announcer.Announce(ctx, family)
		s.trail.note(ctx, micro.ActorFrom(ctx), auth.ActionTokenReuse, family, micro.OutcomeRefused)
		s.log.WarnContext(ctx, "refresh token used twice, session revoked", "family", family, "audit", true)
	}
	if err != nil {
		return session, unauthenticated(err)
	}
	return s.session(a, next)
}

// logout asks for both, the actor and a token of theirs: a stolen refresh token alone must not sign its owner out.
func (s *Server) logout(ctx context.Context, req auth.LogoutRequest) (res auth.LogoutResponse, err error) {
	actor, err := signedIn(ctx)
	if err != nil {
		return res, err
	}
	if err := s.sessions.end(ctx, req.RefreshToken, actor.ID); err != nil {
		return res, unauthenticated(err)
	}
	family, _, _ := strings.Cut(req.RefreshToken, ".")
	s.announcer.Announce(ctx, family)
	s.trail.note(ctx, actor, auth.ActionSignOut, family, micro.OutcomeOK)
	return res, nil
}

// me reads through the cache: every page of every client begins with it.
func (s *Server) me(ctx context.Context, req auth.MeRequest) (res auth.MeResponse, err error) {
	id, err := subject(ctx, req.ID)
	if err != nil {
		return res, err
	}
	res.User, err = s.profiles.Get(ctx, id, func(ctx context.Context) (auth.User, error) {
		a, err := accountByID(ctx, s.cfg.Shards, id)
		return a.user(), err
	})
	return res, notFound(err)
}

// update has no REST route yet; it is how operators correct a profile, and what the cache is invalidated by.
func (s *Server) update(ctx context.Context, req auth.UpdateRequest) (res auth.MeResponse, err error) {
	if req.ID, err = subject(ctx, req.ID); err != nil {
		return res, err
	}
	err = s.cache.Change(ctx, []string{s.profiles.Key(req.ID)}, func(ctx context.Context) error {
		a, err := updateProfile(ctx, s.cfg.Shards, req, s.cfg.Clock().UTC())
		res.User = a.user()
		return err
	})
	if err == nil {
		s.trail.note(ctx, micro.ActorFrom(ctx), auth.ActionProfile, req.ID, micro.OutcomeOK)
	}
	return res, notFound(err)
}

// adminCreate is an endpoint and not a tool of its own that writes to the shards: who may use it is a matter of NATS
// permissions, and it works from wherever NATS is reached.
func (s *Server) adminCreate(ctx context.Context, req auth.AdminCreateRequest) (res auth.AdminCreateResponse, err error) {
	actor := micro.ActorFrom(ctx)
	if actor.Role != micro.RoleOperator {
		return res, micro.Forbidden("only an operator may create administrators")
	}
	a := account{
		Email: req.Email, FirstName: req.FirstName, LastName: req.LastName, PhoneNumber: req.PhoneNumber,
		Role: auth.RoleAdmin, City: req.City,
	}
	a, err = s.openAccount(ctx, a, req.Password, func(context.Context, pgx.Tx, account, shard.Region) error { return nil })
	if err != nil {
		return res, err
	}
	s.trail.note(ctx, actor, auth.ActionAdminCreate, a.ID, micro.OutcomeOK)
	s.log.InfoContext(ctx, "administrator created", "user", a.ID, "audit", true)
	return auth.AdminCreateResponse{User: a.user()}, nil
}

// session signs the account in.
func (s *Server) session(a account, refresh refreshToken) (auth.Session, error) {
	access, _, err := s.signer.Sign(a.ID, a.Role, refresh.Family)
	if err != nil {
		return auth.Session{}, err
	}
	return auth.Session{
		User: a.user(), Token: access, RefreshToken: refresh.String(), ExpiresIn: int64(s.signer.TTL().Seconds()),
	}, nil
}

// signedIn returns the actor of a request that needs one.
func signedIn(ctx context.Context) (micro.Actor, error) {
	actor := micro.ActorFrom(ctx)
	if actor.ID == "" || actor.Role == micro.RoleAnonymous {
		return actor, micro.E(micro.CodeUnauthenticated, "sign in first")
	}
	return actor, nil
}

// administrator returns the actor of a request that only administrators and operators may make.
func administrator(ctx context.Context) (micro.Actor, error) {
	actor, err := signedIn(ctx)
	if err == nil && actor.Role != auth.RoleAdmin && actor.Role != micro.RoleOperator {
		err = micro.Forbidden("this is for administrators only")
	}
	return actor, err
}

// subject returns the id of the account a request is about: the actor's own, or any for operators and administrators.
func subject(ctx context.Context, asked string) (string, error) {
	actor, err := signedIn(ctx)
	if err != nil {
		return "", err
	}
	privileged := actor.Role == micro.RoleOperator || actor.Role == auth.RoleAdmin
	switch {
	case asked == "" && actor.Role == micro.RoleOperator:
		return "", micro.E(micro.CodeInvalid, "an operator has no account: name one by id")
	case asked == "" || strings.EqualFold(asked, actor.ID):
		return strings.ToLower(actor.ID), nil
	case !privileged:
		return "", micro.NotFound("user")
	default:
		return strings.ToLower(asked), nil
	}
}

// notFound translates errNoAccount. Its bearer of a good token sees it only when the account is gone.
func notFound(err error) error {
	if errors.Is(err, errNoAccount) {
		return micro.NotFound("user")
	}
	return err
}

// unauthenticated translates errRefresh: one answer for every reason.
func unauthenticated(err error) error {
	if errors.Is(err, errRefresh) {
		return micro.E(micro.CodeUnauthenticated, "refresh token is not valid")
	}
	return err
}
