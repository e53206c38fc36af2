package server

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/shard"
	"tiffin/wire"
)

// auditTimeout bounds what an act waits until it is written down.
const auditTimeout = time.Second

// trail writes down who did what and reads it again. What cannot be written is in the log, with all the same fields.
type trail struct {
	shards *shard.Set
	log    *slog.Logger
}

// note writes one act of this service's own. The act is done: what cannot be written is in the log.
func (t *trail) note(ctx context.Context, actor micro.Actor, action, target, outcome string) {
	id, err := uuid.NewV7()
	if err == nil {
		err = t.store(ctx, auth.AuditEntry{ID: id.String(), At: wire.At(time.Now()), Action: action, Outcome: outcome,
			ActorID: actor.ID, ActorRole: actor.Role, Target: target, RequestID: micro.RequestID(ctx)})
	}
	if err != nil {
		t.log.ErrorContext(ctx, "audit entry not stored", "action", action, "outcome", outcome, "target", target,
			"audit", true, "error", err)
	}
}

// store writes an entry, on the shard of its target or, when that is away or unknown, on the first that takes it. An
// entry that comes twice is one, unless its shard failed between: then both are there, which loses nothing.
func (t *trail) store(ctx context.Context, e auth.AuditEntry) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeout)
	defer cancel()
	for _, db := range t.places(e.Target) {
		err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
			_, err := q.Exec(ctx, `
				insert into auth.audit (id, at, action, outcome, actor_id, actor_role, target, detail, request_id)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
				e.ID, e.At.Time, e.Action, e.Outcome, e.ActorID, e.ActorRole, e.Target, e.Detail, e.RequestID)
			return err
		})
		if err == nil {
			return nil
		}
	}
	return err
}

// places lists the shards to try: the target's own first.
func (t *trail) places(target string) []*shard.DB {
	all := t.shards.All()
	if home, err := t.shards.ByID(target); err == nil {
		if own := t.shards.ByShard(home.ID()); own != nil {
			return append([]*shard.DB{own}, all...)
		}
	}
	return all
}

// page reads the newest entries behind a cursor from all shards. A shard that is away fails it: a log with a hole would
// look like acts that never were.
func (t *trail) page(ctx context.Context, req auth.AuditRequest) (res auth.AuditResponse, err error) {
	limit := cmp.Or(req.Limit, auth.DefaultPage)
	sql, args := auditQuery(req, limit+1)
	var found []auth.AuditEntry
	for _, db := range t.shards.All() {
		var part []auth.AuditEntry
		err := db.Stale().Do(ctx, func(ctx context.Context, q shard.Querier) error {
			rows, err := q.Query(ctx, sql, args...)
			if err != nil {
				return err
			}
			part, err = pgx.CollectRows(rows, scanEntry)
			return err
		})
		found = append(found, part...)
		if err != nil {
			return res, err
		}
	}
	slices.SortFunc(found, func(a, b auth.AuditEntry) int { return cmp.Compare(b.ID, a.ID) })
	if len(found) > limit {
		found = found[:limit]
		res.NextCursor = found[limit-1].ID
	}
	res.Entries = append([]auth.AuditEntry{}, found...) // an empty list in JSON, not null
	return res, nil
}

// auditQuery is the statement of a page. The order is that of the column: a bare id would be the text that is selected,
// and sorted by hand.
func auditQuery(req auth.AuditRequest, limit int) (sql string, args []any) {
	var asked conditions
	asked.add("id < $%d", req.Cursor)
	asked.add("actor_id = $%d", req.ActorID)
	asked.add("action = $%d", req.Action)
	return `select id::text, at, action, outcome, actor_id, actor_role, target, detail, request_id from auth.audit` +
		asked.where() + ` order by audit.id desc limit ` + strconv.Itoa(limit), asked.args
}

func scanEntry(row pgx.CollectableRow) (e auth.AuditEntry, err error) {
	var at time.Time
	err = row.Scan(&e.ID, &at, &e.Action, &e.Outcome, &e.ActorID, &e.ActorRole, &e.Target, &e.Detail, &e.RequestID)
	e.At = wire.At(at)
	return e, err
}

// audit answers a page to administrators and operators.
func (s *Server) audit(ctx context.Context, req auth.AuditRequest) (auth.AuditResponse, error) {
	if _, err := administrator(ctx); err != nil {
		return auth.AuditResponse{}, err
	}
	return s.trail.page(ctx, req)
}

// noted stores what another service was asked for. Its name is on the entry: it notes what was done at its own endpoints.
func (s *Server) noted(ctx context.Context, req auth.NoteRequest) (res auth.NoteResponse, err error) {
	actor := micro.ActorFrom(ctx)
	if actor.Role != micro.RoleService || !strings.HasPrefix(req.Entry.Action, actor.ID+".") {
		return res, micro.Forbidden("services note what was done at their own endpoints")
	}
	return res, s.trail.store(ctx, req.Entry)
}

// asUser is the actor of what somebody did by signing in.
func asUser(a account) micro.Actor { return micro.Actor{ID: a.ID, Role: a.Role} }
