package server

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/wire"
)

// acts is what a page says, without what differs from run to run.
func acts(entries []auth.AuditEntry) (list [][3]string) {
	for _, e := range entries {
		list = append(list, [3]string{e.Action, e.Outcome, e.ActorRole})
	}
	return list
}

func TestTheAuditLogSaysWhoDidWhat(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	email := freshEmail()
	session := mustRegister(t, s, email, "Boston")
	wrong := login(email)
	wrong.Password = "not-the-password"
	_, err := s.login(t.Context(), wrong)
	requireCode(t, micro.CodeUnauthenticated, err)
	unknown := login(freshEmail())
	unknown.Password = "typed-by-mistake"
	_, err = s.login(t.Context(), unknown)
	requireCode(t, micro.CodeUnauthenticated, err)
	second, err := s.login(t.Context(), login(email))
	require.NoError(t, err)
	_, err = s.logout(as(t.Context(), second.User), auth.LogoutRequest{RefreshToken: second.RefreshToken})
	require.NoError(t, err)
	operator := micro.WithActor(t.Context(), micro.Actor{Role: micro.RoleOperator, ID: "joe"})
	_, err = s.adminCreate(operator, auth.AdminCreateRequest{Email: freshEmail(), Password: "secret-enough", City: "Boston"})
	require.NoError(t, err)

	res, err := s.audit(operator, auth.AuditRequest{})
	require.NoError(t, err)
	require.Equal(t, [][3]string{
		{auth.ActionAdminCreate, "ok", micro.RoleOperator}, {auth.ActionSignOut, "ok", auth.RoleCustomer},
		{auth.ActionSignIn, "ok", auth.RoleCustomer}, {auth.ActionSignIn, "refused", micro.ActorFrom(t.Context()).Role},
		{auth.ActionSignIn, "refused", micro.ActorFrom(t.Context()).Role}, {auth.ActionRegister, "ok", auth.RoleCustomer},
	}, acts(res.Entries))
	require.Equal(t, session.User.ID, res.Entries[4].Target, "whose password was guessed")
	require.Empty(t, res.Entries[3].Target)
	text, err := wire.Encode(res)
	require.NoError(t, err)
	for _, secret := range []string{"not-the-password", "typed-by-mistake", "secret-enough", email, second.Token, second.RefreshToken} {
		require.NotContains(t, string(text), secret)
	}

	// Pages, over the shards, without gap or repetition.
	var paged []auth.AuditEntry
	for req := (auth.AuditRequest{Limit: 2}); ; {
		page, err := s.audit(operator, req)
		require.NoError(t, err)
		paged = append(paged, page.Entries...)
		if req.Cursor = page.NextCursor; req.Cursor == "" {
			break
		}
	}
	require.Equal(t, res.Entries, paged)
	mine, err := s.audit(operator, auth.AuditRequest{ActorID: "joe"})
	require.NoError(t, err)
	require.Len(t, mine.Entries, 1)
	kind, err := s.audit(operator, auth.AuditRequest{Action: auth.ActionSignIn})
	require.NoError(t, err)
	require.Len(t, kind.Entries, 3)
}

func TestTheAuditLogIsAppendOnly(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	user := mustRegister(t, s, freshEmail(), "Boston").User
	for _, sql := range []string{`update auth.audit set outcome = 'ok'`, `delete from auth.audit`, `truncate auth.audit`} {
		for _, db := range s.cfg.Shards.All() {
			_, err := db.Pool().Exec(t.Context(), sql)
			require.ErrorContains(t, err, "append-only")
		}
	}
	_, err := s.audit(as(t.Context(), user), auth.AuditRequest{})
	requireCode(t, micro.CodeForbidden, err)
	_, err = s.audit(t.Context(), auth.AuditRequest{})
	requireCode(t, micro.CodeUnauthenticated, err)
	require.Error(t, auth.AuditRequest{Cursor: "x"}.Validate())
	require.Error(t, auth.AuditRequest{Limit: 101}.Validate())
	require.NoError(t, auth.AuditRequest{Limit: 100, Cursor: user.ID}.Validate())
}

// What administrators and operators do at other services comes over NATS, from users that may do nothing else here.
func TestOtherServicesNoteActs(t *testing.T) {
	t.Parallel()
	ns, client, s := serve(t)
	orders := auth.NewClient(micro.NewClient(ns.Conn("order"), micro.ClientConfig{}))
	var failures strings.Builder
	note := orders.Auditor("order", slog.New(slog.NewTextHandler(&failures, nil)))
	target := s.cfg.Shards.Router().NewID("us-east")
	act := micro.Act{At: time.Now(), Action: "order.status", Outcome: micro.OutcomeOK, Target: target, Detail: "cancelled", RequestID: "req-1"}
	for _, actor := range []micro.Actor{{Role: auth.RoleAdmin, ID: "a"}, {Role: micro.RoleOperator, ID: "ops"}, {Role: auth.RoleOwner, ID: "o"}} {
		act.Actor = actor
		note(t.Context(), act)
	}
	require.Empty(t, failures.String())
	res, err := client.Audit(operating(t), auth.AuditRequest{Action: "order.status"})
	require.NoError(t, err)
	require.Len(t, res.Entries, 2, "owners' acts are in the order's history")
	got := res.Entries[1]
	got.ID, got.At = "", wire.Time{}
	require.Equal(t, auth.AuditEntry{Action: "order.status", Outcome: "ok", ActorID: "a", ActorRole: auth.RoleAdmin,
		Target: target, Detail: "cancelled", RequestID: "req-1"}, got)
	var count int
	require.NoError(t, s.cfg.Shards.ByShard("b").Pool().QueryRow(t.Context(),
		`select count(*) from auth.audit where action = 'order.status'`).Scan(&count))
	require.Equal(t, 2, count, "where the order is")

	act.Action = "auth.sign-in"
	note(t.Context(), act)
	require.Empty(t, failures.String(), "an owner's act is not even sent")
	act.Actor = micro.Actor{Role: auth.RoleAdmin, ID: "a"}
	note(t.Context(), act)
	require.Contains(t, failures.String(), "audit entry not stored", "not at its own endpoint: the log has it instead")
	require.Contains(t, failures.String(), target)
	_, err = s.noted(as(t.Context(), auth.User{ID: "a", Role: auth.RoleAdmin}), auth.NoteRequest{})
	requireCode(t, micro.CodeForbidden, err)
	require.Error(t, auth.NoteRequest{}.Validate())
	require.Error(t, auth.NoteRequest{Entry: auth.AuditEntry{ID: target, Detail: strings.Repeat("x", 257)}}.Validate())
	require.NoError(t, auth.NoteRequest{Entry: auth.AuditEntry{ID: target}}.Validate())
}

// Whatever is asked for, a page is read from its end of the log and not picked out of all of it.
func TestAPageOfTheAuditLogIsReadByItsKey(t *testing.T) {
	t.Parallel()
	s := newFleet(t)
	conn, err := s.cfg.Shards.All()[0].Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	for _, sql := range []string{
		`insert into auth.audit (id, action, outcome, actor_id, actor_role, target, request_id)
			select gen_random_uuid(), 'sign-in', 'ok', 'actor ' || n % 100, '', '', '' from generate_series(1, 20000) n`,
		`vacuum analyze auth.audit`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	const someone = "00000000-0000-8000-8000-000000000042"
	for name, req := range map[string]auth.AuditRequest{
		"the newest": {}, "a later page": {Cursor: someone}, "of one": {Cursor: someone, ActorID: someone},
	} {
		sql, args := auditQuery(req, 21)
		plan := testenv.Explain(t, conn, "explain", sql, args...)
		require.Contains(t, plan, "Index Scan Backward using audit_pkey", name)
		require.NotContains(t, plan, "Sort", name)
		require.Equal(t, req.Cursor != "", strings.Contains(plan, "Index Cond: (id <"), name)
	}
}
