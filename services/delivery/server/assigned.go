package server

import (
	"context"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard/outbox"
	"tiffin/wire"
)

// assigned is an offer with its order.
type assigned struct {
	offer  offer
	record *ordertx.Record
}

// view is what a rider sees.
func (a assigned) view() delivery.Assignment {
	r := a.record
	v := delivery.Assignment{
		OrderID:        a.offer.order,
		PartnerID:      a.offer.partner,
		Status:         a.offer.status,
		OfferedAt:      wire.At(a.offer.offeredAt),
		OfferExpiresAt: wire.At(a.offer.expiresAt),
		Order:          r.Order,
		Restaurant:     r.Restaurant,
		Dropoff:        delivery.Dropoff{Address: r.Order.DeliveryAddress, Latitude: r.Order.Latitude, Longitude: r.Order.Longitude},
	}
	if a.offer.acceptedAt != nil {
		at := wire.At(*a.offer.acceptedAt)
		v.AcceptedAt = &at
	}
	return v
}

// queueAccepted queues the event of an acceptance.
func queueAccepted(ctx context.Context, b *pgx.Batch, r *ordertx.Record, partner string) error {
	return outbox.Queue(b, ordertx.Event(ctx, r, delivery.EventAccepted, delivery.AcceptedEvent{
		EventType:         delivery.EventAccepted,
		OrderID:           r.Order.ID,
		DeliveryPartnerID: partner,
		CustomerID:        r.Order.CustomerID,
		Timestamp:         wire.At(r.ReadAt),
	}))
}

// reasonOf is what the event says when an offer ended and nobody is left to be asked.
func reasonOf(how delivery.AssignmentStatus) string {
	switch how {
	case delivery.Declined:
		return order.ReasonDeclined
	case delivery.Expired:
		return order.ReasonExpired
	default:
		return order.ReasonWithdrawn
	}
}
