package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

const (
	// expireBatch bounds what one look finds, so that a long backlog does not sit in memory.
	expireBatch = 200
	// forgetEvery is how often keys are looked through that are no longer honoured.
	forgetEvery = 10 * time.Minute
	forgetBatch = 5000
)

// reasonExpired is shown in the history of an order that the restaurant did not answer.
const reasonExpired = "not_accepted_in_time"

// expire ends orders of a region that stayed pending for too long, and delivers notes that could not be delivered. The
// deadline is in the row, so nothing is lost with a process, and any number of instances may do this at once: each
// order is judged again under its lock.
func (s *Server) expire(ctx context.Context, region shard.Region) error {
	return every(ctx, s.cfg.Poll, func() {
		err := s.metrics.expire.Round(ctx, func() error {
			return errors.Join(s.expireAll(ctx, region), s.store.deliverLetters(ctx, region))
		})
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "expiry postponed", "region", region, "error", err)
		}
	})
}

// forgetKeys removes idempotency keys of a region that are no longer honoured.
func (s *Server) forgetKeys(ctx context.Context, region shard.Region) error {
	return every(ctx, forgetEvery, func() {
		err := s.metrics.forget.Round(ctx, func() error { return s.store.forgetKeys(ctx, region) })
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "idempotency keys not removed", "region", region, "error", err)
		}
	})
}

// every runs work now and then, until ctx ends.
func every(ctx context.Context, interval time.Duration, work func()) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		work()
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// expireAll ends every order of a region whose deadline has passed.
func (s *Server) expireAll(ctx context.Context, region shard.Region) error {
	for {
		overdue, err := s.store.overdue(ctx, region)
		if err != nil {
			return err
		}
		for _, id := range overdue {
			r, err := s.store.move(ctx, id, expiry)
			if err != nil {
				return err
			}
			if r.Order.Status == order.Expired { // rarely counted twice, when two instances are at it at once
				s.metrics.moved(order.Expired)
			}
		}
		if len(overdue) < expireBatch {
			return nil
		}
	}
}

// expiry decides about an order that was overdue when it was looked for; since then it may have been confirmed.
func expiry(r *ordertx.Record, _ deliverytx.Holder) (*change, error) {
	if r.Order.Status != order.Pending || r.ReadAt.Before(r.AcceptBy) {
		return nil, nil
	}
	return &change{to: order.Expired, by: ordertx.System(reasonExpired)}, nil
}

// overdue finds the pending orders of a region whose deadline has passed, the longest overdue first. Nothing is locked:
// each of them is judged again when it is.
func (s *store) overdue(ctx context.Context, region shard.Region) (ids []string, err error) {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return nil, err
	}
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select id::text from orders.orders
			where status = 'pending' and accept_by <= now() and region = $1 order by accept_by limit $2`, region, expireBatch)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	return ids, err
}

// forgetKeys deletes keys that nobody honours any more, in small transactions, so that orders never wait for the broom.
func (s *store) forgetKeys(ctx context.Context, region shard.Region) error {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return err
	}
	for removed := int64(forgetBatch); removed == forgetBatch; {
		err := db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `delete from orders.keys where ctid in (select ctid from orders.keys
				where created_at <= now() - $2::interval and region = $1 limit $3)`, region, order.KeyTTL, forgetBatch)
			removed = tag.RowsAffected()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
