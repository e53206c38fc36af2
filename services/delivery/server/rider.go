package server

import (
	"context"
	"errors"
	"time"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order/ordertx"
	"tiffin/services/tracking"
	"tiffin/shard"
)

// hintTimeout bounds what a request spends on telling the tracking service what its events will tell anyway.
const hintTimeout = 250 * time.Millisecond

// rider returns the id of the acting rider, and counts the request as a sign of life.
func (s *Server) rider(ctx context.Context) (string, error) {
	id, err := s.acting(ctx)
	if err == nil {
		s.pulse(ctx, id)
	}
	return id, err
}

// acting returns the id of the acting rider. Whoever asks counts the request as a sign of life with heardOf, once it is
// known whether the request writes that by itself: a transaction of its own would cost as much as the request.
func (s *Server) acting(ctx context.Context) (string, error) {
	actor := micro.ActorFrom(ctx)
	if actor.Role != auth.RoleRider {
		return "", micro.Forbidden("only riders may do this")
	}
	if _, err := s.cfg.Shards.Router().RegionOf(actor.ID); err != nil {
		return "", micro.NotFound("rider")
	}
	return actor.ID, nil
}

// me answers the rider's own record.
func (s *Server) me(ctx context.Context, _ delivery.MeRequest) (delivery.Partner, error) {
	id, err := s.rider(ctx)
	if err != nil {
		return delivery.Partner{}, err
	}
	p, err := s.store.partner(ctx, id)
	return p, asKit(err)
}

// availability writes whether the rider wants to work, and has the queue looked at: either somebody is there to be asked, or
// an order has lost the one who was.
func (s *Server) availability(ctx context.Context, req delivery.AvailabilityRequest) (delivery.Partner, error) {
	id, err := s.acting(ctx)
	if err != nil {
		return delivery.Partner{}, err
	}
	if req.ID != id {
		s.heardOf(ctx, id, false)
		return delivery.Partner{}, micro.NotFound("rider")
	}
	p, err := s.store.setAvailable(ctx, id, *req.IsAvailable)
	s.heardOf(ctx, id, err == nil)
	if err != nil {
		return delivery.Partner{}, asKit(err)
	}
	// Somebody to offer waiting orders to, or an order that waits for somebody.
	s.wakeFor(id)
	return p, nil
}

// accept takes the order that was offered. Repeating it is safe, so a rider in a tunnel may press the button twice.
func (s *Server) accept(ctx context.Context, req delivery.OfferRequest) (delivery.Assignment, error) {
	partner, orderID, err := s.offerOf(ctx, req.ID)
	if err != nil {
		return delivery.Assignment{}, err
	}
	a, fresh, err := s.store.accept(ctx, orderID, partner)
	s.heardOf(ctx, partner, fresh)
	if err != nil {
		return delivery.Assignment{}, asKit(err)
	}
	if fresh {
		s.hintCarry(ctx, a)
	}
	return a.view(), nil
}

// decline gives the offer back. The order has gone to the next rider when the answer arrives.
func (s *Server) decline(ctx context.Context, req delivery.OfferRequest) (delivery.Assignment, error) {
	partner, orderID, err := s.offerOf(ctx, req.ID)
	if err != nil {
		return delivery.Assignment{}, err
	}
	a, err := s.store.endOffer(ctx, orderID, partner, delivery.Declined)
	s.heardOf(ctx, partner, err == nil)
	if err != nil {
		return delivery.Assignment{}, asKit(err)
	}
	s.wakeFor(partner) // the rider is free for what else waits
	return a.view(), nil
}

// offerOf finds which offer the acting rider means by an order's id or by their own: not_found when they were never
// offered that order, conflict when the offer is gone.
func (s *Server) offerOf(ctx context.Context, id string) (partner, orderID string, err error) {
	partner, err = s.acting(ctx)
	if err != nil {
		return "", "", err
	}
	defer func() {
		if err != nil {
			s.heardOf(ctx, partner, false)
		}
	}()
	var o offer
	if id == partner {
		o, err = s.store.liveOffer(ctx, partner)
		if errors.Is(err, errNoOffer) {
			err = errOfferGone
		}
	} else {
		if _, bad := shard.ParseID(id); bad != nil {
			return partner, "", micro.NotFound("order")
		}
		o, err = s.store.lastOffer(ctx, id, partner)
	}
	if err == nil && !o.status.Live() {
		err = errOfferGone
	}
	return partner, o.order, asKit(err)
}

// asKit gives the errors of the store the codes clients see.
func asKit(err error) error {
	switch {
	case errors.Is(err, errNoPartner):
		return micro.NotFound("rider")
	case errors.Is(err, errNoOffer), errors.Is(err, ordertx.ErrNotFound):
		return micro.NotFound("order")
	case errors.Is(err, errOfferGone):
		return micro.Conflict("the offer is gone")
	default:
		return err
	}
}

// wakeFor has the orders of a rider's region looked at.
func (s *Server) wakeFor(partner string) {
	if region, err := s.cfg.Shards.Router().RegionOf(partner); err == nil {
		s.wakes.wake(region)
	}
}

// hintCarry tells the tracking service that the rider carries the order, so that their very next fix is shown. It is
// best effort: the event tells it again.
func (s *Server) hintCarry(ctx context.Context, a assigned) {
	ctx, cancel := context.WithTimeout(micro.WithActor(ctx, micro.Actor{ID: delivery.ServiceName, Role: micro.RoleService}), hintTimeout)
	defer cancel()
	r := a.record
	err := s.tracking.Carry(ctx, tracking.CarryRequest{
		OrderID: a.offer.order, DeliveryPartnerID: a.offer.partner, Phase: tracking.PhaseAccepted,
		Restaurant: &tracking.Point{Latitude: r.Restaurant.Latitude, Longitude: r.Restaurant.Longitude},
		Dropoff:    &tracking.Point{Latitude: r.Order.Latitude, Longitude: r.Order.Longitude},
	})
	if err != nil {
		s.log.DebugContext(ctx, "tracking did not take the hint", "order", a.offer.order, "error", err)
	}
}
