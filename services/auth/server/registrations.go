package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// outcome is how a registration ended, "" while it has not.
type outcome string

const (
	open      outcome = ""
	committed outcome = "committed"
	abandoned outcome = "abandoned"
)

// errFenced says that a registration came too late: somebody has given it up meanwhile.
var errFenced = errors.New("registration was given up")

// commitRegistration settles a registration in its account's transaction, or fails with errFenced.
func commitRegistration(ctx context.Context, tx pgx.Tx, id string, region shard.Region) error {
	tag, err := tx.Exec(ctx, `
		insert into auth.registrations (user_id, region, outcome) values ($1, $2, 'committed') on conflict do nothing`,
		id, region)
	if err == nil && tag.RowsAffected() == 0 {
		err = errFenced
	}
	return err
}

// outcomeOf asks the home shard how a registration ended.
func outcomeOf(ctx context.Context, shards *shard.Set, id string) (ended outcome, err error) {
	db, err := shards.ByID(id)
	if err != nil {
		return open, err
	}
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		err := q.QueryRow(ctx, `select outcome from auth.registrations where user_id = $1`, id).Scan(&ended)
		if errors.Is(err, pgx.ErrNoRows) {
			ended = open
			return nil
		}
		return err
	})
	return ended, err
}

// settle ends a registration one way or the other: it gives it up unless it was committed. It waits for an account's
// transaction that is under way, because both insert the same key.
func settle(ctx context.Context, shards *shard.Set, id string) (outcome, error) {
	db, err := shards.ByID(id)
	if err != nil {
		return open, fmt.Errorf("registration of an unknown region: %w", err)
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into auth.registrations (user_id, region, outcome) values ($1, $2, 'abandoned') on conflict do nothing`,
			id, db.Region())
		return err
	})
	if err != nil {
		return open, err
	}
	return outcomeOf(ctx, shards, id)
}
