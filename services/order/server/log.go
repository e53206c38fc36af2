package server

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
	"tiffin/wire"
)

// entry is one row of an order's log.
type entry struct {
	seq       int64
	kind      string
	from      *order.Status
	to        order.Status
	partner   *string
	actorID   string
	actorRole string
	reason    string
	at        wire.Time
}

// history returns an order and its transitions, oldest first.
func (s *store) history(ctx context.Context, id string) (*ordertx.Record, []order.HistoryEntry, error) {
	r, entries, err := s.withLog(ctx, id, 0)
	shown := make([]order.HistoryEntry, 0, len(entries))
	for _, e := range entries {
		if e.kind == ordertx.KindTransition {
			shown = append(shown, order.HistoryEntry{
				From: e.from, To: e.to, ActorID: e.actorID, ActorRole: e.actorRole, Reason: e.reason, At: e.at,
			})
		}
	}
	return r, shown, err
}

// updates returns an order and its changes after since, in order; none when since is nil.
func (s *store) updates(ctx context.Context, id string, since *int64) (*ordertx.Record, []order.Update, error) {
	if since == nil {
		r, err := s.read(ctx, id)
		return r, []order.Update{}, err
	}
	r, entries, err := s.withLog(ctx, id, *since)
	updates := make([]order.Update, 0, len(entries))
	for _, e := range entries {
		updates = append(updates, order.Update{
			OrderID: id, Seq: e.seq, Status: e.to, DeliveryPartnerID: e.partner,
			EstimatedDeliveryTime: r.Order.EstimatedDeliveryTime, Timestamp: e.at,
		})
	}
	return r, updates, err
}

// withLog reads an order and its log after since in one round trip. The order is read first: the log read after it is
// complete up to the order's seq, and what it has beyond that is cut off, so that the two always fit together.
func (s *store) withLog(ctx context.Context, id string, since int64) (r *ordertx.Record, entries []entry, err error) {
	db, err := s.home(id)
	if err != nil {
		return nil, nil, err
	}
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		b := &pgx.Batch{}
		ordertx.QueueRead(b, id, &r)
		b.Queue(`select seq, kind, from_status, to_status, partner_id::text, actor_id, actor_role, reason, at
			from orders.history where order_id = $1 and seq > $2 order by seq`, id, since).
			Query(func(rows pgx.Rows) (err error) {
				entries, err = pgx.CollectRows(rows, scanEntry)
				return err
			})
		if err := q.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
		return r.Open(s.shards.Keys())
	})
	for err == nil && len(entries) > 0 && entries[len(entries)-1].seq > r.Seq {
		entries = entries[:len(entries)-1]
	}
	return r, entries, err
}

// scanEntry reads one row of the log.
func scanEntry(row pgx.CollectableRow) (e entry, err error) {
	var at time.Time
	err = row.Scan(&e.seq, &e.kind, &e.from, &e.to, &e.partner, &e.actorID, &e.actorRole, &e.reason, &at)
	e.at = wire.At(at)
	return e, err
}
