package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// maxLapses is how many offers in a row a rider may let expire: somebody who does not look is set unavailable.
const maxLapses = 3

var (
	errNoOffer   = errors.New("never offered")
	errOfferGone = errors.New("offer gone")
)

// offer is one row of the offers.
type offer struct {
	order, partner string
	seq            int64
	status         delivery.AssignmentStatus
	offeredAt      time.Time
	expiresAt      time.Time
	acceptedAt     *time.Time
	overdue        bool // by the database's clock
}

const offerColumns = `order_id::text, partner_id::text, seq, status, offered_at, expires_at, accepted_at,
	expires_at <= clock_timestamp()`

// scanOffer reads one row of offerColumns.
func scanOffer(row pgx.CollectableRow) (o offer, err error) {
	err = row.Scan(&o.order, &o.partner, &o.seq, &o.status, &o.offeredAt, &o.expiresAt, &o.acceptedAt, &o.overdue)
	return o, err
}

// oneOffer reads the only row of a result: errNoOffer when it is empty.
func oneOffer(rows pgx.Rows, err error) (offer, error) {
	if err != nil {
		return offer{}, err
	}
	o, err := pgx.CollectExactlyOneRow(rows, scanOffer)
	if errors.Is(err, pgx.ErrNoRows) {
		return offer{}, errNoOffer
	}
	return o, err
}

// lastOffer returns the last offer of an order to a rider: errNoOffer when there never was one. It takes no lock, so a
// crowd that was never asked does not stand in the way of those who were.
func (s *store) lastOffer(ctx context.Context, orderID, partner string) (o offer, err error) {
	err = s.read(ctx, partner, func(ctx context.Context, q shard.Querier) error {
		o, err = oneOffer(q.Query(ctx, `select `+offerColumns+` from delivery.offers
			where order_id = $1 and partner_id = $2 order by seq desc limit 1`, orderID, partner))
		return err
	})
	return o, err
}

// liveOffer returns what binds a rider now: errNoOffer when nothing does.
func (s *store) liveOffer(ctx context.Context, partner string) (o offer, err error) {
	err = s.read(ctx, partner, func(ctx context.Context, q shard.Querier) error {
		o, err = oneOffer(q.Query(ctx, `select `+offerColumns+` from delivery.offers
			where partner_id = $1 and status in ('offered', 'accepted', 'picked_up')`, partner))
		return err
	})
	return o, err
}

// read runs queries on the shard of a rider, which is the shard of every order they are offered.
func (s *store) read(ctx context.Context, partner string, fn func(context.Context, shard.Querier) error) error {
	db, err := s.shards.ByID(partner)
	if err != nil {
		return err
	}
	return db.Do(ctx, fn)
}

// lockOffer locks an order and reads its last offer to a rider, which holds until the end of the transaction.
func lockOffer(ctx context.Context, tx pgx.Tx, orderID, partner string) (r *ordertx.Record, o offer, err error) {
	b := &pgx.Batch{}
	ordertx.QueueLock(b, orderID, &r)
	b.Queue(`select from delivery.jobs where order_id = $1 for update`, orderID)
	b.Queue(`select `+offerColumns+` from delivery.offers where order_id = $1 and partner_id = $2 order by seq desc limit 1
		for update`, orderID, partner).Query(func(rows pgx.Rows) (err error) {
		o, err = oneOffer(rows, nil)
		return err
	})
	err = tx.SendBatch(ctx, b).Close()
	return r, o, err
}

// accept binds a rider to the order offered to them: errOfferGone when it ended or its time is over. fresh is false when
// they had accepted it before.
func (s *store) accept(ctx context.Context, orderID, partner string) (a assigned, fresh bool, err error) {
	db, err := s.shards.ByID(partner)
	if err != nil {
		return assigned{}, false, err
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		fresh = false
		if a.record, a.offer, err = lockOffer(ctx, tx, orderID, partner); err != nil {
			return err
		}
		switch {
		case a.offer.status.Carrying():
			return nil
		case a.offer.status != delivery.Offered || a.offer.overdue:
			return errOfferGone
		}
		fresh = true
		return s.writeAccept(ctx, tx, &a)
	})
	if err != nil {
		return a, false, err
	}
	if fresh {
		s.metrics.count(delivery.Accepted, 1)
	}
	return a, fresh, a.record.Open(s.shards.Keys())
}

// writeAccept writes an acceptance: the order leaves the queue, the offer becomes an assignment, the rider carries.
func (s *store) writeAccept(ctx context.Context, tx pgx.Tx, a *assigned) error {
	b := &pgx.Batch{}
	// The moment the order was read under its lock is the moment of the acceptance, in the row and in the event.
	at := a.record.ReadAt
	a.offer.status, a.offer.acceptedAt = delivery.Accepted, &at
	b.Queue(`delete from delivery.jobs where order_id = $1`, a.offer.order)
	b.Queue(`update delivery.offers set status = 'accepted', accepted_at = $3 where order_id = $1 and seq = $2`,
		a.offer.order, a.offer.seq, at)
	b.Queue(`update delivery.partners set carrying = true, lapses = 0, silent = false, seen_at = now(), updated_at = now()
		where id = $1`, a.offer.partner)
	if err := queueAccepted(ctx, b, a.record, a.offer.partner); err != nil {
		return err
	}
	return tx.SendBatch(ctx, b).Close()
}

// endOffer ends an open offer as declined, expired or withdrawn, frees the rider, and asks the next one in the same
// transaction. It returns errOfferGone when the offer is not open any more, or for expired, when its time is not over.
func (s *store) endOffer(ctx context.Context, orderID, partner string, how delivery.AssignmentStatus) (a assigned, err error) {
	db, err := s.shards.ByID(partner)
	if err != nil {
		return assigned{}, err
	}
	passed := 0
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if a.record, a.offer, err = lockOffer(ctx, tx, orderID, partner); err != nil {
			return err
		}
		if a.offer.status != delivery.Offered || (how == delivery.Expired) != a.offer.overdue && how != delivery.Withdrawn {
			return errOfferGone
		}
		a.offer.status = how
		if err := s.freeRider(ctx, tx, a.offer, how); err != nil {
			return err
		}
		passed, err = s.passOn(ctx, tx, &a)
		return err
	})
	if err == nil {
		s.metrics.count(how, 1)
		s.metrics.count(delivery.Offered, passed)
	}
	return a, err
}

// freeRider ends the offer's row and frees its rider. Expiries in a row are counted; any other answer ends the row.
func (s *store) freeRider(ctx context.Context, tx pgx.Tx, o offer, how delivery.AssignmentStatus) error {
	b := &pgx.Batch{}
	b.Queue(byDistanceSQL) // for the search that follows
	b.Queue(`update delivery.offers set status = $3, ended_at = now() where order_id = $1 and seq = $2`, o.order, o.seq, string(how))
	switch how {
	case delivery.Expired:
		b.Queue(`update delivery.partners set order_id = null, updated_at = now(),
				available = available and lapses + 1 < $2, lapses = (lapses + 1) % $2 where id = $1`, o.partner, maxLapses)
	case delivery.Declined:
		b.Queue(`update delivery.partners set order_id = null, updated_at = now(),
				lapses = 0, silent = false, seen_at = now() where id = $1`, o.partner)
	default: // withdrawn, because the rider stops working
		b.Queue(`update delivery.partners set order_id = null, updated_at = now(),
				available = false, silent = false, seen_at = now() where id = $1`, o.partner)
	}
	return tx.SendBatch(ctx, b).Close()
}

// passOn offers the order to the next rider, or lets it wait. It returns how many offers it made.
func (s *store) passOn(ctx context.Context, tx pgx.Tx, a *assigned) (made int, err error) {
	next, err := s.next(ctx, tx, a.offer.order, a.offer.partner)
	if err != nil {
		return 0, err
	}
	b := &pgx.Batch{}
	if next != "" {
		made = 1
		err = s.queueOffers(ctx, b, ordertx.Offer{Record: a.record, PartnerID: next})
	} else {
		b.Queue(`update delivery.jobs set offered = false where order_id = $1`, a.offer.order)
		err = ordertx.ClearRider(ctx, b, a.record, reasonOf(a.offer.status))
	}
	if err != nil {
		return 0, err
	}
	return made, tx.SendBatch(ctx, b).Close()
}

// overdue lists the open offers of a region whose time is over, the oldest first.
func (s *store) overdue(ctx context.Context, region shard.Region) (list []offer, err error) {
	db, err := s.shards.ByRegion(region)
	if err != nil {
		return nil, err
	}
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select `+offerColumns+` from delivery.offers
			where status = 'offered' and region = $1 and expires_at <= clock_timestamp() order by expires_at limit 500`, region)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, scanOffer)
		return err
	})
	return list, err
}
