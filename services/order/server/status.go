package server

import (
	"context"
	"errors"
	"time"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/services/tracking"
)

// hintTimeout bounds what a request spends on telling the tracking service what its events will tell anyway.
const hintTimeout = 250 * time.Millisecond

// status moves an order for the actor. The role is judged before the order is even read, because that answer is the same for
// every order; whether it is theirs to see, and what its state allows, is judged under the order's lock, or on what it was
// when it was read if it still is that when the change is written.
func (s *Server) status(ctx context.Context, req order.StatusRequest) (order.Order, error) {
	actor := micro.ActorFrom(ctx)
	if !order.MayEver(actor.Role, req.Status) {
		return order.Order{}, micro.Forbidden("your role may not make an order %s", req.Status)
	}
	var holder deliverytx.Holder
	changed := false
	decide := func(r *ordertx.Record, h deliverytx.Holder) (*change, error) {
		holder, changed = h, false
		if !r.Parties().MayRead(actor) {
			return nil, errNoOrder()
		}
		var err error
		if changed, err = judge(r, h, actor, req.Status); !changed {
			return nil, err
		}
		return &change{to: req.Status, by: ordertx.By{ID: actor.ID, Role: actor.Role, Reason: req.Reason}}, nil
	}
	move := s.store.move
	if inKitchen(actor, req.Status) {
		move = s.store.moveTogether
	}
	r, err := move(ctx, req.ID, decide)
	if errors.Is(err, ordertx.ErrChanged) {
		r, err = s.store.move(ctx, req.ID, decide)
	}
	if errors.Is(err, ordertx.ErrNotFound) {
		return order.Order{}, errNoOrder()
	}
	if err != nil {
		return order.Order{}, err
	}
	if changed {
		s.metrics.moved(req.Status)
		if r.Order.Status.Terminal() && holder.PartnerID != "" {
			s.bells.ring(r.Region) // the rider is free for what waits
		}
		s.hint(ctx, r, holder)
	}
	return r.Order, nil
}

// inKitchen tells whether a change is between the order and its restaurant: no rider has a say in it, and none is freed.
func inKitchen(actor micro.Actor, to order.Status) bool {
	return actor.Role != auth.RoleRider && to != order.PickedUp && !to.Terminal()
}

// judge applies the state machine, and of a rider it wants that they have accepted: being offered an order is enough to
// see it, not to carry it.
func judge(r *ordertx.Record, h deliverytx.Holder, actor micro.Actor, to order.Status) (bool, error) {
	from := r.Order.Status
	changed, err := order.Transition(from, to, actor.Role)
	waiting := actor.Role == auth.RoleRider && !h.Carries(actor.ID)
	if waiting && (changed || err != nil) {
		return false, order.Illegal(from, to, nil)
	}
	return changed, err
}

// hint tells the tracking service what the transaction did, so that the rider's very next fix is shown or hidden
// rightly. It is best effort: the events tell it again.
func (s *Server) hint(ctx context.Context, r *ordertx.Record, h deliverytx.Holder) {
	to := r.Order.Status
	if !h.Status.Carrying() || to != order.PickedUp && !to.Terminal() {
		return
	}
	ctx, cancel := context.WithTimeout(micro.WithActor(ctx, micro.Actor{ID: order.ServiceName, Role: micro.RoleService}), hintTimeout)
	defer cancel()
	var err error
	if to == order.PickedUp {
		err = s.tracking.Carry(ctx, tracking.CarryRequest{
			OrderID: r.Order.ID, DeliveryPartnerID: h.PartnerID, Phase: tracking.PhasePickedUp,
			Restaurant: &tracking.Point{Latitude: r.Restaurant.Latitude, Longitude: r.Restaurant.Longitude},
			Dropoff:    &tracking.Point{Latitude: r.Order.Latitude, Longitude: r.Order.Longitude},
		})
	} else {
		err = s.tracking.Release(ctx, tracking.ReleaseRequest{OrderID: r.Order.ID, DeliveryPartnerID: h.PartnerID})
	}
	if err != nil {
		s.log.DebugContext(ctx, "tracking did not take the hint", "order", r.Order.ID, "error", err)
	}
}
