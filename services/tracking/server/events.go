package server

import (
	"context"
	"encoding/json"
	"strconv"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/tracking"
)

// eventWorkers handle events side by side. Nothing here depends on their order: what has ended stays ended by the mark
// release.lua leaves, phases only go forward, and edges put updates in order by seq.
const eventWorkers = 8

// subjects are the events tracking follows: all that can happen to an order but its beginning, which nobody can be
// watching for. Who watches an order has read it, and it was there by then.
var subjects = []string{
	"events." + order.EventAssigned + ".>", "events." + order.EventStatus + ".>", "events.delivery.>",
}

// consume keeps Redis and the edges informed of what happens to orders, until ctx ends.
func (s *Server) consume(ctx context.Context) error {
	return micro.Consume(ctx, s.cfg.JS, micro.ConsumerConfig{
		Durable: tracking.ServiceName, Filters: subjects,
		MaxAckPending: 1024, Workers: eventWorkers, Handler: s.handle, Log: s.cfg.Log, Metrics: s.cfg.Metrics, Traces: s.cfg.Traces,
	})
}

// fact is what tracking reads of any event. Bodies carry more, and other types of events may come to be.
type fact struct {
	EventType         string  `json:"eventType"`
	OrderID           string  `json:"orderId"`
	DeliveryPartnerID *string `json:"deliveryPartnerId"`
	To                string  `json:"to"`
	Seq               int64   `json:"seq"`
}

// handle applies one event. It may see an event twice and in any order. An error brings the event back later, which is
// how updates survive an absence of Redis or of the order's shard.
func (s *Server) handle(ctx context.Context, e micro.Event) error {
	var f fact
	if err := json.Unmarshal(e.Payload, &f); err != nil {
		return micro.Poison(err)
	}
	if !tracking.ValidID(f.OrderID) {
		return micro.Poison(micro.E(micro.CodeInvalid, "event without an order"))
	}
	ctx = asService(ctx)
	if err := s.follow(ctx, f); err != nil {
		return err
	}
	return s.tell(ctx, f.OrderID, seqOf(f, e))
}

// follow keeps track of what riders carry.
func (s *Server) follow(ctx context.Context, f fact) error {
	status := f.EventType == order.EventStatus
	switch {
	case status && order.Status(f.To).Terminal():
		return s.endOrder(ctx, f)
	case f.DeliveryPartnerID == nil:
		return nil
	case f.EventType == delivery.EventAccepted, status && order.Status(f.To) == order.PickedUp:
		return s.refresh(ctx, *f.DeliveryPartnerID)
	default:
		return nil
	}
}

// endOrder releases whoever carried an order that is over: the rider the event names, and the one Redis remembers, who
// may be somebody else when the order ended without a rider.
func (s *Server) endOrder(ctx context.Context, f fact) error {
	carrier, err := s.store.carrier(ctx, f.OrderID)
	if err != nil {
		return err
	}
	if f.DeliveryPartnerID != nil && *f.DeliveryPartnerID != carrier {
		if err := s.end(ctx, f.OrderID, *f.DeliveryPartnerID); err != nil {
			return err
		}
	}
	if carrier == "" {
		return nil
	}
	return s.end(ctx, f.OrderID, carrier)
}

// seqOf finds the order's seq: in the body where the contract has it, else in a header. 0 means the event is no change
// of the order.
func seqOf(f fact, e micro.Event) int64 {
	if f.Seq > 0 {
		return f.Seq
	}
	seq, err := strconv.ParseInt(e.Headers[order.HeaderSeq], 10, 64)
	if err != nil {
		return 0
	}
	return seq
}

// tell publishes a change of an order to the edges that have somebody watching. The row itself is read, because the
// bodies of events do not carry all that clients are shown. Nobody can slip through between the look and the publish:
// an edge subscribes first and reads the order's state afterwards, and the row was committed before its event.
func (s *Server) tell(ctx context.Context, orderID string, seq int64) error {
	if seq == 0 {
		return nil
	}
	watched, err := s.store.watched(ctx, orderID)
	if err != nil || !watched {
		return err
	}
	since := seq - 1
	state, err := s.orders.Updates(ctx, orderID, &since)
	if err != nil {
		return err
	}
	for _, u := range state.Updates {
		if err := s.store.announce(ctx, u); err != nil {
			return err
		}
	}
	return nil
}
