package ordertx

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/shard"
	"tiffin/shard/outbox"
	"tiffin/shard/sealed"
	"tiffin/wire"
)

// New is a new order as it is written: everything that has to be computed for it is computed, by whoever places it, before
// it is written together with others.
type New struct {
	record            *Record
	cityKey           string
	items, restaurant string // JSON
	address           string // sealed
	actorRole         string
	acceptTTL         time.Duration
	created           outbox.Event
}

// Prepare makes the rows of a new order: its own, the first entry of its log, and its order.created. It gives r its seq.
// r stays in plain text; the address is stored sealed.
func Prepare(ctx context.Context, keys *sealed.Keys, r *Record, cityKey string, acceptTTL time.Duration) (n New, err error) {
	o := &r.Order
	o.Status, r.Seq = order.Pending, 1
	items, err := wire.Encode(o.Items)
	if err != nil {
		return n, err
	}
	restaurant, err := wire.Encode(r.Restaurant)
	if err != nil {
		return n, err
	}
	created, err := wire.Encode(order.CreatedEvent{
		EventType:             order.EventCreated,
		OrderID:               o.ID,
		CustomerID:            o.CustomerID,
		RestaurantID:          o.RestaurantID,
		DeliveryCity:          o.City,
		TotalAmount:           o.TotalAmount,
		EstimatedDeliveryTime: o.EstimatedDeliveryTime,
		Timestamp:             o.CreatedAt,
	})
	return New{
		record: r, cityKey: cityKey, items: string(items), restaurant: string(restaurant),
		address:   keys.Seal(o.DeliveryAddress, addressColumn, o.ID),
		actorRole: micro.ActorFrom(ctx).Role,
		acceptTTL: acceptTTL,
		created:   r.event(ctx, order.EventCreated, json.RawMessage(created)),
	}, err
}

// insertSQL writes orders with the first lines of their logs. One statement for all of a transaction, because placing
// orders is what the database does most, and every statement costs as much as an index.
const insertSQL = `
	with placed as (
		select * from unnest($1::text[]::uuid[], $2::text[], $3::text[]::uuid[], $4::text[], $5::text[], $6::text[], $7::text[],
			$8::bigint[], $9::bigint[], $10::text[]::json[], $11::text[], $12::float8[], $13::float8[], $14::text[]::json[],
			$15::interval[], $16::timestamptz[], $17::text[])
		as o (id, region, customer_id, restaurant_id, owner_id, city, city_key,
			total, eta_minutes, items, address, latitude, longitude, restaurant,
			accept_ttl, created_at, actor_role)
	), written as (
		insert into orders.orders (id, region, customer_id, restaurant_id, owner_id, status, seq, city, city_key, total,
			eta_minutes, items, address, latitude, longitude, restaurant, accept_by, created_at, updated_at)
		select id, region, customer_id, restaurant_id, owner_id, 'pending', 1, city, city_key, total,
			eta_minutes, items, address, latitude, longitude, restaurant, now() + accept_ttl, created_at, created_at
		from placed
	)
	insert into orders.history (order_id, seq, region, kind, to_status, actor_id, actor_role, at)
	select id, 1, region, 'transition', 'pending', customer_id::text, actor_role, created_at from placed`

// Insert queues new orders, those of one transaction together.
func Insert(b *pgx.Batch, orders ...New) error {
	b.Queue(insertSQL,
		shard.Column(orders, func(n *New) string { return n.record.Order.ID }),
		shard.Column(orders, func(n *New) string { return n.record.Region }),
		shard.Column(orders, func(n *New) string { return n.record.Order.CustomerID }),
		shard.Column(orders, func(n *New) string { return n.record.Order.RestaurantID }),
		shard.Column(orders, func(n *New) string { return n.record.OwnerID }),
		shard.Column(orders, func(n *New) string { return n.record.Order.City }),
		shard.Column(orders, func(n *New) string { return n.cityKey }),
		shard.Column(orders, func(n *New) int64 { return int64(n.record.Order.TotalAmount) }),
		shard.Column(orders, func(n *New) int64 { return int64(n.record.Order.EstimatedDeliveryTime) }),
		shard.Column(orders, func(n *New) string { return n.items }),
		shard.Column(orders, func(n *New) string { return n.address }),
		shard.Column(orders, func(n *New) float64 { return n.record.Order.Latitude }),
		shard.Column(orders, func(n *New) float64 { return n.record.Order.Longitude }),
		shard.Column(orders, func(n *New) string { return n.restaurant }),
		shard.Column(orders, func(n *New) time.Duration { return n.acceptTTL }),
		shard.Column(orders, func(n *New) time.Time { return n.record.Order.CreatedAt.Time }),
		shard.Column(orders, func(n *New) string { return n.actorRole }),
	)
	return outbox.Queue(b, shard.Column(orders, func(n *New) outbox.Event { return n.created })...)
}
