package server

import (
	"context"
	"errors"
	"strings"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/wire"
)

// keyCreate makes a key. That it acts for an account, and is not an actor of its own kind, keeps every rule about whose
// orders, restaurants and riders these are in the one place where it is.
func (s *Server) keyCreate(ctx context.Context, req auth.KeyCreateRequest) (res auth.KeyCreateResponse, err error) {
	actor, err := administrator(ctx)
	if err != nil {
		return res, err
	}
	if req.ExpiresAt != nil && !req.ExpiresAt.After(s.cfg.Clock()) {
		return res, wire.Invalid{{Field: "expiresAt", Message: "must lie in the future"}}
	}
	key, row, err := s.keys.create(ctx, req, actor.ID)
	if errors.Is(err, errNoAccount) {
		return res, wire.Invalid{{Field: "userId", Message: "is nobody's account"}}
	}
	if err != nil {
		return res, err
	}
	s.trail.note(ctx, actor, auth.ActionKeyCreate, row.ID, micro.OutcomeOK)
	return auth.KeyCreateResponse{Key: key.String(), APIKey: row.key()}, nil
}

// keyList answers a page.
func (s *Server) keyList(ctx context.Context, req auth.KeyListRequest) (auth.KeyListResponse, error) {
	if _, err := administrator(ctx); err != nil {
		return auth.KeyListResponse{}, err
	}
	return s.keys.page(ctx, req)
}

// keyRevoke ends a key and tells every edge.
func (s *Server) keyRevoke(ctx context.Context, req auth.KeyRevokeRequest) (res auth.KeyRevokeResponse, err error) {
	actor, err := administrator(ctx)
	if err != nil {
		return res, err
	}
	id := strings.ToLower(req.ID)
	if err := s.keys.revoke(ctx, id); errors.Is(err, errNoKey) {
		return res, micro.NotFound("API key")
	} else if err != nil {
		return res, err
	}
	s.announcer.Announce(ctx, id)
	s.trail.note(ctx, actor, auth.ActionKeyRevoke, id, micro.OutcomeOK)
	return res, nil
}

// keyVerify needs no actor: it is how the edge learns who is calling. It answers nothing that the key's holder does not
// know, and NATS lets nobody but edges and operators ask.
func (s *Server) keyVerify(ctx context.Context, req auth.KeyVerifyRequest) (auth.KeyGrant, error) {
	grant, err := s.keys.verify(ctx, req)
	if errors.Is(err, errKey) {
		return grant, micro.E(micro.CodeUnauthenticated, "the API key is not valid")
	}
	return grant, err
}
