package server

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/services/order/ordertest"
)

// unsound lists, in one snapshot, everything that must never be: each query names the orders or riders that break a
// promise. It may run at any moment, whatever else is going on.
const unsound = `
	select 'order ' || order_id || ' has two riders' from delivery.offers
		where status in ('offered', 'accepted', 'picked_up') group by order_id having count(*) > 1
	union all select 'rider ' || partner_id || ' has two orders' from delivery.offers
		where status in ('offered', 'accepted', 'picked_up') group by partner_id having count(*) > 1
	union all select 'order ' || o.id || ' shows another rider than it has' from orders.orders o
		left join delivery.offers f on f.order_id = o.id and f.status in ('offered', 'accepted', 'picked_up')
		where o.status in ('pending', 'confirmed', 'preparing', 'ready', 'picked_up') and o.partner_id is distinct from f.partner_id
	union all select 'order ' || o.id || ' ended and binds a rider' from orders.orders o
		join delivery.offers f on f.order_id = o.id and f.status in ('offered', 'accepted', 'picked_up')
		where o.status not in ('pending', 'confirmed', 'preparing', 'ready', 'picked_up')
	union all select 'rider ' || p.id || ' is bound to what they do not have' from delivery.partners p
		left join delivery.offers f on f.partner_id = p.id and f.status in ('offered', 'accepted', 'picked_up')
		where p.order_id is distinct from f.order_id or p.carrying <> coalesce(f.status <> 'offered', false)
	union all select 'order ' || o.id || ' seeks a rider and is not in the queue, or the other way round' from orders.orders o
		left join delivery.jobs j on j.order_id = o.id
		left join delivery.offers f on f.order_id = o.id and f.status in ('accepted', 'picked_up')
		where (j.order_id is not null) <> (o.status in ('pending', 'confirmed', 'preparing', 'ready') and f.order_id is null)
	union all select 'job ' || j.order_id || ' is wrong about its offer' from delivery.jobs j
		left join delivery.offers f on f.order_id = j.order_id and f.status = 'offered'
		where j.offered <> (f.order_id is not null)
	union all select 'order ' || o.id || ' has a log with gaps' from orders.orders o
		join orders.history h on h.order_id = o.id group by o.id, o.seq
		having count(*) <> o.seq or min(h.seq) <> 1 or max(h.seq) <> o.seq
	union all select 'order ' || h.order_id || ' jumped at ' || h.seq from orders.history h
		join orders.history b on b.order_id = h.order_id and b.seq = h.seq - 1
		where h.from_status is distinct from b.to_status
			or b.to_status in ('delivered', 'rejected', 'expired', 'cancelled', 'failed') or h.at < b.at
	union all select 'order ' || o.id || ' has events for ' || count(e.id) || ' of its changes' from orders.orders o
		left join outbox.events e on e.key = o.id::text and e.type like 'order.%' group by o.id, o.seq
		having count(e.id) <> o.seq or count(distinct e.headers->>'Tiffin-Seq') <> o.seq
	union all select 'order ' || key || ' has events out of order' from (
		select key, (headers->>'Tiffin-Seq')::bigint as at, lag((headers->>'Tiffin-Seq')::bigint) over (partition by key order by seq) as before
		from outbox.events where type like 'order.%') e where at <= before
	union all select 'order ' || order_id || ' was offered again to rider ' || partner_id || ' who declined it' from (
		select order_id, partner_id, bool_or(status = 'declined') over (partition by order_id, partner_id order by seq
			rows between unbounded preceding and 1 preceding) as declined from delivery.offers) f where declined`

// requireSound fails when a promise is broken.
func requireSound(t require.TestingT, f *fixture) {
	var broken []string
	err := pgx.BeginTxFunc(context.Background(), f.Shards.ByShard("a").Pool(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		rows, err := tx.Query(context.Background(), unsound)
		if err != nil {
			return err
		}
		broken, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	require.NoError(t, err)
	require.Empty(t, broken)
}

// A check that never fails proves nothing.
func TestTheCheckFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	f.free(t, 1)
	f.place(t)
	f.dispatch(t)
	requireSound(t, f)
	for name, breakIt := range map[string]string{
		"rider":   `update orders.orders set partner_id = null`,
		"queue":   `delete from delivery.jobs`,
		"history": `delete from orders.history where seq = 1`,
		"events":  `delete from outbox.events where type = 'order.assigned'`,
		"partner": `update delivery.partners set order_id = null`,
	} {
		t.Run(name, func(t *testing.T) {
			tx, err := f.Shards.ByShard("a").Pool().Begin(t.Context())
			require.NoError(t, err)
			_, err = tx.Exec(t.Context(), breakIt)
			require.NoError(t, err)
			rows, err := tx.Query(t.Context(), unsound)
			require.NoError(t, err)
			broken, err := pgx.CollectRows(rows, pgx.RowTo[string])
			require.NoError(t, err)
			require.NotEmpty(t, broken)
			require.NoError(t, tx.Rollback(t.Context()))
		})
	}
}
