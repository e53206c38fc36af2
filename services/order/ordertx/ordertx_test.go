package ordertx_test

import (
	"context"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
	"tiffin/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bed is a migrated shard.
type bed struct {
	*testing.T
	set *shard.Set
	db  *shard.DB
}

func newBed(t *testing.T) *bed {
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
	require.NoError(t, ordertx.Migrate(t.Context(), set), "a second service does it again")
	db, err := set.ByRegion("us-west")
	require.NoError(t, err)
	return &bed{T: t, set: set, db: db}
}

// record makes an order that is not written yet.
func (b *bed) record() *ordertx.Record {
	router := b.set.Router()
	now := wire.At(time.Now())
	return &ordertx.Record{
		Region: "us-west", OwnerID: "owner", Restaurant: order.Place{ID: "r", Name: "Golden Gate Curry", Address: "333 Post Street", Latitude: 1, Longitude: 2},
		Order: order.Order{
			ID: router.NewID("us-west"), CustomerID: router.NewID("us-east"), RestaurantID: "r",
			Items:       []order.Item{{MenuItemID: "dish", Name: `Thali "special"`, Quantity: 2, UnitPrice: 1250}},
			TotalAmount: 2500, DeliveryAddress: "1 Market Street\nFloor 2", City: "San Francisco", Latitude: 37.7, Longitude: -122.4,
			EstimatedDeliveryTime: 30, CreatedAt: now, UpdatedAt: now,
		},
	}
}

// write writes orders together.
func (b *bed) write(records ...*ordertx.Record) {
	b.Helper()
	b.change(func(ctx context.Context, _ pgx.Tx, batch *pgx.Batch) error {
		var rows []ordertx.New
		for _, r := range records {
			row, err := ordertx.Prepare(ctx, nil, r, "#1", time.Minute)
			require.NoError(b, err)
			rows = append(rows, row)
		}
		return ordertx.Insert(batch, rows...)
	})
}

// insert writes an order and returns it as it was written.
func (b *bed) insert() *ordertx.Record {
	b.Helper()
	r := b.record()
	b.write(r)
	return r
}

// change runs one batch in a transaction.
func (b *bed) change(queue func(context.Context, pgx.Tx, *pgx.Batch) error) {
	b.Helper()
	require.NoError(b, b.try(queue))
}

func (b *bed) try(queue func(context.Context, pgx.Tx, *pgx.Batch) error) error {
	return b.db.InTx(b.Context(), func(ctx context.Context, tx pgx.Tx) error {
		batch := &pgx.Batch{}
		if err := queue(ctx, tx, batch); err != nil {
			return err
		}
		return tx.SendBatch(ctx, batch).Close()
	})
}

func (b *bed) read(id string) *ordertx.Record {
	b.Helper()
	r, err := ordertx.Read(b.Context(), b.db.Pool(), id)
	require.NoError(b, err)
	return r
}

// log is the order's log as one line each.
func (b *bed) log(id string) []string {
	b.Helper()
	rows, err := b.db.Pool().Query(b.Context(), `select concat_ws(' ', seq, kind, coalesce(from_status, 'null'), to_status,
		coalesce(partner_id::text, 'nobody'), actor_role, nullif(reason, '')) from orders.history where order_id = $1 order by seq`, id)
	require.NoError(b, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b, err)
	return lines
}

func (b *bed) events(id string) []string {
	b.Helper()
	rows, err := b.db.Pool().Query(b.Context(), `select type || ' ' || (headers->>'Tiffin-Seq') || ' ' || region from outbox.events where key = $1 order by seq`, id)
	require.NoError(b, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b, err)
	return lines
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	want := b.insert()
	got := b.read(want.Order.ID)
	require.Equal(t, want.Order, got.Order)
	require.Equal(t, want.Restaurant, got.Restaurant)
	require.Equal(t, []any{"us-west", "owner", int64(1)}, []any{got.Region, got.OwnerID, got.Seq})
	require.InDelta(t, time.Minute, got.AcceptBy.Sub(got.ReadAt), float64(10*time.Second))
	all, err := ordertx.ReadAll(t.Context(), b.db.Pool(), []string{want.Order.ID, b.set.Router().NewID("us-west")})
	require.NoError(t, err)
	require.Len(t, all, 1)
	_, err = ordertx.Read(t.Context(), b.db.Pool(), b.set.Router().NewID("us-west"))
	require.ErrorIs(t, err, ordertx.ErrNotFound)
}

// What is written together stays apart, whatever the texts hold that arrays and JSON have a meaning for.
func TestOrdersWrittenTogetherAreReadAsEachWasWritten(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "NULL", "{}", `"`, `\`, `{"a,b"}`, "a\tb", "Māori 'ʻO' 🍛"}),
		rapid.StringOf(rapid.RuneFrom(nil, unicode.L, unicode.P, unicode.Z, unicode.So)))
	rapid.Check(t, func(t *rapid.T) {
		want := make([]*ordertx.Record, rapid.IntRange(1, 5).Draw(t, "orders"))
		var ids []string
		for i := range want {
			r := b.record()
			o := &r.Order
			o.DeliveryAddress, o.City, r.OwnerID, r.Restaurant.Name = text.Draw(t, "address"), text.Draw(t, "city"), text.Draw(t, "owner"), text.Draw(t, "restaurant")
			o.Items[0].Name, o.Items[0].Quantity = text.Draw(t, "dish"), rapid.IntRange(1, 99).Draw(t, "quantity")
			o.TotalAmount = wire.Money(rapid.Int64Range(0, 1e15).Draw(t, "total"))
			o.Latitude, o.Longitude = rapid.Float64Range(-90, 90).Draw(t, "latitude"), rapid.Float64Range(-180, 180).Draw(t, "longitude")
			want[i], ids = r, append(ids, o.ID)
		}
		b.write(want...)
		got, err := ordertx.ReadAll(b.Context(), b.db.Pool(), ids)
		require.NoError(t, err)
		for _, w := range want {
			g := got[w.Order.ID]
			require.Equal(t, w.Order, g.Order)
			require.Equal(t, w.Restaurant, g.Restaurant)
			require.Equal(t, w.OwnerID, g.OwnerID)
			require.Equal(t, []string{"1 transition null pending nobody anonymous"}, b.log(w.Order.ID))
			require.Equal(t, []string{"order.created 1 us-west"}, b.events(w.Order.ID))
		}
	})
}

// move moves an order on and queues what that writes.
func move(ctx context.Context, b *pgx.Batch, r *ordertx.Record, to order.Status, holder *string, by ordertx.By) error {
	moved, err := ordertx.Move(ctx, r, to, holder, by)
	if err != nil {
		return err
	}
	return ordertx.QueueMoves(b, moved)
}

func TestEveryChangeIsOneStepOfTheLog(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := b.insert().Order.ID
	rider := b.set.Router().NewID("us-west")
	steps := []func(context.Context, *pgx.Batch, *ordertx.Record) error{
		func(ctx context.Context, batch *pgx.Batch, r *ordertx.Record) error {
			return ordertx.SetRiders(ctx, batch, ordertx.Offer{Record: r, PartnerID: rider})
		},
		func(ctx context.Context, batch *pgx.Batch, r *ordertx.Record) error {
			return move(ctx, batch, r, order.Confirmed, r.Order.DeliveryPartnerID, ordertx.By{ID: "owner", Role: "restaurant_owner"})
		},
		func(ctx context.Context, batch *pgx.Batch, r *ordertx.Record) error {
			return ordertx.ClearRider(ctx, batch, r, order.ReasonDeclined)
		},
		func(ctx context.Context, batch *pgx.Batch, r *ordertx.Record) error {
			return move(ctx, batch, r, order.Cancelled, nil, ordertx.By{ID: "c", Role: "customer", Reason: "changed my mind"})
		},
	}
	for i, step := range steps {
		var in *ordertx.Record
		b.change(func(ctx context.Context, tx pgx.Tx, batch *pgx.Batch) (err error) {
			if in, err = ordertx.Lock(ctx, tx, id); err != nil {
				return err
			}
			return step(ctx, batch, in)
		})
		out := b.read(id)
		require.Equal(t, int64(i+2), out.Seq)
		require.Equal(t, in.Order, out.Order, "the record is brought to what was written")
	}
	require.Equal(t, []string{
		"1 transition null pending nobody anonymous",
		"2 assignment pending pending " + rider + " system",
		"3 transition pending confirmed " + rider + " restaurant_owner",
		"4 assignment confirmed confirmed nobody system offer_declined",
		"5 transition confirmed cancelled nobody customer changed my mind",
	}, b.log(id))
	require.Equal(t, []string{
		"order.created 1 us-west", "order.assigned 2 us-west", "order.status 3 us-west", "order.status 4 us-west", "order.status 5 us-west",
	}, b.events(id))
}

// Orders that are offered together get each its own rider, row, entry and event; one that moved meanwhile fails all.
func TestOffersMadeTogetherStayApart(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	offers := make([]ordertx.Offer, 3)
	for i := range offers {
		offers[i] = ordertx.Offer{Record: b.read(b.insert().Order.ID), PartnerID: b.set.Router().NewID("us-west")}
	}
	stale := b.read(offers[1].Record.Order.ID)
	set := func(offers ...ordertx.Offer) error {
		return b.try(func(ctx context.Context, _ pgx.Tx, batch *pgx.Batch) error {
			return ordertx.SetRiders(ctx, batch, offers...)
		})
	}
	require.NoError(t, set(offers...))
	for _, o := range offers {
		id := o.Record.Order.ID
		require.Equal(t, o.Record.Order, b.read(id).Order)
		require.Equal(t, o.PartnerID, *b.read(id).Order.DeliveryPartnerID)
		require.Equal(t, "2 assignment pending pending "+o.PartnerID+" system", b.log(id)[1])
		require.Equal(t, []string{"order.created 1 us-west", "order.assigned 2 us-west"}, b.events(id))
	}
	fresh := b.insert()
	rider := b.set.Router().NewID("us-west")
	require.Error(t, set(ordertx.Offer{Record: b.read(fresh.Order.ID), PartnerID: rider}, ordertx.Offer{Record: stale, PartnerID: rider}))
	require.Nil(t, b.read(fresh.Order.ID).Order.DeliveryPartnerID)
	require.Len(t, b.events(fresh.Order.ID), 1)
}

// Changes find their rows by the orders' key, however many orders there are and however many change.
func TestChangesFindTheirRowsByKey(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	conn, err := b.db.Connect(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(context.Background())) })
	id := []string{b.set.Router().NewID("us-west")}
	plan := testenv.Explain(t, conn, "explain", ordertx.ChangeSQL, id, []int64{2}, []string{"us-west"}, []string{"pending"},
		[]string{"pending"}, id, []string{"2026-11-29T00:00:00Z"}, []string{""}, []string{order.RoleSystem}, []string{""}, ordertx.KindAssignment)
	require.Contains(t, plan, "Index Scan using orders_pkey on orders o")
}

// Somebody changes an order they read without a lock: the log refuses the second of two changes that are both next.
func TestAChangeOfAnOldRecordIsRefused(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := b.insert().Order.ID
	stale := b.read(id)
	confirm := func(records ...*ordertx.Record) error {
		return ordertx.Changed(b.try(func(ctx context.Context, _ pgx.Tx, batch *pgx.Batch) error {
			moves := make([]ordertx.Moved, len(records))
			for i, r := range records {
				var err error
				if moves[i], err = ordertx.Move(ctx, r, order.Confirmed, nil, ordertx.By{ID: r.Order.ID, Role: "customer"}); err != nil {
					return err
				}
			}
			return ordertx.QueueMoves(batch, moves...)
		}))
	}
	require.NoError(t, confirm(b.read(id)))
	other, another := b.insert().Order.ID, b.insert().Order.ID
	require.ErrorIs(t, confirm(b.read(other), stale), ordertx.ErrChanged)
	require.Equal(t, int64(2), b.read(id).Seq)
	require.Len(t, b.events(id), 2)
	require.Len(t, b.events(other), 1, "what is written together fails together")
	require.NoError(t, confirm(b.read(another), b.read(other)))
	for _, id := range []string{other, another} {
		require.Equal(t, order.Confirmed, b.read(id).Order.Status)
		require.Equal(t, "2 transition pending confirmed nobody customer", b.log(id)[1])
		require.Equal(t, []string{"order.created 1 us-west", "order.status 2 us-west"}, b.events(id))
	}
}

func TestATransactionThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := b.insert().Order.ID
	err := b.try(func(ctx context.Context, tx pgx.Tx, batch *pgx.Batch) error {
		r, err := ordertx.Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := move(ctx, batch, r, order.Confirmed, nil, ordertx.By{}); err != nil {
			return err
		}
		batch.Queue(`select 1 / 0`)
		return nil
	})
	require.Error(t, err)
	require.Equal(t, order.Pending, b.read(id).Order.Status)
	require.Len(t, b.log(id), 1)
	require.Len(t, b.events(id), 1)
}

// lockAll locks orders in one round trip.
func lockAll(ctx context.Context, tx pgx.Tx, ids ...string) (found map[string]*ordertx.Record, err error) {
	b := &pgx.Batch{}
	ordertx.QueueLockAll(b, ids, &found)
	err = tx.SendBatch(ctx, b).Close()
	return found, err
}

func TestLocksOfMissingOrders(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	nobody := b.set.Router().NewID("us-west")
	require.ErrorIs(t, b.db.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		_, err := ordertx.Lock(ctx, tx, nobody)
		return err
	}), ordertx.ErrNotFound)
	require.NoError(t, b.db.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
		found, err := lockAll(ctx, tx, nobody)
		require.Empty(t, found)
		return err
	}))
}

// Transactions that lock the same orders in different orders of naming them do not stand in each other's way for ever.
func TestLockingSeveralOrdersHasOneOrder(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	ids := []string{b.insert().Order.ID, b.insert().Order.ID, b.insert().Order.ID}
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			mine := []string{ids[i%3], ids[(i+1)%3], ids[(i+2)%3]}
			err := b.db.InTx(t.Context(), func(ctx context.Context, tx pgx.Tx) error {
				found, err := lockAll(ctx, tx, mine...)
				if err == nil && len(found) != 3 {
					t.Errorf("locked %d of 3", len(found))
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A clock that steps back makes no history that runs backwards.
func TestTimeOfAnOrderNeverRunsBackwards(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := b.insert().Order.ID
	_, err := b.db.Pool().Exec(t.Context(), `update orders.orders set updated_at = now() + interval '1 hour' where id = $1`, id)
	require.NoError(t, err)
	before := b.read(id).Order.UpdatedAt
	b.change(func(ctx context.Context, tx pgx.Tx, batch *pgx.Batch) error {
		r, err := ordertx.Lock(ctx, tx, id)
		if err != nil {
			return err
		}
		return move(ctx, batch, r, order.Confirmed, nil, ordertx.By{})
	})
	require.Equal(t, before, b.read(id).Order.UpdatedAt)
}

func TestAnEventCarriesItsRequest(t *testing.T) {
	t.Parallel()
	r := &ordertx.Record{Region: "mx", Seq: 3, Order: order.Order{ID: "o"}}
	e := ordertx.Event(micro.WithRequestID(t.Context(), "request"), r, order.EventStatus, "payload")
	require.Equal(t, "request", e.Headers[micro.HeaderRequestID])
	require.Equal(t, []string{"mx", "o", order.EventStatus}, []string{e.Region, e.Key, e.Type})
	again := ordertx.Event(t.Context(), r, order.EventStatus, "payload")
	require.Equal(t, e.ID, again.ID, "one change is one event, whoever writes it twice")
	r.Seq++
	require.NotEqual(t, e.ID, ordertx.Event(t.Context(), r, order.EventStatus, "payload").ID)
	require.NotEqual(t, e.ID, ordertx.Event(t.Context(), r, order.EventAssigned, "payload").ID)
}
