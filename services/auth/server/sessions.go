package server

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/auth/revoked"
	"tiffin/shard"
)

const secretBytes = 32

// errRefresh says that a refresh token is worth nothing: malformed, unknown, expired, revoked or used.
var errRefresh = errors.New("refresh token is not valid")

// errReuse says that a refresh token came a second time, which has revoked its family. It is an errRefresh.
var errReuse = errors.Join(errRefresh, errors.New("used before"))

// refreshToken is a refresh token's two halves: the family is public (access tokens name it) and finds the shard, the
// secret is known to the client alone; we keep its hash.
type refreshToken struct {
	Family string
	secret [secretBytes]byte
}

// newRefreshToken makes the next token of a family.
func newRefreshToken(family string) refreshToken {
	t := refreshToken{Family: family}
	// Since Go 1.24 Read never fails: it ends the process when the system has no randomness to give.
	rand.Read(t.secret[:])
	return t
}

// parseRefreshToken reads what String wrote, in exactly that spelling, or fails with errRefresh.
func parseRefreshToken(raw string) (refreshToken, error) {
	family, encoded, ok := strings.Cut(raw, ".")
	if !ok || len(encoded) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return refreshToken{}, errRefresh
	}
	id, err := shard.ParseID(family)
	if err != nil || id.String() != family {
		return refreshToken{}, errRefresh
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(secret) != secretBytes { // the decoder skips line breaks, even when strict
		return refreshToken{}, errRefresh
	}
	return refreshToken{Family: family, secret: [secretBytes]byte(secret)}, nil
}

// String is the token as the client gets it: <family uuid>.<secret>.
func (t refreshToken) String() string {
	return t.Family + "." + base64.RawURLEncoding.EncodeToString(t.secret[:])
}

// hash needs no salt and no stretching: the secret is 256 random bits.
func (t refreshToken) hash() []byte {
	sum := sha256.Sum256(t.secret[:])
	return sum[:]
}

// sessions keeps the families of refresh tokens.
type sessions struct {
	shards *shard.Set
	ttl    time.Duration // a token not used for so long is worth nothing, and a family without a living token is gone
	clock  func() time.Time
}

// begin starts a family for the user in the given transaction and returns its first token.
func (s *sessions) begin(ctx context.Context, tx pgx.Tx, userID string, region shard.Region) (refreshToken, error) {
	t := newRefreshToken(s.shards.Router().NewID(region))
	now := s.clock()
	b := &pgx.Batch{}
	b.Queue(`insert into auth.families (id, region, user_id, created_at, expires_at) values ($1, $2, $3, $4, $5)`,
		t.Family, region, userID, now, now.Add(s.ttl))
	s.issue(b, t, region, now)
	return t, tx.SendBatch(ctx, b).Close()
}

// login starts a family in a transaction of its own.
func (s *sessions) login(ctx context.Context, userID string) (t refreshToken, err error) {
	db, err := s.shards.ByID(userID)
	if err != nil {
		return t, err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		t, err = s.begin(ctx, tx, userID, db.Region())
		return err
	})
	return t, err
}

// issue queues storing a token's hash, behind what writes its family.
func (s *sessions) issue(b *pgx.Batch, t refreshToken, region shard.Region, now time.Time) {
	b.Queue(`insert into auth.refresh_tokens (hash, region, family_id, issued_at, expires_at) values ($1, $2, $3, $4, $5)`,
		t.hash(), region, t.Family, now, now.Add(s.ttl))
}

// rotate uses a token up and returns the next one of its family with the account. It fails with errRefresh, and with
// errReuse after it has revoked the family. The lock on the family makes two uses of one token take turns: the second
// one finds it used, and what the first one got is revoked with everything else.
func (s *sessions) rotate(ctx context.Context, raw string) (next refreshToken, a account, err error) {
	t, err := parseRefreshToken(raw)
	if err != nil {
		return next, a, err
	}
	db, err := s.shards.ByID(t.Family)
	if err != nil {
		return next, a, errRefresh
	}
	var verdict error // kept beside the transaction's error, because a revocation must be committed
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		now := s.clock()
		verdict = nil
		family, known, err := lockFamily(ctx, tx, t)
		switch {
		case err != nil:
			return err
		case family.revokedAt != nil:
			return errRefresh
		case known.usedAt != nil:
			verdict = errReuse
			return revoke(ctx, tx, t.Family, "reuse", now)
		case !known.expiresAt.After(now), !family.expiresAt.After(now):
			return errRefresh
		}
		next = newRefreshToken(t.Family)
		a, err = s.spend(ctx, tx, t, next, db.Region(), now)
		return err
	})
	if err == nil {
		err = verdict
	}
	return next, a, err
}

// end revokes the family of a token that belongs to the user, or fails with errRefresh. Ending twice is not an error.
func (s *sessions) end(ctx context.Context, raw, userID string) error {
	t, err := parseRefreshToken(raw)
	if err != nil {
		return err
	}
	db, err := s.shards.ByID(t.Family)
	if err != nil {
		return errRefresh
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		family, _, err := lockFamily(ctx, tx, t)
		if err != nil {
			return err
		}
		if family.userID != userID {
			return errRefresh
		}
		return revoke(ctx, tx, t.Family, "logout", s.clock())
	})
}

// revokedSince lists the families revoked after that on one shard.
func (s *sessions) revokedSince(ctx context.Context, q shard.Querier, since time.Time) ([]revoked.Family, error) {
	rows, err := q.Query(ctx, `select id::text, revoked_at from auth.families where revoked_at > $1`, since)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[revoked.Family])
}

// familyRow is what a decision about a token needs of its family.
type familyRow struct {
	userID    string
	expiresAt time.Time
	revokedAt *time.Time // nil: alive
}

// tokenRow is what a decision about a token needs of it.
type tokenRow struct {
	expiresAt time.Time
	usedAt    *time.Time // nil: not yet
}

// lockFamily makes everybody who uses a token of the family take turns, and reads the token when it is our turn: queued
// behind the lock, the read sees everything that was committed before the lock was granted. It fails with errRefresh
// when either of them is not there, which is no error of the batch: after one, pgx prepares the statements anew.
func lockFamily(ctx context.Context, tx pgx.Tx, t refreshToken) (f familyRow, known tokenRow, err error) {
	found := 0
	scan := func(into ...any) func(pgx.Rows) error {
		return func(rows pgx.Rows) error {
			_, err := pgx.ForEachRow(rows, into, func() error { found++; return nil })
			return err
		}
	}
	b := &pgx.Batch{}
	b.Queue(`select user_id::text, expires_at, revoked_at from auth.families where id = $1 for update`, t.Family).
		Query(scan(&f.userID, &f.expiresAt, &f.revokedAt))
	// The family is part of the condition, since the client names both.
	b.Queue(`select expires_at, used_at from auth.refresh_tokens where hash = $1 and family_id = $2`, t.hash(), t.Family).
		Query(scan(&known.expiresAt, &known.usedAt))
	err = tx.SendBatch(ctx, b).Close()
	if err == nil && found != 2 {
		err = errRefresh
	}
	return f, known, err
}

// spend marks a token as used, gives the family another lifetime and stores the next token. It reads the account as it
// is now: roles and names may have changed since the last token.
func (s *sessions) spend(
	ctx context.Context, tx pgx.Tx, t, next refreshToken, region shard.Region, now time.Time,
) (a account, err error) {
	b := &pgx.Batch{}
	b.Queue(`update auth.refresh_tokens set used_at = $2 where hash = $1`, t.hash(), now)
	b.Queue(`update auth.families set expires_at = $2 where id = $1`, t.Family, now.Add(s.ttl))
	s.issue(b, next, region, now)
	b.Queue(`select `+accountColumns+` from auth.users where id = (select user_id from auth.families where id = $1)`, t.Family).
		Query(func(rows pgx.Rows) (err error) {
			a, err = collect(rows, s.shards.Keys())
			return err
		})
	err = tx.SendBatch(ctx, b).Close()
	return a, err
}

// revoke ends a family. The first reason stays: it is the one that matters to whoever investigates.
func revoke(ctx context.Context, tx pgx.Tx, family, reason string, now time.Time) error {
	_, err := tx.Exec(ctx, `
		update auth.families set revoked_at = $2, revoked_for = $3 where id = $1 and revoked_at is null`, family, now, reason)
	return err
}
