package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

const (
	repairBatch = 500
	// defaultLag keeps the walk behind transactions that began earlier than others but have yet to commit. Every
	// transaction is ended by its timeouts long before.
	defaultLag = time.Minute
)

// cursor is how far a region's accounts are known to have their claims on one shard.
type cursor struct {
	At time.Time
	ID string
}

// repair sees to it that every account of the shard's regions has its claim on every shard: on those that were away
// when it registered, and on those that were added since. Without it a claim would keep the bare majority it was won
// with, and adding two shards at once could make two majorities that do not meet.
func (s *sweeper) repair(ctx context.Context, db *shard.DB) error {
	router := s.registrar.shards.Router()
	var failed error
	for _, region := range router.Regions() {
		if home, _ := router.ShardOf(region); home != db.ID() {
			continue
		}
		for _, target := range s.registrar.shards.All() {
			// A target that is away must not keep the others from being repaired.
			failed = errors.Join(failed, s.repairOn(ctx, db, region, target))
		}
	}
	return failed
}

// repairOn walks on until the region's accounts have been seen.
func (s *sweeper) repairOn(ctx context.Context, db *shard.DB, region shard.Region, target *shard.DB) error {
	for {
		from, err := readCursor(ctx, db, region, target.ID())
		if err != nil {
			return err
		}
		emails, ids, to, err := s.unrepaired(ctx, db, region, from)
		if err != nil || len(ids) == 0 {
			return err
		}
		if err := s.ensureClaims(ctx, target, emails, ids); err != nil {
			return err
		}
		if err := writeCursor(ctx, db, region, target.ID(), from, to); err != nil || len(ids) < repairBatch {
			return err
		}
	}
}

// readCursor begins at the beginning for a target that has none, such as a shard that was just added.
func readCursor(ctx context.Context, db *shard.DB, region shard.Region, target string) (from cursor, err error) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		from = cursor{ID: "00000000-0000-0000-0000-000000000000"}
		err := q.QueryRow(ctx, `
			select done_at, done_id::text from auth.claim_repairs where region = $1 and target = $2`, region, target).
			Scan(&from.At, &from.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return from, err
}

// writeCursor moves on from where the walk was, and does nothing when the cursor is elsewhere by now: another sweeper was
// ahead, or somebody has restored the target from a backup and deleted the cursor, so that the walk begins again.
func writeCursor(ctx context.Context, db *shard.DB, region shard.Region, target string, from, to cursor) error {
	return db.InRegionTx(ctx, region, func(ctx context.Context, tx pgx.Tx) error {
		if from.At.IsZero() {
			_, err := tx.Exec(ctx, `
				insert into auth.claim_repairs (region, target, done_at, done_id) values ($1, $2, $3, $4)
				on conflict do nothing`, region, target, to.At, to.ID)
			return err
		}
		_, err := tx.Exec(ctx, `
			update auth.claim_repairs set done_at = $3, done_id = $4
			where region = $1 and target = $2 and (done_at, done_id) = ($5, $6)`,
			region, target, to.At, to.ID, from.At, from.ID)
		return err
	})
}

// unrepaired lists the next accounts of the walk, in the order of their age.
func (s *sweeper) unrepaired(ctx context.Context, db *shard.DB, region shard.Region, from cursor) (
	emails, ids []string, to cursor, err error,
) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		emails, ids = nil, nil
		rows, err := q.Query(ctx, `
			select email_canon, id::text, inserted_at from auth.users
			where region = $1 and (inserted_at, id) > ($2, $3) and inserted_at < now() - $4::interval
			order by inserted_at, id limit $5`, region, from.At, from.ID, s.lag, repairBatch)
		if err != nil {
			return err
		}
		var email string
		_, err = pgx.ForEachRow(rows, []any{&email, &to.ID, &to.At}, func() error {
			emails, ids = append(emails, email), append(ids, to.ID)
			return nil
		})
		return err
	})
	return emails, ids, to, err
}

// ensureClaims writes the claims that are missing. A reservation in the way is of a registration that is bound to lose
// and to be swept; the walk stops there and comes again.
func (s *sweeper) ensureClaims(ctx context.Context, target *shard.DB, emails, ids []string) error {
	return target.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		_, err := q.Exec(ctx, `
			insert into auth.email_claims (email_canon, user_id, state)
			select email_canon, user_id, 'active' from unnest($1::text[], $2::text[]::uuid[]) as w (email_canon, user_id)
			on conflict do nothing`, emails, ids)
		if err != nil {
			return err
		}
		var theirs int
		err = q.QueryRow(ctx, `
			select count(*) from unnest($1::text[], $2::text[]::uuid[]) as w (email_canon, user_id)
			join auth.email_claims c using (email_canon) where c.user_id <> w.user_id`, emails, ids).Scan(&theirs)
		if err == nil && theirs > 0 {
			err = errors.New("a claim is held by a registration that has yet to lose")
		}
		return err
	})
}
