package server

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/auth/token"
	"tiffin/wire"
)

// serve runs an instance on a nats-server of its own and returns a client that acts for the edge.
func serve(t *testing.T, change ...func(*Config)) (*testenv.NATSServer, *auth.Client, *Server) {
	t.Helper()
	ns := testenv.NATS(t)
	connect := func(c *Config) { c.Conn, c.Redis = ns.Conn("auth"), testenv.Redis(t) }
	s := newFleet(t, append(change, connect)...)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() { stop(); require.NoError(t, <-done) })
	select {
	case <-s.Ready():
	case err := <-done:
		require.NoError(t, err)
	}
	return ns, auth.NewClient(micro.NewClient(ns.Conn("edge"), micro.ClientConfig{})), s
}

// A session's life over the wire, as the edge lives it.
func TestServiceOverNATS(t *testing.T) {
	t.Parallel()
	_, client, s := serve(t)
	anonymous := micro.WithActor(t.Context(), micro.Actor{Role: micro.RoleAnonymous})

	session, err := client.Register(anonymous, registration("ada@example.com", "sf"))
	require.NoError(t, err)
	_, err = client.Register(anonymous, registration("ADA@example.com", "NYC"))
	require.ErrorIs(t, err, micro.E(micro.CodeConflict, ""))
	_, err = client.Register(anonymous, auth.RegisterRequest{Email: "x"})
	var invalid *micro.Error
	require.ErrorAs(t, err, &invalid)
	require.Equal(t, micro.CodeInvalid, invalid.Code)
	require.Contains(t, invalid.Fields, wire.FieldError{Field: "email", Message: "is not an e-mail address"})

	again, err := client.Login(anonymous, login("ada@example.com"))
	require.NoError(t, err)
	require.Equal(t, session.User, again.User)
	_, err = token.NewVerifier(s.cfg.JWTSecret).Verify(again.Token)
	require.NoError(t, err)

	user, err := client.Me(as(t.Context(), session.User))
	require.NoError(t, err)
	require.Equal(t, session.User, user)
	_, err = client.Me(anonymous)
	require.ErrorIs(t, err, micro.E(micro.CodeUnauthenticated, ""))

	next, err := client.Refresh(anonymous, refreshOf(session))
	require.NoError(t, err)
	require.NoError(t, client.Logout(as(t.Context(), session.User), auth.LogoutRequest{RefreshToken: next.RefreshToken}))
	_, err = client.Refresh(anonymous, refreshOf(next))
	require.ErrorIs(t, err, micro.E(micro.CodeUnauthenticated, ""))

	_, err = client.AdminCreate(as(t.Context(), session.User), auth.AdminCreateRequest{
		Email: "root@example.com", Password: "secret-enough", City: "Reno",
	})
	require.ErrorIs(t, err, micro.E(micro.CodeForbidden, ""))
}

// An operator with the nats CLI sends no headers, and may create administrators and read anybody.
func TestOperatorOverPlainNATS(t *testing.T) {
	t.Parallel()
	ns, client, _ := serve(t)
	ops := ns.Conn("ops")
	answer := func(subject, body string, out any) *nats.Msg {
		msg, err := ops.RequestWithContext(t.Context(), subject, []byte(body))
		require.NoError(t, err)
		if out != nil {
			require.NoError(t, json.Unmarshal(msg.Data, out), "%s", msg.Data)
		}
		return msg
	}
	var created auth.AdminCreateResponse
	answer("auth.admin-create", `{"email":"root@example.com","password":"secret-enough","city":"Reno"}`, &created)
	require.Equal(t, auth.RoleAdmin, created.User.Role)
	msg := answer("auth.admin-create", `{"email":"root@example.com","password":"secret-enough","city":"Reno"}`, nil)
	require.Equal(t, "409", msg.Header.Get("Nats-Service-Error-Code"))

	var me auth.MeResponse
	answer("auth.me", `{"id":"`+created.User.ID+`"}`, &me)
	require.Equal(t, created.User, me.User)
	answer("auth.update", `{"id":"`+created.User.ID+`","firstName":"Grace"}`, &me)
	require.Equal(t, "Grace", me.User.FirstName)

	session, err := client.Login(t.Context(), login("root@example.com"))
	require.NoError(t, err)
	require.Equal(t, "Grace", session.User.FirstName)
}

// The running service sweeps by itself.
func TestServiceSweeps(t *testing.T) {
	t.Parallel()
	_, _, s := serve(t, func(c *Config) { c.ReservationTTL, c.SweepInterval = time.Nanosecond, 20*time.Millisecond })
	email := freshEmail()
	registerAndDie(t, s, email, "Boston", "insert")
	require.Eventually(t, func() bool { return len(claimsOf(t, s.cfg.Shards, email)) == 0 }, soon, often)
}

func TestHealthNamesEveryDependency(t *testing.T) {
	t.Parallel()
	_, _, s := serve(t)
	health := s.Health(t.Context())
	for _, name := range []string{"postgres.a", "postgres.b", "postgres.c", "redis"} {
		state, known := health[name]
		require.True(t, known, name)
		require.NoError(t, state)
	}
}
