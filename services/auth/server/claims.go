package server

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// releaseTimeout bounds the cleaning up after a caller who may have gone.
const releaseTimeout = time.Second

// claim is one shard's vote for the owner of an e-mail address.
type claim struct {
	Email  string
	UserID string
	Active bool          // false: reserved by a registration that may yet fail
	Age    time.Duration // by the shard's clock
}

// claims is the votes on all shards.
type claims struct {
	shards *shard.Set
	log    *slog.Logger
}

// majority is the number of votes that elect: any two majorities of all configured shards share one.
func (c *claims) majority() int { return len(c.shards.All())/2 + 1 }

// reserve asks one shard to vote for id and returns whom it votes for, which is somebody else when they came first.
// The statement has an effect of its own, so no transaction is needed: claims belong to the shard, not to a region.
func (c *claims) reserve(ctx context.Context, db *shard.DB, email, id string) (claim, error) {
	vote := claim{Email: email}
	err := db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		err := q.QueryRow(ctx, `
			with mine as (
				insert into auth.email_claims (email_canon, user_id, state) values ($1, $2, 'reserved')
				on conflict do nothing returning user_id, state, created_at
			)
			select user_id::text, state = 'active', now() - created_at from mine
			union all
			select user_id::text, state = 'active', now() - created_at from auth.email_claims where email_canon = $1`,
			email, id).Scan(&vote.UserID, &vote.Active, &vote.Age)
		if errors.Is(err, pgx.ErrNoRows) {
			// Somebody's insert was committed after this statement began: not inserted, not visible, but there.
			vote.UserID = ""
			return nil
		}
		return err
	})
	return vote, err
}

// activate makes the votes for id final on every shard that can be reached, also where none was cast. Failures cost
// nothing but time later: whoever meets a reservation asks the home shard how the registration ended.
func (c *claims) activate(ctx context.Context, email, id string) {
	c.everywhere(ctx, "activate", func(ctx context.Context, q shard.Querier) error {
		_, err := q.Exec(ctx, `
			insert into auth.email_claims as c (email_canon, user_id, state) values ($1, $2, 'active')
			on conflict (email_canon) do update set state = 'active' where c.user_id = $2`, email, id)
		return err
	})
}

// release takes back the votes for a registration that has not inserted, and will not insert, an account.
func (c *claims) release(ctx context.Context, email, id string) {
	c.everywhere(ctx, "release", func(ctx context.Context, q shard.Querier) error {
		_, err := q.Exec(ctx, `
			delete from auth.email_claims where email_canon = $1 and user_id = $2 and state = 'reserved'`, email, id)
		return err
	})
}

// everywhere runs do on all shards at once, whether or not the caller is still there. The sweeper mends what fails.
func (c *claims) everywhere(ctx context.Context, what string, do func(context.Context, shard.Querier) error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	var group sync.WaitGroup
	for _, db := range c.shards.All() {
		group.Go(func() {
			if err := db.Do(ctx, do); err != nil {
				c.log.WarnContext(ctx, "e-mail claim left to the sweeper", "step", what, "shard", db.ID(), "error", err)
			}
		})
	}
	group.Wait()
}

// stale lists reservations on one shard that are older than age, oldest first, at most a hundred.
func (c *claims) stale(ctx context.Context, db *shard.DB, age time.Duration) (found []claim, err error) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `
			select email_canon, user_id::text, false, now() - created_at from auth.email_claims
			where state = 'reserved' and created_at < now() - $1::interval
			order by created_at limit 100`, age)
		if err != nil {
			return err
		}
		found, err = pgx.CollectRows(rows, pgx.RowToStructByPos[claim])
		return err
	})
	return found, err
}
