package server

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// assignments answers the current assignment, or a page of the past ones.
func (s *Server) assignments(ctx context.Context, req delivery.AssignmentsRequest) (delivery.AssignmentsResponse, error) {
	partner, err := s.rider(ctx)
	if err != nil {
		return delivery.AssignmentsResponse{}, err
	}
	if req.History {
		return s.past(ctx, partner, req)
	}
	res := delivery.AssignmentsResponse{Assignments: []delivery.Assignment{}}
	live, err := s.live(ctx, partner)
	if live != nil {
		res.Assignments = append(res.Assignments, *live)
	}
	return res, err
}

// current tells services what a rider is bound to: it is how tracking knows whose position to show to whom.
func (s *Server) current(ctx context.Context, req delivery.CurrentRequest) (delivery.CurrentResponse, error) {
	if err := internalOnly(ctx); err != nil {
		return delivery.CurrentResponse{}, err
	}
	live, err := s.live(ctx, req.PartnerID)
	if errors.Is(err, shard.ErrBadID) {
		err = nil // nobody of that id can be bound to anything
	}
	return delivery.CurrentResponse{Assignment: live}, err
}

// live returns what binds a rider now, nil for nothing.
func (s *Server) live(ctx context.Context, partner string) (*delivery.Assignment, error) {
	var list []assigned
	err := s.store.read(ctx, partner, func(ctx context.Context, q shard.Querier) (err error) {
		list, err = s.store.withOrders(ctx, q, `select `+offerColumns+` from delivery.offers
			where partner_id = $1 and status in ('offered', 'accepted', 'picked_up')`, partner)
		return err
	})
	if err != nil || len(list) == 0 {
		return nil, err
	}
	view := list[0].view()
	return &view, nil
}

// past lists what a rider was offered, newest first.
func (s *Server) past(ctx context.Context, partner string, req delivery.AssignmentsRequest) (delivery.AssignmentsResponse, error) {
	after, err := decodeCursor(req.Cursor)
	if err != nil {
		return delivery.AssignmentsResponse{}, err
	}
	limit := cmp.Or(req.Limit, order.DefaultLimit)
	db, err := s.store.shards.ByID(partner)
	if err != nil {
		return delivery.AssignmentsResponse{}, err
	}
	if req.Cursor != "" {
		db = db.Stale() // what a rider has just done is on the first page
	}
	var list []assigned
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) (err error) {
		list, err = s.store.withOrders(ctx, q, `select `+offerColumns+` from delivery.offers
			where partner_id = $1 and status not in ('offered', 'accepted', 'picked_up')
				and (offered_at, order_id, seq) < ($2, $3, $4)
			order by offered_at desc, order_id desc, seq desc limit $5`,
			partner, after.offeredAt, after.order, after.seq, limit+1)
		return err
	})
	if err != nil {
		return delivery.AssignmentsResponse{}, err
	}
	res := delivery.AssignmentsResponse{Assignments: make([]delivery.Assignment, 0, limit)}
	if len(list) > limit {
		list = list[:limit]
		res.NextCursor = cursorBehind(list[limit-1].offer).encode()
	}
	for _, a := range list {
		res.Assignments = append(res.Assignments, a.view())
	}
	return res, nil
}

// withOrders runs a query of offers and reads their orders, which live on the same shard.
func (s *store) withOrders(ctx context.Context, q shard.Querier, sql string, args ...any) ([]assigned, error) {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	offers, err := pgx.CollectRows(rows, scanOffer)
	if err != nil || len(offers) == 0 {
		return nil, err
	}
	ids := make([]string, len(offers))
	for i, o := range offers {
		ids[i] = o.order
	}
	records, err := ordertx.ReadAll(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	list := make([]assigned, 0, len(offers))
	for _, o := range offers {
		if r := records[o.order]; r != nil {
			if err := r.Open(s.shards.Keys()); err != nil {
				return nil, err
			}
			list = append(list, assigned{offer: o, record: r})
		}
	}
	return list, nil
}
