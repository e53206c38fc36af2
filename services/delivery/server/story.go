package server

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/shard"
	"tiffin/wire"
)

// offers answers how a rider was sought for an order.
func (s *Server) offers(ctx context.Context, req delivery.OffersRequest) (delivery.OffersResponse, error) {
	if err := internalOnly(ctx); err != nil {
		return delivery.OffersResponse{}, err
	}
	list, err := s.store.offersOf(ctx, req.OrderID)
	if errors.Is(err, shard.ErrBadID) {
		list, err = []delivery.Offer{}, nil // no order has that id
	}
	return delivery.OffersResponse{Offers: list}, err
}

// offersOf reads every offer of an order, oldest first. How many there are is bounded by the time an order may wait:
// each takes at least the time of somebody's answer.
func (s *store) offersOf(ctx context.Context, orderID string) (list []delivery.Offer, err error) {
	err = s.read(ctx, orderID, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, `select seq, partner_id::text, status, offered_at, expires_at, accepted_at, ended_at
			from delivery.offers where order_id = $1 order by seq limit $2`, orderID, maxStory)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, scanStory)
		return err
	})
	return list, err
}

// maxStory bounds the offers of one order that are shown.
const maxStory = 1000

// scanStory reads one row of an order's offers.
func scanStory(row pgx.CollectableRow) (o delivery.Offer, err error) {
	var offered, expires time.Time
	var accepted, ended *time.Time
	err = row.Scan(&o.Seq, &o.PartnerID, &o.Status, &offered, &expires, &accepted, &ended)
	o.OfferedAt, o.OfferExpiresAt = wire.At(offered), wire.At(expires)
	o.AcceptedAt, o.EndedAt = atOrNil(accepted), atOrNil(ended)
	return o, err
}

// atOrNil keeps what has not happened absent.
func atOrNil(t *time.Time) *wire.Time {
	if t == nil {
		return nil
	}
	at := wire.At(*t)
	return &at
}
