package sim

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"tiffin/services/auth"
)

// account is somebody who plays, signed in.
type account struct {
	api      *api
	email    string
	password string
	city     string

	mu      sync.Mutex
	session auth.Session
}

// enroll signs somebody in, and registers them first if this is their first evening.
func enroll(ctx context.Context, a *api, password string, who auth.RegisterRequest) (*account, error) {
	acc := &account{api: a, email: who.Email, password: password, city: who.City}
	err := acc.login(ctx)
	if statusOf(err) == http.StatusUnauthorized {
		who.Password = password
		err = a.do(ctx, call{method: http.MethodPost, path: "/auth/register", body: who, city: who.City}, &acc.session)
		if statusOf(err) == http.StatusConflict {
			// Registered by a try whose answer was lost, or by another run just now. Or with another password.
			err = acc.login(ctx)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sign in %s: %w", who.Email, err)
	}
	if acc.session.User.Role != who.Role {
		return nil, fmt.Errorf("sign in %s: the account is a %s, not a %s", who.Email, acc.session.User.Role, who.Role)
	}
	return acc, nil
}

// login replaces the session. The old one is left to run out: nobody else has it.
func (acc *account) login(ctx context.Context) error {
	var session auth.Session
	err := acc.api.do(ctx, call{
		method: http.MethodPost, path: "/auth/login", body: auth.LoginRequest{Email: acc.email, Password: acc.password},
		city: acc.city,
	}, &session)
	if err == nil {
		acc.mu.Lock()
		acc.session = session
		acc.mu.Unlock()
	}
	return err
}

// id is the account's user id.
func (acc *account) id() string {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	return acc.session.User.ID
}

// token is the current access token.
func (acc *account) token() string {
	acc.mu.Lock()
	defer acc.mu.Unlock()
	return acc.session.Token
}

// do makes a request as this account. A token that has run out is replaced once, by signing in again: that needs no
// second chain of secrets, and the simulator knows the password anyway.
func (acc *account) do(ctx context.Context, c call, out any) error {
	c.token, c.account, c.city = acc.token(), acc.id(), acc.city
	err := acc.api.do(ctx, c, out)
	if statusOf(err) != http.StatusUnauthorized {
		return err
	}
	if err := acc.login(ctx); err != nil {
		return err
	}
	c.token = acc.token()
	return acc.api.do(ctx, c, out)
}

// get, patch and post are do for the usual requests; all of them may arrive twice without harm.
func (acc *account) get(ctx context.Context, path string, out any) error {
	return acc.do(ctx, call{method: http.MethodGet, path: path}, out)
}

func (acc *account) patch(ctx context.Context, path string, body, out any) error {
	return acc.do(ctx, call{method: http.MethodPatch, path: path, body: body}, out)
}

func (acc *account) post(ctx context.Context, path string, body, out any) error {
	return acc.do(ctx, call{method: http.MethodPost, path: path, body: body}, out)
}
