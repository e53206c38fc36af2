package server

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
	"tiffin/shard"
	"tiffin/wire"
)

// overviewTTL is how long counts are shown before they are counted again. Every open operations page asks each second
// or two; counting millions of orders for each of them would be felt by those who order.
const overviewTTL = 2 * time.Second

// patience is how long an order may stay in a state before somebody should look at it. Pending orders expire by
// themselves; one that is pending still, well after its deadline, means that nobody runs the expiry.
var patience = map[order.Status]time.Duration{
	order.Confirmed: 30 * time.Minute,
	order.Preparing: 60 * time.Minute,
	order.Ready:     30 * time.Minute,
	order.PickedUp:  90 * time.Minute,
}

// expiryPatience is how long after its deadline a pending order counts as stuck.
const expiryPatience = time.Minute

// overviewCache holds the last figures. Its lock makes those who ask at once count once.
type overviewCache struct {
	mu    sync.Mutex
	at    time.Time
	value order.Overview
}

// counts answers the overview, from memory when it was counted just now.
func (s *Server) counts(ctx context.Context, _ order.OverviewRequest) (order.Overview, error) {
	switch micro.ActorFrom(ctx).Role {
	case auth.RoleAdmin, micro.RoleOperator, micro.RoleService:
	default:
		return order.Overview{}, micro.Forbidden("the overview is for administrators")
	}
	s.overview.mu.Lock()
	defer s.overview.mu.Unlock()
	if time.Since(s.overview.at) < overviewTTL {
		return s.overview.value, nil
	}
	value, err := s.store.overview(ctx)
	if err != nil {
		return order.Overview{}, err
	}
	s.overview.at, s.overview.value = time.Now(), value
	return value, nil
}

// overview counts on every shard at once. A shard that does not answer is named instead of failing the page: an
// operator needs the page most when something is down.
func (s *store) overview(ctx context.Context) (order.Overview, error) {
	sources := stale(s.sources(s.shards.Router().Regions()))
	figures := make([]figures, len(sources))
	errs := make([]error, len(sources))
	var group sync.WaitGroup
	for i, from := range sources {
		group.Go(func() { figures[i], errs[i] = s.figures(ctx, from) })
	}
	group.Wait()
	total := order.Overview{Orders: none(), Stuck: []order.Stuck{}, Unavailable: []string{}, Shards: map[string]order.ShardFigures{}}
	for i, from := range sources {
		if errs[i] != nil {
			total.Unavailable = append(total.Unavailable, from.db.ID())
			continue
		}
		for status, n := range figures[i].counts {
			total.Orders[status] += n
		}
		total.Stuck = append(total.Stuck, figures[i].stuck...)
		total.StuckTotal += figures[i].stuckTotal
		total.Shards[from.db.ID()] = order.ShardFigures{Orders: figures[i].counts, StuckTotal: figures[i].stuckTotal}
	}
	slices.SortFunc(total.Stuck, func(a, b order.Stuck) int { return a.UpdatedAt.Compare(b.UpdatedAt.Time) })
	total.Stuck = total.Stuck[:min(len(total.Stuck), order.StuckShown)]
	return total, ctx.Err()
}

// none is a count of no orders, in which every state is present.
func none() map[order.Status]int64 {
	counts := make(map[order.Status]int64, len(order.Statuses()))
	for _, status := range order.Statuses() {
		counts[status] = 0
	}
	return counts
}

// figures are what one shard contributes.
type figures struct {
	counts     map[order.Status]int64
	stuck      []order.Stuck
	stuckTotal int64
}

// figures counts on one shard in one round trip.
func (s *store) figures(ctx context.Context, from source) (f figures, err error) {
	err = from.db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		f = figures{counts: none()}
		b := &pgx.Batch{}
		b.Queue(`select status, count(*) from orders.orders where region = any($1) group by status`, from.regions).
			Query(func(rows pgx.Rows) error {
				var status order.Status
				var n int64
				_, err := pgx.ForEachRow(rows, []any{&status, &n}, func() error {
					f.counts[status] = n
					return nil
				})
				return err
			})
		b.Queue(stuckSQL, from.regions, order.StuckShown, patience[order.Confirmed], patience[order.Preparing],
			patience[order.Ready], patience[order.PickedUp], expiryPatience).
			Query(func(rows pgx.Rows) error {
				var one order.Stuck
				var at time.Time
				_, err := pgx.ForEachRow(rows, []any{&one.OrderID, &one.Status, &one.City, &at, &f.stuckTotal}, func() error {
					one.UpdatedAt = wire.At(at)
					f.stuck = append(f.stuck, one)
					return nil
				})
				return err
			})
		return q.SendBatch(ctx, b).Close()
	})
	return f, err
}

// stuckSQL asks each live state for itself, so that the index by state finds the few live orders among all.
const stuckSQL = `
	select id::text, status, city, updated_at, count(*) over () from (
		select * from orders.orders where status = 'confirmed' and updated_at < now() - $3::interval
		union all
		select * from orders.orders where status = 'preparing' and updated_at < now() - $4::interval
		union all
		select * from orders.orders where status = 'ready' and updated_at < now() - $5::interval
		union all
		select * from orders.orders where status = 'picked_up' and updated_at < now() - $6::interval
		union all
		select * from orders.orders where status = 'pending' and accept_by < now() - $7::interval
	) live
	where region = any($1)
	order by updated_at limit $2`
