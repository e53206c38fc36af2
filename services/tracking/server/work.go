package server

import (
	"context"
	"time"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/tracking"
)

// workOn says where a rider in the given phase goes next.
func workOn(orderID, phase string, restaurant, dropoff tracking.Point) work {
	if phase == tracking.PhasePickedUp {
		return work{order: orderID, phase: phase, next: &dropoff}
	}
	return work{order: orderID, phase: phase, next: &restaurant, leg: tracking.Distance(restaurant, dropoff)}
}

// begin records what a rider carries, and shows the customer at once where the rider was last.
func (s *Server) begin(ctx context.Context, partner string, w work) error {
	last, err := s.store.setWork(ctx, partner, w)
	if err != nil {
		return micro.Unavailable(err, "tracking is unavailable")
	}
	if last == nil || w.phase == tracking.PhaseOffered || w.order == "" || s.cfg.Clock().Sub(last.at) > tracking.MaxAge {
		return nil
	}
	if _, err := s.committer.record(ctx, last); err != nil {
		return micro.Unavailable(err, "tracking is unavailable")
	}
	return nil
}

// end stops showing a rider for an order.
func (s *Server) end(ctx context.Context, orderID, partner string) error {
	if err := s.store.endWork(ctx, orderID, partner); err != nil {
		return micro.Unavailable(err, "tracking is unavailable")
	}
	return nil
}

// refresh asks delivery what a rider carries and records the answer.
func (s *Server) refresh(ctx context.Context, partner string) error {
	ctx, cancel := context.WithTimeout(asService(ctx), 2*time.Second)
	defer cancel()
	a, err := s.delivery.Current(ctx, partner)
	if err != nil {
		return err
	}
	return s.begin(ctx, partner, workOf(a))
}

// workOf reads delivery's answer: what is not accepted or picked up is no reason to show anybody.
func workOf(a *delivery.Assignment) work {
	if a == nil {
		return work{}
	}
	phase := string(a.Status)
	switch phase {
	case tracking.PhaseOffered, tracking.PhaseAccepted, tracking.PhasePickedUp:
	default:
		return work{}
	}
	return workOn(a.OrderID, phase,
		tracking.Point{Latitude: a.Restaurant.Latitude, Longitude: a.Restaurant.Longitude},
		tracking.Point{Latitude: a.Dropoff.Latitude, Longitude: a.Dropoff.Longitude})
}

// asService speaks in the service's own name: the rider's position is the rider's business, but what it means for others
// is not theirs to decide.
func asService(ctx context.Context) context.Context {
	return micro.WithActor(ctx, micro.Actor{Role: micro.RoleService, ID: tracking.ServiceName})
}
