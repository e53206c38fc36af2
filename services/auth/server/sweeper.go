package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/shard"
)

const (
	// purgeAfter is how long what is dead is kept: families after their last token expired, and tombstones of given-up
	// registrations, which must outlive every process that might still be about to insert.
	purgeAfter = 30 * 24 * time.Hour
	purgeBatch = 1000
)

// sweeper cleans up after registrations that died and keeps the claims complete. Any number of instances may sweep at
// once: every step is idempotent and decided by a primary key.
type sweeper struct {
	registrar *registrar
	interval  time.Duration
	lag       time.Duration // see defaultLag
	clock     func() time.Time
	log       *slog.Logger
	loop      micro.Loop
}

// Run sweeps until ctx ends and returns nil.
func (s *sweeper) Run(ctx context.Context) error {
	tick := time.NewTicker(s.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			s.sweep(ctx)
		}
	}
}

// sweep is one round over all shards. A shard that is away is left for the next round.
func (s *sweeper) sweep(ctx context.Context) {
	for _, db := range s.registrar.shards.All() {
		for _, round := range []func(context.Context, *shard.DB) error{s.reservations, s.repair, s.purge} {
			err := s.loop.Round(ctx, func() error { return round(ctx, db) })
			if err != nil && ctx.Err() == nil {
				s.log.Debug("sweep left for later", "shard", db.ID(), "error", err)
			}
		}
	}
}

// reservations ends those that are too old, whichever way they went.
func (s *sweeper) reservations(ctx context.Context, db *shard.DB) error {
	stale, err := s.registrar.claims.stale(ctx, db, s.registrar.ttl)
	if err != nil {
		return err
	}
	for _, reservation := range stale {
		if _, err := s.registrar.judge(ctx, reservation); err != nil {
			s.log.Debug("reservation left for later", "user", reservation.UserID, "error", err)
		}
	}
	return nil
}

// purge deletes what has been dead for long, a batch a round.
func (s *sweeper) purge(ctx context.Context, db *shard.DB) error {
	for _, region := range s.registrar.shards.Router().Regions() {
		if home, _ := s.registrar.shards.Router().ShardOf(region); home != db.ID() {
			continue
		}
		if err := db.InRegionTx(ctx, region, func(ctx context.Context, tx pgx.Tx) error {
			before := s.clock().Add(-purgeAfter)
			batch := &pgx.Batch{}
			batch.Queue(`delete from auth.families where id in (
				select id from auth.families where region = $1 and expires_at < $2 limit $3)`, region, before, purgeBatch)
			batch.Queue(`delete from auth.registrations where user_id in (
				select user_id from auth.registrations
				where region = $1 and outcome = 'abandoned' and settled_at < $2 limit $3)`, region, before, purgeBatch)
			return tx.SendBatch(ctx, batch).Close()
		}); err != nil {
			return err
		}
	}
	return nil
}
