package server

import (
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// dispatchLock is the class of the advisory locks that let one instance at a time offer the waiting orders of a region.
const dispatchLock = 0x64697370 // "disp"

// countMost bounds the counting of waiting orders: with more, the figure is the bound, and the answer to it the same. A
// backlog must not be made worse by being counted.
const countMost = 10_000

// countWaiting tells the metrics how many orders of a region wait for an offer.
func (s *store) countWaiting(ctx context.Context, region shard.Region) error {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return err
	}
	return db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		var waiting int64
		var oldest float64
		err := q.QueryRow(ctx, `select count(*), coalesce(extract(epoch from now() - min(created_at)), 0) from (
			select created_at from delivery.jobs where region = $1 and not offered order by order_id limit $2) waiting`,
			region, countMost).Scan(&waiting, &oldest)
		if err == nil {
			s.metrics.queue(string(region), waiting, oldest)
		}
		return err
	})
}

// errNobodyFree says that orders wait and no rider is free.
var errNobodyFree = errors.New("no rider is free")

// dispatch offers waiting orders of a region, oldest first, to the nearest riders, in one transaction: errNobodyFree when
// that cannot be. more says that another pass may offer more.
func (s *store) dispatch(ctx context.Context, region shard.Region) (more bool, err error) {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return false, err
	}
	// Most looks find nothing to do, or nobody who could; they should not cost a transaction and a lock. Whoever comes to
	// be waiting or free after this look has the next one made.
	var waiting, free bool
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		return q.QueryRow(ctx, `select exists (select from delivery.jobs where region = $1 and not offered), `+somebodyFree,
			region, s.silentTTL).Scan(&waiting, &free)
	})
	switch {
	case err != nil || !waiting:
		return false, err
	case !free:
		return false, errNobodyFree
	}
	offered := 0
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		more, offered = false, 0
		var list []candidate
		b := &pgx.Batch{}
		queueUp(b, region)
		s.queueCandidates(b, region, &list) // reads what was committed before the lock was granted
		if err := tx.SendBatch(ctx, b).Close(); err != nil || len(list) == 0 {
			return err
		}
		pairs, unmatched := match(list)
		var err error
		offered, err = s.offerAll(ctx, tx, pairs)
		more = unmatched || offered < len(pairs) || len(pairs) == passJobs
		return err
	})
	if err != nil {
		return false, err
	}
	s.metrics.count(delivery.Offered, offered)
	return more, nil
}

// queueUp queues waiting for the region's dispatch lock. An instance that stops while it holds it is thrown out by the database
// soon, so that the region's orders do not wait for it to come back.
func queueUp(b *pgx.Batch, region shard.Region) {
	b.Queue(`select set_config('idle_in_transaction_session_timeout', '3s', true)`)
	b.Queue(byDistanceSQL)
	b.Queue(`select pg_advisory_xact_lock($1, hashtext($2))`, dispatchLock, region)
}

// offerAll makes those of the offers that still can be made, under all locks, and returns how many.
func (s *store) offerAll(ctx context.Context, tx pgx.Tx, pairs []candidate) (int, error) {
	var orders map[string]*ordertx.Record
	var waiting, idle map[string]bool
	b := &pgx.Batch{} // in one round trip, and granted in this order: orders, jobs, riders
	ordertx.QueueLockAll(b, shard.Column(pairs, func(c *candidate) string { return c.order }), &orders)
	queueLockJobs(b, pairs, &waiting)
	queueLockFree(b, pairs, &idle)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return 0, err
	}
	pairs = slices.DeleteFunc(pairs, func(c candidate) bool {
		return orders[c.order] == nil || !waiting[c.order] || !idle[c.partner]
	})
	if len(pairs) == 0 {
		return 0, nil
	}
	offers := make([]ordertx.Offer, len(pairs))
	for i, c := range pairs {
		offers[i] = ordertx.Offer{Record: orders[c.order], PartnerID: c.partner}
	}
	b = &pgx.Batch{}
	if err := s.queueOffers(ctx, b, offers...); err != nil {
		return 0, err
	}
	return len(pairs), tx.SendBatch(ctx, b).Close()
}

// What an offer changes besides the order, for all offers of a transaction at once.
const (
	offerJobsSQL = `update delivery.jobs set offered = true where order_id = any($1::text[]::uuid[])`
	offersSQL    = `insert into delivery.offers (order_id, seq, region, partner_id, status, expires_at)
		select o.*, 'offered', now() + $5::interval from unnest($1::text[]::uuid[], $2::bigint[], $3::text[], $4::text[]::uuid[]) o`
	offerRidersSQL = `update delivery.partners p set order_id = o.order_id, carrying = false, updated_at = now()
		from unnest($1::text[]::uuid[], $2::text[]::uuid[]) o (partner_id, order_id) where p.id = o.partner_id`
)

// queueOffers queues all that makes offers: on the orders, in the queue, for the riders, one statement for each table. The
// orders, their jobs and the riders are locked, and the riders are free.
func (s *store) queueOffers(ctx context.Context, b *pgx.Batch, offers ...ordertx.Offer) error {
	if err := ordertx.SetRiders(ctx, b, offers...); err != nil {
		return err
	}
	orders := shard.Column(offers, func(o *ordertx.Offer) string { return o.Record.Order.ID })
	riders := shard.Column(offers, func(o *ordertx.Offer) string { return o.PartnerID })
	seqs := shard.Column(offers, func(o *ordertx.Offer) int64 { return o.Record.Seq })
	regions := shard.Column(offers, func(o *ordertx.Offer) string { return o.Record.Region })
	b.Queue(offerJobsSQL, orders)
	b.Queue(offersSQL, orders, seqs, regions, riders, s.offerTTL)
	b.Queue(offerRidersSQL, riders, orders)
	return nil
}

// queueLockJobs locks the jobs and tells which of them still wait. A job changes only under its order's lock, so this
// never waits; it is the order of locks that asks for it.
func queueLockJobs(b *pgx.Batch, pairs []candidate, into *map[string]bool) {
	queueSet(b, `select order_id::text from delivery.jobs
		where order_id = any($1::text[]::uuid[]) and not offered order by order_id for update`,
		shard.Column(pairs, func(c *candidate) string { return c.order }), into)
}

// queueLockFree locks riders, in the order of their ids, and tells which of them are still free.
func queueLockFree(b *pgx.Batch, pairs []candidate, into *map[string]bool) {
	queueSet(b, `select id::text from delivery.partners
		where id = any($1::text[]::uuid[]) and available and not silent and order_id is null order by id for update`,
		shard.Column(pairs, func(c *candidate) string { return c.partner }), into)
}

// queueSet queues a query by ids whose rows are one column of ids.
func queueSet(b *pgx.Batch, sql string, ids []string, into *map[string]bool) {
	b.Queue(sql, ids).Query(func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		*into = make(map[string]bool, len(list))
		for _, id := range list {
			(*into)[id] = true
		}
		return err
	})
}
