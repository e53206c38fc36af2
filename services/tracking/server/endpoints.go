package server

import (
	"context"
	"time"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// location takes in one fix. It is the one way for the REST PATCH, the socket event and plain NATS.
func (s *Server) location(ctx context.Context, req tracking.LocationRequest) (tracking.LocationResponse, error) {
	now := s.cfg.Clock()
	f, res, err := s.arrive(micro.ActorFrom(ctx), req, now)
	if err != nil || f == nil {
		return res, err
	}
	result, err := s.record(ctx, f)
	if err != nil {
		return tracking.LocationResponse{}, err
	}
	return s.answer(result, f, now)
}

// locations takes in many: the same steps for each, with one round trip to Redis for all. Fixes of riders whom Redis does
// not know go back to be handed in one by one.
func (s *Server) locations(ctx context.Context, req tracking.LocationsRequest) (tracking.LocationsResponse, error) {
	if err := serviceOnly(ctx); err != nil {
		return tracking.LocationsResponse{}, err
	}
	now := s.cfg.Clock()
	answers := make([]tracking.FixAnswer, len(req.Fixes))
	fixes, places := make([]*fix, 0, len(req.Fixes)), make([]int, 0, len(req.Fixes))
	for i, sent := range req.Fixes {
		err := sent.Fix.Validate()
		var f *fix
		var res tracking.LocationResponse
		if err == nil {
			f, res, err = s.arrive(micro.Actor{ID: sent.ActorID, Role: sent.ActorRole}, sent.Fix, now)
		}
		if f == nil {
			answers[i] = tracking.AnswerOf(res, err)
			continue
		}
		fixes, places = append(fixes, f), append(places, i)
	}
	outcomes, err := s.committer.record(ctx, fixes...)
	if err != nil {
		return tracking.LocationsResponse{}, micro.Unavailable(err, "tracking is unavailable")
	}
	for i, result := range outcomes {
		if result == unknownRider {
			answers[places[i]].Alone = true
			continue
		}
		answers[places[i]] = tracking.AnswerOf(s.answer(result, fixes[i], now))
	}
	return tracking.LocationsResponse{Answers: answers}, nil
}

// arrive judges a fix by itself: nil and the answer when it goes no further.
func (s *Server) arrive(who micro.Actor, req tracking.LocationRequest, now time.Time) (*fix, tracking.LocationResponse, error) {
	if err := mayReport(who, req.DeliveryPartnerID); err != nil {
		return nil, tracking.LocationResponse{}, err
	}
	f := fixOf(req, now)
	if reason := tracking.ReasonAtArrival(f.at, now, req.Accuracy); reason != "" {
		s.fixes.WithLabelValues(reason).Inc()
		return nil, tracking.LocationResponse{RecordedAt: wire.At(now), Reason: reason}, nil
	}
	return f, tracking.LocationResponse{}, nil
}

// mayReport lets a rider speak for themselves and an operator for anybody. Another rider is not found, because riders
// are nobody else's to see.
func mayReport(actor micro.Actor, partner string) error {
	switch actor.Role {
	case auth.RoleRider:
		if actor.ID != partner {
			return micro.NotFound("rider")
		}
		return nil
	case micro.RoleOperator, micro.RoleService:
		return nil
	case micro.RoleAnonymous:
		return micro.E(micro.CodeUnauthenticated, "sign in as the rider to send a position")
	default:
		return micro.Forbidden("only riders send positions")
	}
}

func fixOf(req tracking.LocationRequest, now time.Time) *fix {
	f := &fix{
		partner: req.DeliveryPartnerID, order: req.OrderID, at: now,
		point:   tracking.Point{Latitude: *req.Latitude, Longitude: *req.Longitude},
		heading: req.Heading, speed: req.Speed,
	}
	if req.Timestamp != nil {
		f.at = req.Timestamp.Time
	}
	return f
}

// record commits the fix, asking delivery once for what Redis does not know.
func (s *Server) record(ctx context.Context, f *fix) (outcome, error) {
	results, err := s.committer.record(ctx, f)
	if err == nil && results[0] == unknownRider {
		if err := s.refresh(ctx, f.partner); err != nil {
			return 0, err
		}
		results, err = s.committer.record(ctx, f)
	}
	if err != nil {
		return 0, micro.Unavailable(err, "tracking is unavailable")
	}
	return results[0], nil
}

// answer words the outcome for the rider and hands accepted fixes to dispatch.
func (s *Server) answer(result outcome, f *fix, now time.Time) (tracking.LocationResponse, error) {
	res := tracking.LocationResponse{RecordedAt: wire.At(now)}
	switch {
	case result > limitedBase:
		s.fixes.WithLabelValues("limited").Inc()
		limited := micro.E(micro.CodeLimited, "positions come too fast")
		limited.RetryAfter = time.Duration(result-limitedBase) * time.Millisecond
		return res, limited
	case result == notCarrying || result == unknownRider:
		s.fixes.WithLabelValues("not_carrying").Inc()
		return res, micro.Forbidden("only the rider carrying this order may update it")
	case result == late:
		res.Reason = tracking.ReasonLate
	case result == duplicate:
		res.Reason = tracking.ReasonDuplicate
	case result == implausible:
		res.Reason = tracking.ReasonImplausible
	default:
		res.Accepted = true
		s.feed.offer(f)
		s.fixes.WithLabelValues("accepted").Inc()
		return res, nil
	}
	s.fixes.WithLabelValues(res.Reason).Inc()
	return res, nil
}

// get answers where an order's rider is. The order service judges whether the actor may know: the question is passed on
// in the actor's name. The order's own state has the last word over what Redis still holds.
func (s *Server) get(ctx context.Context, req tracking.GetRequest) (tracking.View, error) {
	state, err := s.orders.Updates(ctx, req.OrderID, nil)
	if err != nil {
		return tracking.View{}, err
	}
	view := tracking.View{
		OrderID: req.OrderID, Status: string(state.Order.Status), Seq: state.Seq,
		DeliveryPartnerID: state.Order.DeliveryPartnerID,
	}
	if !visible(state.Order) {
		return view, nil
	}
	loc, err := s.store.latest(ctx, req.OrderID)
	if err != nil {
		return tracking.View{}, micro.Unavailable(err, "tracking is unavailable")
	}
	if loc != nil && loc.DeliveryPartnerID == *view.DeliveryPartnerID {
		view.Location, view.EtaMinutes = loc, loc.EtaMinutes
	}
	return view, nil
}

// visible reports whether an order is in a state in which its rider may be seen at all. Whether the rider has accepted
// is known by whether there is a fix: only an acceptance lets one be stored.
func visible(o order.Order) bool { return o.DeliveryPartnerID != nil && !o.Status.Terminal() }

func (s *Server) carry(ctx context.Context, req tracking.CarryRequest) (tracking.Done, error) {
	if err := serviceOnly(ctx); err != nil {
		return tracking.Done{}, err
	}
	if req.Restaurant == nil || req.Dropoff == nil {
		return tracking.Done{}, s.refresh(ctx, req.DeliveryPartnerID)
	}
	w := workOn(req.OrderID, req.Phase, *req.Restaurant, *req.Dropoff)
	return tracking.Done{}, s.begin(ctx, req.DeliveryPartnerID, w)
}

func (s *Server) release(ctx context.Context, req tracking.ReleaseRequest) (tracking.Done, error) {
	if err := serviceOnly(ctx); err != nil {
		return tracking.Done{}, err
	}
	return tracking.Done{}, s.end(ctx, req.OrderID, req.DeliveryPartnerID)
}

// serviceOnly keeps hints, which decide who sees a rider, to the services that know.
func serviceOnly(ctx context.Context) error {
	switch micro.ActorFrom(ctx).Role {
	case micro.RoleService, micro.RoleOperator:
		return nil
	default:
		return micro.Forbidden("only services say what a rider carries")
	}
}
