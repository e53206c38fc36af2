package server

import (
	"cmp"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// filter says which orders a list holds. Empty fields do not narrow it.
type filter struct {
	customer, owner, partner string
	restaurant, city         string
	status                   order.Status
	after                    string // the id behind which the page begins
	limit                    int
}

// list answers a page. What was asked for is first narrowed to what the actor may see, so that no filter can widen it.
func (s *Server) list(ctx context.Context, req order.ListRequest) (order.ListResponse, error) {
	actor := micro.ActorFrom(ctx)
	after, err := decodeCursor(req.Cursor)
	if err != nil {
		return order.ListResponse{}, err
	}
	f := filter{
		customer: req.CustomerID, restaurant: req.RestaurantID, status: req.Status,
		after: after, limit: cmp.Or(req.Limit, order.DefaultLimit),
	}
	if err := f.restrict(actor); err != nil {
		return order.ListResponse{}, err
	}
	home, regions, err := s.regions(ctx, &f, req.City)
	if errors.Is(err, shard.ErrBadID) {
		return order.ListResponse{Orders: []order.Order{}}, nil
	}
	if err != nil {
		return order.ListResponse{}, err
	}
	sources := s.store.sources(regions)
	if actor.Role != auth.RoleCustomer && actor.Role != auth.RoleOwner && actor.Role != auth.RoleRider {
		// People look at what they have just done; administrators, mostly, at what others did.
		sources = stale(sources)
	}
	return s.gather(ctx, home, sources, f)
}

// restrict narrows a list to what the actor may see.
func (f *filter) restrict(actor micro.Actor) error {
	switch actor.Role {
	case auth.RoleAdmin, micro.RoleOperator, micro.RoleService:
	case auth.RoleCustomer:
		if f.customer != "" && f.customer != actor.ID {
			return micro.Forbidden("customers list their own orders")
		}
		f.customer = actor.ID
	case auth.RoleOwner:
		f.owner = actor.ID
	case auth.RoleRider:
		f.partner = actor.ID
	default:
		return micro.E(micro.CodeUnauthenticated, "sign in to list orders")
	}
	return nil
}

// regions are those in which orders of a list remain to be looked for: one when a city is named or a rider asks, where
// somebody ever had orders when it is a customer's or an owner's, of whose home region the page is read already, and all
// of them otherwise.
func (s *Server) regions(ctx context.Context, f *filter, city string) (home []order.Order, remain []shard.Region, err error) {
	router := s.cfg.Shards.Router()
	switch {
	case city != "":
		route := router.RouteCity(city)
		_, f.city = cityOf(route, city)
		return nil, []shard.Region{route.Region}, nil
	case f.partner != "":
		region, err := router.RegionOf(f.partner)
		return nil, []shard.Region{region}, err
	case f.owner != "":
		return s.store.atHome(ctx, f.owner, *f)
	case f.customer != "":
		// Also an administrator's filter: it may name anybody, and anything.
		return s.store.atHome(ctx, f.customer, *f)
	default:
		return nil, router.Regions(), nil
	}
}

// gather reads a page from every source at once and merges them with one that was read before. A source that cannot be
// asked fails the list: a page with a hole would look like orders that do not exist.
func (s *Server) gather(ctx context.Context, before []order.Order, sources []source, f filter) (order.ListResponse, error) {
	pages := make([][]order.Order, len(sources), len(sources)+1)
	group, ctx := errgroup.WithContext(ctx)
	for i, from := range sources {
		group.Go(func() (err error) {
			pages[i], err = s.store.page(ctx, from, f)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return order.ListResponse{}, err
	}
	merged := merge(append(pages, before), f.limit+1)
	if len(merged) <= f.limit {
		return order.ListResponse{Orders: merged}, nil
	}
	merged = merged[:f.limit]
	cursor, err := encodeCursor(merged[f.limit-1].ID)
	return order.ListResponse{Orders: merged, NextCursor: cursor}, err
}

// merge takes the first n of several lists that are newest first.
func merge(pages [][]order.Order, n int) []order.Order {
	merged := make([]order.Order, 0, n)
	for len(merged) < n {
		newest := -1
		for i, page := range pages {
			if len(page) > 0 && (newest < 0 || page[0].ID > pages[newest][0].ID) {
				newest = i
			}
		}
		if newest < 0 {
			break
		}
		merged = append(merged, pages[newest][0])
		pages[newest] = pages[newest][1:]
	}
	return merged
}

// page reads up to one more order than the limit from one shard, to know whether there is more.
func (s *store) page(ctx context.Context, from source, f filter) (orders []order.Order, err error) {
	sql, args := f.query(from.regions)
	err = from.db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, sql, args...)
		if err != nil {
			return err
		}
		orders, err = s.orderPage(rows, f)
		return err
	})
	return orders, err
}

// orderPage reads the rows of a page.
func (s *store) orderPage(rows pgx.Rows, f filter) ([]order.Order, error) {
	return pgx.AppendRows(make([]order.Order, 0, f.limit+1), rows, func(row pgx.CollectableRow) (order.Order, error) {
		r, err := ordertx.Scan(row)
		if err != nil {
			return order.Order{}, err
		}
		err = r.Open(s.shards.Keys())
		return r.Order, err
	})
}
