package server

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/services/restaurant"
	"tiffin/shard"
)

// oneDish quotes without a service, so that the benchmark measures orders.
type oneDish struct{}

func (oneDish) Quote(context.Context, restaurant.QuoteRequest) (restaurant.Quote, error) {
	return restaurant.Quote{
		Restaurant: restaurant.Restaurant{
			ID: "656e0000000000000000000a", Name: "Golden Gate Curry", City: "San Francisco", Address: "333 Post Street",
			Latitude: 37.788, Longitude: -122.4075, OwnerUserID: "owner", IsActive: true,
		},
		Items: []restaurant.QuotedItem{{MenuItemID: "656e0000000000000000000b", Name: "Thali", Quantity: 2, UnitPrice: 1250, Available: true}},
	}, nil
}

func benchServer(b *testing.B) (*Server, context.Context) {
	b.Helper()
	config := shard.Config{Shards: []shard.ShardConfig{{
		ID: "a", URL: testenv.Postgres(b), Regions: []string{"us-west", "ca", "us-east", "us-central", "us-south", "mx"},
	}}}
	router, err := shard.NewRouter(config)
	require.NoError(b, err)
	set, err := shard.Open(b.Context(), router, config, shard.Options{})
	require.NoError(b, err)
	b.Cleanup(set.Close)
	require.NoError(b, ordertx.Migrate(b.Context(), set))
	require.NoError(b, deliverytx.Migrate(b.Context(), set))
	s := &Server{cfg: Config{Shards: set}.withDefaults(), store: newStore(set), menus: oneDish{}}
	s.log, s.metrics = s.cfg.Log, newMetrics(nil)
	ctx := micro.WithActor(b.Context(), micro.Actor{ID: router.NewID("us-west"), Role: auth.RoleCustomer})
	return s, ctx
}

func benchRequest() order.CreateRequest {
	latitude, longitude := 37.79, -122.40
	return order.CreateRequest{
		RestaurantID: "656e0000000000000000000a", Items: []order.Line{{MenuItemID: "656e0000000000000000000b", Quantity: 2}},
		DeliveryAddress: "1 Market Street", City: "San Francisco", Latitude: &latitude, Longitude: &longitude,
	}
}

// BenchmarkCreate is everything the service does for a new order, from the decoded request to the committed rows.
func BenchmarkCreate(b *testing.B) {
	s, ctx := benchServer(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.create(ctx, benchRequest()); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkCreateBare is the peer: an order and its event in a batch, with nothing around it.
func BenchmarkCreateBare(b *testing.B) {
	s, _ := benchServer(b)
	pool := s.cfg.Shards.ByShard("a").Pool()
	for _, sql := range []string{
		`create table public.bare (id uuid primary key, region text, customer_id uuid, restaurant_id text, status text, city text,
			total bigint, items json, address text, latitude float8, longitude float8, created_at timestamptz)`,
		`create index on public.bare (customer_id, id)`,
		`create table public.bare_outbox (seq bigint generated always as identity primary key, id uuid, type text, payload json)`,
	} {
		_, err := pool.Exec(b.Context(), sql)
		require.NoError(b, err)
	}
	router := s.cfg.Shards.Router()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := router.NewID("us-west")
			err := pgx.BeginFunc(b.Context(), pool, func(tx pgx.Tx) error {
				batch := &pgx.Batch{}
				batch.Queue(`insert into public.bare values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
					id, "us-west", id, "656e0000000000000000000a", "pending", "San Francisco", 2500,
					`[{"menuItemId":"656e0000000000000000000b","name":"Thali","quantity":2,"unitPrice":12.50}]`,
					"1 Market Street", 37.79, -122.4, time.Now())
				batch.Queue(`insert into public.bare_outbox (id, type, payload) values ($1, $2, $3)`, id, "order.created",
					`{"eventType":"order.created","orderId":"`+id+`","deliveryCity":"San Francisco","totalAmount":25.00,"estimatedDeliveryTime":23}`)
				return tx.SendBatch(b.Context(), batch).Close()
			})
			if err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkGet reads one order by its id.
func BenchmarkGet(b *testing.B) {
	s, ctx := benchServer(b)
	created, err := s.create(ctx, benchRequest())
	require.NoError(b, err)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.get(ctx, order.GetRequest{ID: created.ID}); err != nil {
				b.Error(err)
			}
		}
	})
}
