package server

import (
	"context"
	"errors"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
)

// errNoOrder is the one answer for orders that do not exist and orders of others, so that nobody learns which it is.
func errNoOrder() error { return micro.NotFound("order") }

// visible reads an order that the actor may see.
func (s *Server) visible(ctx context.Context, id string) (*ordertx.Record, error) {
	r, err := s.store.read(ctx, id)
	return whoMay(ctx, r, err)
}

// whoMay turns an order the actor may not see into one that does not exist.
func whoMay(ctx context.Context, r *ordertx.Record, err error) (*ordertx.Record, error) {
	if errors.Is(err, ordertx.ErrNotFound) || err == nil && !r.Parties().MayRead(micro.ActorFrom(ctx)) {
		return nil, errNoOrder()
	}
	return r, err
}

// get answers one order by one read of one row.
func (s *Server) get(ctx context.Context, req order.GetRequest) (order.Order, error) {
	r, err := s.visible(ctx, req.ID)
	if err != nil {
		return order.Order{}, err
	}
	return r.Order, nil
}

// history answers the transitions only. Offers are part of the log, but who was asked is nobody's business.
func (s *Server) history(ctx context.Context, req order.HistoryRequest) (order.HistoryResponse, error) {
	r, entries, err := s.store.history(ctx, req.ID)
	if _, err = whoMay(ctx, r, err); err != nil {
		return order.HistoryResponse{}, err
	}
	return order.HistoryResponse{History: entries}, nil
}

// updates answers what a socket that was away has missed, assignments included.
func (s *Server) updates(ctx context.Context, req order.UpdatesRequest) (order.Updates, error) {
	r, updates, err := s.store.updates(ctx, req.ID, req.Since)
	if _, err = whoMay(ctx, r, err); err != nil {
		return order.Updates{}, err
	}
	return order.Updates{Order: r.Order, Seq: r.Seq, Restaurant: r.Restaurant, Updates: updates}, nil
}
