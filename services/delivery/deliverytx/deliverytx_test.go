package deliverytx_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"tiffin/local/testenv"
	"tiffin/services/delivery"
	"tiffin/services/delivery/deliverytx"
	"tiffin/services/geo"
	"tiffin/services/order"
	"tiffin/shard"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bed struct {
	t   *testing.T
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
	require.NoError(t, deliverytx.Migrate(t.Context(), set))
	db, err := set.ByRegion("us-west")
	require.NoError(t, err)
	return &bed{t: t, set: set, db: db}
}

func (b *bed) in(fn func(ctx context.Context, tx pgx.Tx) error) {
	b.t.Helper()
	require.NoError(b.t, b.db.InTx(b.t.Context(), fn))
}

func (b *bed) rider() string {
	b.t.Helper()
	id := b.set.Router().NewID("us-west")
	b.in(func(ctx context.Context, tx pgx.Tx) error {
		return deliverytx.CreatePartner(ctx, tx, delivery.NewPartner{ID: id, City: "SF", Region: "us-west", Latitude: 37.7, Longitude: -122.4})
	})
	return id
}

// order enqueues an order and, unless status is empty, binds a rider to it.
func (b *bed) order(rider string, status delivery.AssignmentStatus) string {
	b.t.Helper()
	id := b.set.Router().NewID("us-west")
	b.in(func(ctx context.Context, tx pgx.Tx) error {
		batch := &pgx.Batch{}
		deliverytx.Enqueue(batch, deliverytx.Job{OrderID: id, Region: "us-west", Place: geo.Point{Latitude: 37.7, Longitude: -122.4}})
		if status != "" {
			batch.Queue(`insert into delivery.offers (order_id, seq, region, partner_id, status, expires_at)
				values ($1, 2, 'us-west', $2, $3, now())`, id, rider, string(status))
			batch.Queue(`update delivery.partners set order_id = $1, carrying = $3 where id = $2`, id, rider, status.Carrying())
		}
		return tx.SendBatch(ctx, batch).Close()
	})
	return id
}

// progress moves an order on and returns who was bound to it before.
func (b *bed) progress(id string, to order.Status) (h deliverytx.Holder) {
	b.t.Helper()
	b.in(func(ctx context.Context, tx pgx.Tx) error {
		look := &pgx.Batch{}
		deliverytx.QueueHolder(look, id, &h)
		if err := tx.SendBatch(ctx, look).Close(); err != nil {
			return err
		}
		batch := &pgx.Batch{}
		deliverytx.Progress(batch, id, h, to)
		return tx.SendBatch(ctx, batch).Close()
	})
	return h
}

// state is the offer, whether the rider is free, how much they delivered, and whether the order is still queued.
func (b *bed) state(id, rider string) (offer string, free bool, deliveries int, queued bool) {
	b.t.Helper()
	require.NoError(b.t, b.db.Pool().QueryRow(b.t.Context(), `select coalesce((select status from delivery.offers where order_id = $1), ''),
		(select order_id is null and not carrying from delivery.partners where id = $2),
		(select deliveries from delivery.partners where id = $2),
		exists (select from delivery.jobs where order_id = $1)`, id, rider).Scan(&offer, &free, &deliveries, &queued))
	return offer, free, deliveries, queued
}

func TestANewRiderBeginsUnavailableAndOnce(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	id := b.rider()
	again := delivery.NewPartner{ID: id, City: "Elsewhere", Region: "us-west"}
	b.in(func(ctx context.Context, tx pgx.Tx) error { return deliverytx.CreatePartner(ctx, tx, again) })
	var city string
	var available bool
	require.NoError(t, b.db.Pool().QueryRow(t.Context(), `select city, available from delivery.partners where id = $1`, id).Scan(&city, &available))
	require.Equal(t, "SF", city, "a registration that is tried again changes nothing")
	require.False(t, available)
}

func TestWhatAnOrdersStateMeansForItsRider(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for name, c := range map[string]struct {
		bound      delivery.AssignmentStatus
		to         order.Status
		offer      string
		free       bool
		deliveries int
		queued     bool
	}{
		"confirmed under an offer":         {delivery.Offered, order.Confirmed, "offered", false, 0, true},
		"picked up":                        {delivery.Accepted, order.PickedUp, "picked_up", false, 0, true},
		"picked up by an administrator":    {delivery.Offered, order.PickedUp, "withdrawn", true, 0, false},
		"delivered":                        {delivery.PickedUp, order.Delivered, "delivered", true, 1, false},
		"failed":                           {delivery.PickedUp, order.Failed, "failed", true, 0, false},
		"cancelled under an offer":         {delivery.Offered, order.Cancelled, "withdrawn", true, 0, false},
		"cancelled under an acceptance":    {delivery.Accepted, order.Cancelled, "withdrawn", true, 0, false},
		"rejected":                         {delivery.Offered, order.Rejected, "withdrawn", true, 0, false},
		"expired":                          {delivery.Offered, order.Expired, "withdrawn", true, 0, false},
		"cancelled while nobody was asked": {"", order.Cancelled, "", true, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rider := b.rider()
			id := b.order(rider, c.bound)
			before := b.progress(id, c.to)
			require.Equal(t, c.bound, before.Status)
			offer, free, deliveries, queued := b.state(id, rider)
			require.Equal(t, c.offer, offer)
			require.Equal(t, c.free, free)
			require.Equal(t, c.deliveries, deliveries)
			require.Equal(t, c.queued, queued)
		})
	}
}

func TestTheEndOfOneOrderFreesNobodyElse(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	first, second := b.rider(), b.rider()
	ended, other := b.order(first, delivery.PickedUp), b.order(second, delivery.PickedUp)
	b.progress(ended, order.Delivered)
	b.progress(ended, order.Delivered) // a second time finds nobody bound
	offer, free, deliveries, _ := b.state(other, second)
	require.Equal(t, "picked_up", offer)
	require.False(t, free)
	require.Zero(t, deliveries)
	_, _, deliveries, _ = b.state(ended, first)
	require.Equal(t, 1, deliveries)
}

// The indexes decide, whatever the code above them believes.
func TestTheDatabaseRefusesTwoOfAnything(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	rider, other := b.rider(), b.rider()
	id := b.order(rider, delivery.Accepted)
	const bind = `insert into delivery.offers (order_id, seq, region, partner_id, status, expires_at) values ($1, 9, 'us-west', $2, 'offered', now())`
	_, err := b.db.Pool().Exec(t.Context(), bind, id, other)
	require.ErrorContains(t, err, "offers_one_rider_an_order")
	_, err = b.db.Pool().Exec(t.Context(), bind, b.order("", ""), rider)
	require.ErrorContains(t, err, "offers_one_order_a_rider")
}

// Offers come and go hundreds of times a second; what they leave in an index is left there until the next vacuum.
func TestAnOfferLeavesTheIndexesOfRidersAlone(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	rider := b.rider()
	_, err := b.db.Pool().Exec(t.Context(), `update delivery.partners set available = true where id = $1`, rider)
	require.NoError(t, err)
	for _, change := range []string{
		`order_id = gen_random_uuid(), carrying = false, updated_at = now()`, // offered
		`order_id = null, lapses = lapses + 1, updated_at = now()`,           // expired
		`order_id = gen_random_uuid(), carrying = true`,                      // accepted
		`order_id = null, carrying = false, deliveries = deliveries + 1`,     // delivered
	} {
		var before, after [2]int // changes of this connection, and those of them that stayed in their page
		count := func(ctx context.Context, tx pgx.Tx, into *[2]int) error {
			return tx.QueryRow(ctx, `select pg_stat_get_xact_tuples_updated(c), pg_stat_get_xact_tuples_hot_updated(c)
				from (select 'delivery.partners'::regclass::oid as c) p`).Scan(&into[0], &into[1])
		}
		b.in(func(ctx context.Context, tx pgx.Tx) error {
			err := count(ctx, tx, &before)
			if err == nil {
				_, err = tx.Exec(ctx, `update delivery.partners set `+change+` where id = $1`, rider)
			}
			return errors.Join(err, count(ctx, tx, &after))
		})
		require.Equal(t, [2]int{before[0] + 1, before[1] + 1}, after, change)
	}
}

func TestHolders(t *testing.T) {
	t.Parallel()
	nobody := deliverytx.Holder{}
	require.Nil(t, nobody.Carrier())
	require.False(t, nobody.Carries(""))
	asked := deliverytx.Holder{PartnerID: "p", Status: delivery.Offered}
	require.Nil(t, asked.Carrier())
	require.False(t, asked.Carries("p"))
	carrying := deliverytx.Holder{PartnerID: "p", Status: delivery.Accepted}
	require.Equal(t, "p", *carrying.Carrier())
	require.True(t, carrying.Carries("p"))
	require.False(t, carrying.Carries("q"))
}

// Places survive the way into the database: distances there are distances here.
func TestPlacesKeepTheirDistance(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	rapid.Check(t, func(rt *rapid.T) {
		point := func(name string) geo.Point {
			return geo.Point{
				Latitude:  rapid.Float64Range(-90, 90).Draw(rt, name+" latitude"),
				Longitude: rapid.Float64Range(-180, 180).Draw(rt, name+" longitude"),
			}
		}
		one, two := point("one"), point("two")
		var chord float64
		require.NoError(rt, b.db.Pool().QueryRow(t.Context(), `select $1::text::cube <-> $2::text::cube`,
			deliverytx.Place(one), deliverytx.Place(two)).Scan(&chord))
		require.InDelta(rt, geo.Chord(geo.DistanceKm(one, two)), chord, 1e-7)
	})
}
