package server

import (
	"cmp"
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/auth"
	"tiffin/services/auth/apikey"
	"tiffin/services/auth/revoked"
	"tiffin/shard"
	"tiffin/wire"
)

// errKey says that a key is worth nothing: unknown, wrong, revoked or expired.
var errKey = errors.New("API key is not valid")

// errNoKey says that no shard has the key asked for.
var errNoKey = errors.New("no such API key")

// apiKeys keeps the keys of integrators, each on the shard of the account it acts for.
type apiKeys struct {
	shards *shard.Set
	clock  func() time.Time
	log    *slog.Logger
}

// keyRow is a row of auth.api_keys, without the digest.
type keyRow struct {
	ID, Name, UserID string
	Scopes           []string
	RateLimit        int
	CreatedAt        time.Time
	CreatedBy        string
	ExpiresAt        *time.Time
	RevokedAt        *time.Time
	LastUsedAt       *time.Time
}

const keyColumns = `k.id::text, k.name, k.user_id::text, k.scopes, k.rate_limit, k.created_at, k.created_by, k.expires_at,
	k.revoked_at, k.last_used_at`

// key is the row as administrators see it.
func (r keyRow) key() auth.APIKey {
	return auth.APIKey{
		ID: r.ID, Name: r.Name, UserID: r.UserID, Scopes: r.Scopes, RateLimit: r.RateLimit, CreatedAt: wire.At(r.CreatedAt),
		CreatedBy: r.CreatedBy, ExpiresAt: atOrNil(r.ExpiresAt), RevokedAt: atOrNil(r.RevokedAt), LastUsedAt: atOrNil(r.LastUsedAt),
	}
}

func atOrNil(t *time.Time) *wire.Time {
	if t == nil {
		return nil
	}
	at := wire.At(*t)
	return &at
}

// create stores a new key. It fails with errNoAccount when there is nobody it could act for.
func (k *apiKeys) create(ctx context.Context, req auth.KeyCreateRequest, by string) (key apikey.Key, row keyRow, err error) {
	db, err := k.shards.ByID(req.UserID)
	if err != nil {
		return key, row, errors.Join(errNoAccount, err)
	}
	key = apikey.New(k.shards.Router().NewID(db.Region()))
	row = keyRow{
		ID: key.ID, Name: strings.TrimSpace(req.Name), UserID: strings.ToLower(req.UserID), Scopes: slices.Sorted(slices.Values(req.Scopes)),
		RateLimit: cmp.Or(req.RateLimit, auth.DefaultKeyRate), CreatedAt: k.clock().UTC(), CreatedBy: by,
	}
	if req.ExpiresAt != nil {
		row.ExpiresAt = &req.ExpiresAt.Time
	}
	digest := key.Digest()
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `
			insert into auth.api_keys (id, region, user_id, name, digest, scopes, rate_limit, created_at, created_by, expires_at)
			select $1, $2, id, $4, $5, $6, $7, $8, $9, $10 from auth.users where id = $3`,
			row.ID, db.Region(), row.UserID, row.Name, digest[:], row.Scopes, row.RateLimit, row.CreatedAt, row.CreatedBy, row.ExpiresAt)
		if err == nil && done.RowsAffected() == 0 {
			err = errNoAccount
		}
		return err
	})
	return key, row, err
}

// revoke ends a key, which may have ended before. It fails with errNoKey for one that never was.
func (k *apiKeys) revoke(ctx context.Context, id string) error {
	db, err := k.shards.ByID(id)
	if err != nil {
		return errors.Join(errNoKey, err)
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `update auth.api_keys set revoked_at = coalesce(revoked_at, $2) where id = $1`, id, k.clock().UTC())
		if err == nil && done.RowsAffected() == 0 {
			err = errNoKey
		}
		return err
	})
}

// verify says what the key with the digest may do, or fails with errKey. An unavailable shard is an error of its own: the
// key may be a good one.
func (k *apiKeys) verify(ctx context.Context, req auth.KeyVerifyRequest) (grant auth.KeyGrant, err error) {
	given, err := hex.DecodeString(req.Digest)
	if err != nil {
		return grant, errKey
	}
	db, err := k.shards.ByID(req.ID)
	if err != nil {
		return grant, errKey
	}
	var row keyRow
	var digest []byte
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `
			select `+keyColumns+`, k.digest, u.role from auth.api_keys k join auth.users u on u.id = k.user_id where k.id = $1`, req.ID).
			Scan(&row.ID, &row.Name, &row.UserID, &row.Scopes, &row.RateLimit, &row.CreatedAt, &row.CreatedBy, &row.ExpiresAt,
				&row.RevokedAt, &row.LastUsedAt, &digest, &grant.Role)
	})
	now := k.clock()
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return auth.KeyGrant{}, errKey
	case err != nil:
		return auth.KeyGrant{}, err
	case subtle.ConstantTimeCompare(given, digest) != 1, row.RevokedAt != nil, row.ExpiresAt != nil && !row.ExpiresAt.After(now):
		return auth.KeyGrant{}, errKey
	}
	k.touch(ctx, db, row, now)
	grant.ID, grant.UserID, grant.Scopes, grant.RateLimit = row.ID, row.UserID, row.Scopes, row.RateLimit
	grant.ExpiresAt = atOrNil(row.ExpiresAt)
	return grant, nil
}

// touch notes that a key is in use, at most once per auth.KeyMemory however many edges ask. It is for administrators
// who look for keys that nobody needs; a shard that cannot write now must not cost anybody a request.
func (k *apiKeys) touch(ctx context.Context, db *shard.DB, row keyRow, now time.Time) {
	if row.LastUsedAt != nil && now.Sub(*row.LastUsedAt) < auth.KeyMemory {
		return
	}
	err := db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update auth.api_keys set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $2)`, row.ID, now.UTC())
		return err
	})
	if err != nil {
		k.log.Debug("last use of an API key not noted", "key", row.ID, "error", err)
	}
}

// page reads the newest keys behind a cursor from all shards. Ids begin with the millisecond they were made in, so that
// they sort by age over all of them.
func (k *apiKeys) page(ctx context.Context, req auth.KeyListRequest) (res auth.KeyListResponse, err error) {
	limit := cmp.Or(req.Limit, auth.DefaultPage)
	var asked conditions
	asked.add("k.id < $%d", req.Cursor)
	asked.add("k.user_id = $%d", req.UserID)
	sql := `select ` + keyColumns + ` from auth.api_keys k` + asked.where() + ` order by k.id desc limit ` + strconv.Itoa(limit+1)
	var found []keyRow
	for _, db := range k.shards.All() {
		var part []keyRow
		err := db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
			rows, err := q.Query(ctx, sql, asked.args...)
			if err != nil {
				return err
			}
			part, err = pgx.CollectRows(rows, pgx.RowToStructByPos[keyRow])
			return err
		})
		if err != nil {
			return res, err
		}
		found = append(found, part...)
	}
	slices.SortFunc(found, func(a, b keyRow) int { return cmp.Compare(b.ID, a.ID) })
	if len(found) > limit {
		found = found[:limit]
		res.NextCursor = found[limit-1].ID
	}
	res.APIKeys = make([]auth.APIKey, len(found))
	for i, row := range found {
		res.APIKeys[i] = row.key()
	}
	return res, nil
}

// revokedSince lists the keys revoked after that on one shard, as the sessions do theirs: to the edges both are names
// that no longer count.
func (k *apiKeys) revokedSince(ctx context.Context, q shard.Querier, since time.Time) ([]revoked.Family, error) {
	rows, err := q.Query(ctx, `select id::text, revoked_at from auth.api_keys where revoked_at > $1`, since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[revoked.Family])
}
