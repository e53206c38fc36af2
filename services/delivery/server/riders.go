package server

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/shard"
	"tiffin/wire"
)

// riders answers a page of the riders at work. The cursor is the last rider's id: the list is by id over all shards, so
// that a rider who moves, or begins and ends an order, neither shows up twice nor falls between two pages.
func (s *Server) riders(ctx context.Context, req delivery.RidersRequest) (delivery.RidersResponse, error) {
	if err := internalOnly(ctx); err != nil {
		return delivery.RidersResponse{}, err
	}
	after := uuid.Nil
	if req.Cursor != "" {
		var err error
		if after, err = uuid.Parse(req.Cursor); err != nil {
			return delivery.RidersResponse{}, errCursor()
		}
	}
	res := s.store.atWork(ctx, after.String(), cmp.Or(req.Limit, order.DefaultLimit))
	return res, ctx.Err()
}

// atWork reads a page from every shard at once and merges them.
func (s *store) atWork(ctx context.Context, after string, limit int) delivery.RidersResponse {
	regions, shards := s.homes(), s.shards.All()
	pages := make([][]delivery.Rider, len(shards))
	errs := make([]error, len(shards))
	var group sync.WaitGroup
	for i, db := range shards {
		group.Go(func() { pages[i], errs[i] = s.atWorkOn(ctx, db, regions[db.ID()], after, limit+1) })
	}
	group.Wait()
	res := delivery.RidersResponse{Riders: slices.Concat(pages...), Unavailable: []string{}}
	for i, db := range shards {
		if errs[i] != nil {
			res.Unavailable = append(res.Unavailable, db.ID())
		}
	}
	slices.SortFunc(res.Riders, func(a, b delivery.Rider) int { return strings.Compare(a.ID, b.ID) })
	if len(res.Riders) > limit {
		res.Riders = res.Riders[:limit]
		res.NextCursor = res.Riders[limit-1].ID
	}
	if res.Riders == nil {
		res.Riders = []delivery.Rider{}
	}
	return res
}

// atWorkOn reads one shard's part of a page.
func (s *store) atWorkOn(ctx context.Context, db *shard.DB, regions []shard.Region, after string, limit int) (list []delivery.Rider, err error) {
	err = db.Stale().Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, atWorkSQL, regions, s.silentTTL, after, limit)
		if err != nil {
			return err
		}
		list, err = pgx.CollectRows(rows, scanRider)
		return err
	})
	return list, err
}

// atWorkSQL walks the index of the riders at work, which is small beside all who ever registered. The order is that of
// the column: a bare id would be the text that is selected, and sorted by hand.
const atWorkSQL = `select id::text, city, latitude, longitude, ` + riderState + `, order_id::text, seen_at
	from delivery.partners
	where at_work and region = any($1) and id > $3
	order by partners.id limit $4`

// scanRider reads one row of atWorkSQL.
func scanRider(row pgx.CollectableRow) (r delivery.Rider, err error) {
	var seen time.Time
	err = row.Scan(&r.ID, &r.City, &r.Latitude, &r.Longitude, &r.State, &r.OrderID, &seen)
	r.SeenAt = wire.At(seen)
	return r, err
}
