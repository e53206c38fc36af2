package server

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/services/delivery"
	"tiffin/shard"
)

// overviewTTL is how long counts are shown before they are counted again: every open operations page asks for them.
const overviewTTL = 2 * time.Second

// overviewCache holds the last figures. Its lock makes those who ask at once count once.
type overviewCache struct {
	mu    sync.Mutex
	at    time.Time
	value delivery.Overview
}

// counts answers the overview, from memory when it was counted just now.
func (s *Server) counts(ctx context.Context, _ delivery.OverviewRequest) (delivery.Overview, error) {
	if err := internalOnly(ctx); err != nil {
		return delivery.Overview{}, err
	}
	s.overview.mu.Lock()
	defer s.overview.mu.Unlock()
	if age := s.cfg.Clock().Sub(s.overview.at); age >= 0 && age < overviewTTL {
		return s.overview.value, nil
	}
	value := s.store.overview(ctx)
	if ctx.Err() != nil {
		return delivery.Overview{}, ctx.Err()
	}
	s.overview.at, s.overview.value = s.cfg.Clock(), value
	return value, nil
}

// homes are the regions by the shard that they live on. Naming them keeps what a region left behind when it moved out
// of counts and lists.
func (s *store) homes() map[string][]shard.Region {
	regions := map[string][]shard.Region{}
	router := s.shards.Router()
	for _, region := range router.Regions() {
		if id, known := router.ShardOf(region); known {
			regions[id] = append(regions[id], region)
		}
	}
	return regions
}

// figures are what one shard contributes.
type figures struct {
	riders  map[delivery.RiderState]int64
	waiting int64
	oldest  float64
}

// overview counts on every shard at once. A shard that does not answer is named instead of failing the page: an
// operator needs the page most when something is down.
func (s *store) overview(ctx context.Context) delivery.Overview {
	regions := s.homes()
	shards := s.shards.All()
	counted := make([]figures, len(shards))
	errs := make([]error, len(shards))
	var group sync.WaitGroup
	for i, db := range shards {
		group.Go(func() { counted[i], errs[i] = s.figures(ctx, db, regions[db.ID()]) })
	}
	group.Wait()
	total := delivery.Overview{Riders: map[delivery.RiderState]int64{}, Unavailable: []string{}}
	for _, state := range riderStates() {
		total.Riders[state] = 0
	}
	for i, db := range shards {
		if errs[i] != nil {
			total.Unavailable = append(total.Unavailable, db.ID())
			continue
		}
		for state, n := range counted[i].riders {
			total.Riders[state] += n
		}
		total.Waiting += counted[i].waiting
		total.OldestWait = max(total.OldestWait, counted[i].oldest)
	}
	return total
}

// riderStates lists every state, so that the overview shows zeros instead of holes.
func riderStates() []delivery.RiderState {
	return []delivery.RiderState{
		delivery.RiderOffline, delivery.RiderSilent, delivery.RiderFree, delivery.RiderOffered, delivery.RiderCarrying,
	}
}

// riderState tells what a rider is doing; $2 is the silent TTL. The states are tried in this order: who carries an order
// is carrying, whatever else is true of them.
const riderState = `case when carrying then 'carrying' when order_id is not null then 'offered'
	when not available then 'offline' when silent or seen_at <= now() - $2::interval then 'silent' else 'free' end`

// figures counts on one shard in one round trip.
func (s *store) figures(ctx context.Context, db *shard.DB, regions []shard.Region) (f figures, err error) {
	err = db.Stale().Do(ctx, func(ctx context.Context, q shard.Querier) error {
		f = figures{riders: map[delivery.RiderState]int64{}}
		b := &pgx.Batch{}
		b.Queue(`select `+riderState+`, count(*)
			from delivery.partners where region = any($1) group by 1`, regions, s.silentTTL).
			Query(func(rows pgx.Rows) error {
				var state delivery.RiderState
				var n int64
				_, err := pgx.ForEachRow(rows, []any{&state, &n}, func() error {
					f.riders[state] = n
					return nil
				})
				return err
			})
		b.Queue(`select count(*), coalesce(extract(epoch from now() - min(created_at)), 0)::float8
			from delivery.jobs where region = any($1) and not offered`, regions).
			QueryRow(func(row pgx.Row) error { return row.Scan(&f.waiting, &f.oldest) })
		return q.SendBatch(ctx, b).Close()
	})
	return f, err
}
