package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"tiffin/e2e/product"
	"tiffin/services/geo"
	"tiffin/shard"
)

// place is a city that figures are measured in.
type place struct {
	city   string
	region shard.Region
	shard  string // its letter
	at     geo.Point
}

// The cities, each on a shard of its own: towns of different sizes can be
// measured in turn in one fleet, without one's rows being in another's way.
var (
	sanFrancisco = place{"San Francisco", "us-west", "A", geo.Point{Latitude: 37.7749, Longitude: -122.4194}}
	newYork      = place{"New York City", "us-east", "B", geo.Point{Latitude: 40.7143, Longitude: -74.006}}
	houston      = place{"Houston", "us-south", "C", geo.Point{Latitude: 29.7633, Longitude: -95.3633}}
)

// town is a city with riders at work and a past. Making it through the API
// would take a day, so its rows are written as the services write them.
type town struct {
	place
	shop shop

	riders []string // their ids
	past   int      // orders that were delivered long ago
}

// populate fills the shard of a place and opens a shop in its middle.
func populate(ctx context.Context, fleet *product.Product, router *shard.Router, at place, riders, past int) (t *town, err error) {
	t = &town{place: at, past: past}
	if t.shop, err = openShop(ctx, fleet, at); err != nil {
		return nil, err
	}
	conn, err := pgx.Connect(ctx, fleet.Env["POSTGRES_SHARD_"+at.shard+"_URL"])
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	now := time.Now()
	for range riders {
		t.riders = append(t.riders, router.NewID(at.region))
	}
	orders := make([]string, past)
	for i := range orders {
		orders[i] = agedID(router.NewID(at.region), now.Add(-time.Duration(past-i)*time.Second))
	}
	for table, ids := range map[string][]string{"new_riders": t.riders, "old_orders": orders} {
		if err := copyIDs(ctx, conn, table, ids); err != nil {
			return nil, err
		}
	}
	if err := execAll(ctx, conn, at.population()); err != nil {
		return nil, fmt.Errorf("populating %s: %w", at.city, err)
	}
	return t, ctx.Err()
}

// agedID gives an id the time it would have had: the first 48 bits of version 8
// as this fleet makes it.
func agedID(id string, at time.Time) string {
	parsed := uuid.MustParse(id)
	var stamp [8]byte
	binary.BigEndian.PutUint64(stamp[:], uint64(at.UnixMilli())<<16)
	copy(parsed[:6], stamp[:6])
	return parsed.String()
}

// copyIDs fills a temporary table (n, id), n counting from 0.
func copyIDs(ctx context.Context, conn *pgx.Conn, table string, ids []string) error {
	if _, err := conn.Exec(ctx, `create temporary table `+table+` (n bigint primary key, id uuid not null)`); err != nil {
		return err
	}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{table}, []string{"n", "id"}, pgx.CopyFromSlice(len(ids), func(i int) ([]any, error) {
		return []any{i, uuid.MustParse(ids[i])}, nil
	}))
	return err
}

// population are the statements that make riders and a past out of the ids:
// riders free and at work within some ten kilometres; orders with a line of
// history, a delivered offer and a published event each, of as many customers
// as a twentieth of the orders.
func (p place) population() []string {
	return []string{
		`set synchronous_commit = off`,
		fmt.Sprintf(`insert into delivery.partners (id, region, city, latitude, longitude, place, available)
			select id, '%s', '%s', lat, lon, public.cube(array[cosd(lat) * cosd(lon), cosd(lat) * sind(lon), sind(lat)]), true
			from (select id, %v + (random() - 0.5) * 0.15 as lat, %v + (random() - 0.5) * 0.2 as lon from new_riders) r`,
			p.region, p.city, p.at.Latitude, p.at.Longitude),
		fmt.Sprintf(`insert into orders.orders (id, region, customer_id, restaurant_id, owner_id, partner_id, status, seq, city, city_key, total,
				eta_minutes, items, address, latitude, longitude, restaurant, accept_by, created_at, updated_at)
			select o.id, '%s', c.id, 'r' || o.n %% 1000, 'o' || o.n %% 1000, r.id, 'delivered', 7, '%s', '#0', 2500, 30,
				'[{"menuItemId":"m","name":"Thali","quantity":2,"unitPrice":12.50}]', 'sealed', %v, %v,
				'{"id":"r","name":"Old Diner","address":"1 Main St","latitude":0,"longitude":0}', made.at, made.at, made.at
			from old_orders o
				join old_orders c on c.n = o.n / 20 * 20
				join new_riders r on r.n = o.n %% (select count(*) from new_riders)
				cross join lateral (select now() - interval '1 day' - o.n * interval '1 millisecond' as at) made
			order by o.n`, p.region, p.city, p.at.Latitude, p.at.Longitude),
		`insert into orders.history (order_id, seq, region, kind, from_status, to_status, partner_id, actor_id, actor_role, at)
			select id, 7, region, 'transition', 'picked_up', 'delivered', partner_id, partner_id::text, 'delivery_partner', created_at
			from orders.orders where seq = 7`,
		`insert into delivery.offers (order_id, seq, region, partner_id, status, offered_at, expires_at, accepted_at, ended_at)
			select id, 4, region, partner_id, 'delivered', created_at, created_at, created_at, created_at from orders.orders where seq = 7`,
		`insert into outbox.events (id, type, region, key, payload, created_at, sent_at, stream_seq)
			select gen_random_uuid(), 'order.status', region, id::text, '{"eventType":"order.status"}', created_at, created_at, 0
			from orders.orders where seq = 7`,
		`vacuum analyze delivery.partners, delivery.offers, orders.orders, orders.history, outbox.events`,
		`checkpoint`, // what was written here is not to be paid for while something is measured
	}
}

func execAll(ctx context.Context, conn *pgx.Conn, statements []string) error {
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// startTowns starts a fleet for towns, with limits on but out of reach, and with
// more variables if there are.
func startTowns(s stage, name string, more map[string]string) (*product.Product, *shard.Router, error) {
	router, err := shard.NewRouter(shard.Config{Shards: []shard.ShardConfig{
		{ID: "a", Regions: []string{"us-west", "ca"}}, {ID: "b", Regions: []string{"us-east", "us-central"}},
		{ID: "c", Regions: []string{"us-south", "mx"}},
	}})
	if err != nil {
		return nil, nil, err
	}
	fleet, err := product.Start(product.Options{Binary: s.Binary, Home: filepath.Join(s.Dir, name), Env: s.environment(more)})
	return fleet, router, err
}
