package server

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// bigShard is a database with enough orders that reading them all would be felt.
func bigShard(t *testing.T) *pgx.Conn {
	t.Helper()
	config := shard.Config{Shards: []shard.ShardConfig{{
		ID: "a", URL: testenv.Postgres(t), Regions: []string{"us-west", "ca", "us-east", "us-central", "us-south", "mx"},
	}}}
	router, err := shard.NewRouter(config)
	require.NoError(t, err)
	set, err := shard.Open(t.Context(), router, config, shard.Options{Timeout: 20 * time.Second})
	require.NoError(t, err)
	t.Cleanup(set.Close)
	require.NoError(t, ordertx.Migrate(t.Context(), set))
	require.NoError(t, deliverytx.Migrate(t.Context(), set))
	conn, err := set.ByShard("a").Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	for _, sql := range []string{
		`insert into orders.orders (id, region, customer_id, restaurant_id, owner_id, partner_id, status, seq, city, city_key, total,
				eta_minutes, items, address, latitude, longitude, restaurant, accept_by, created_at, updated_at)
			select gen_random_uuid(), 'us-west', ('00000000-0000-8000-8000-' || lpad((n % 5000)::text, 12, '0'))::uuid, 'r' || n % 500,
				'o' || n % 500, case when n % 3 > 0 then ('00000000-0000-8000-8000-' || lpad((n % 1000)::text, 12, '0'))::uuid end,
				case when n % 200 = 0 then 'pending' when n % 200 = 1 then 'ready' when n % 7 = 0 then 'cancelled' else 'delivered' end,
				1, 'City', '#' || n % 300, 100, 30, to_json(repeat('x', 300)), repeat('x', 40), 0, 0, to_json(repeat('x', 150)), now(), now(), now()
			from generate_series(1, 60000) n`,
		`insert into orders.history (order_id, seq, region, kind, to_status, actor_id, actor_role, at)
			select id, 1, region, 'transition', 'pending', '', '', now() from orders.orders`,
		`insert into orders.keys (region, customer_id, key, fingerprint, order_id)
			select region, customer_id, 'k' || row_number() over (), '', id from orders.orders`,
		`vacuum analyze orders.orders, orders.history, orders.keys`,
	} {
		_, err := conn.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	return conn
}

var bigTable = regexp.MustCompile(`Seq Scan on (orders|history|keys)\b`)

// Every statement that runs often finds its rows by an index, also when the shard is full.
func TestHotQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	conn := bigShard(t)
	const customer = "00000000-0000-8000-8000-000000000042"
	regions := []shard.Region{"us-west"}
	type query struct {
		sql  string
		args []any
	}
	list := func(f filter) query {
		f.limit = order.DefaultLimit
		sql, args := f.query(regions)
		return query{sql, args}
	}
	for name, q := range map[string]query{
		"get":                         {`select ` + ordertx.Columns + ` from orders.orders o where o.id = $1`, []any{customer}},
		"list of a customer":          list(filter{customer: customer}),
		"second page of a customer":   list(filter{customer: customer, after: customer}),
		"list of an owner":            list(filter{owner: "o7"}),
		"list of a rider":             list(filter{partner: customer}),
		"list of a restaurant":        list(filter{restaurant: "r7"}),
		"live orders of a restaurant": list(filter{restaurant: "r7", status: order.Ready}),
		"list of a city":              list(filter{city: "#7"}),
		"list of a state":             list(filter{status: order.Pending}),
		"everything":                  list(filter{}),
		"second page of everything":   list(filter{after: customer}),
		"log":                         {`select seq from orders.history where order_id = $1 and seq > $2 order by seq`, []any{customer, 0}},
		"key":                         {`select fingerprint from orders.keys where customer_id = $1 and key = $2 and region = $3`, []any{customer, "k", "us-west"}},
		"overdue": {`select id from orders.orders where status = 'pending' and accept_by <= now() - interval '1 hour' and region = $1
			order by accept_by limit $2`, []any{"us-west", 200}},
		"keys to forget": {`select ctid from orders.keys where created_at <= now() - $2::interval and region = $1 limit $3`,
			[]any{"us-west", order.KeyTTL, 100}},
		"counts by state": {`select status, count(*) from orders.orders where region = any($1) group by status`, []any{regions}},
		"stuck": {stuckSQL, []any{regions, order.StuckShown, patience[order.Confirmed], patience[order.Preparing],
			patience[order.Ready], patience[order.PickedUp], expiryPatience}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotRegexp(t, bigTable, testenv.Explain(t, conn, "explain", q.sql, q.args...))
		})
	}
}
