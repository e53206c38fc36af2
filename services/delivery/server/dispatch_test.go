package server

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/shard"
)

func TestTheNearestFreeRiderIsAsked(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	f.free(t, 3)
	near := f.free(t, 0.5)
	f.free(t, 1)
	f.NewRider(t, 0.1) // nearer, but does not want to work
	id := f.place(t)
	require.Empty(t, f.offered(t, id))
	f.dispatch(t)
	require.Equal(t, near, f.offered(t, id))
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where type = 'order.assigned' and key = $1
		and payload->>'deliveryPartnerId' = $2 and headers->>'Tiffin-Seq' = '2'`, id, near))
	a := f.currently(t, near)
	require.Equal(t, delivery.Offered, a.Status)
	require.Equal(t, id, a.Order.ID)
	require.Equal(t, "Golden Gate Curry", a.Restaurant.Name)
	require.Equal(t, "1 Market Street", a.Dropoff.Address)
	require.Equal(t, 30*time.Second, a.OfferExpiresAt.Sub(a.OfferedAt.Time))
	require.Nil(t, f.record(t, near).CurrentOrderID, "an offer is not yet an order")
}

func TestRidersTooFarAwayAreNotAsked(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	f.free(t, 15.1)
	id := f.place(t)
	f.dispatch(t)
	require.Empty(t, f.offered(t, id))
	just := f.free(t, 14.9)
	f.dispatch(t)
	require.Equal(t, just, f.offered(t, id))
}

func TestWaitingOrdersAreServedOldestFirst(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	var orders []string
	for range 4 {
		orders = append(orders, f.place(t))
	}
	f.dispatch(t)
	for i := range orders {
		rider := f.free(t, float64(4-i)) // each nearer than the one before
		f.dispatch(t)
		require.Equal(t, rider, f.offered(t, orders[i]))
	}
}

func TestAShortageIsToldFromHavingNothingToDo(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	short := func() bool {
		short, err := f.offerWaiting(t.Context(), home)
		require.NoError(t, err)
		return short
	}
	require.False(t, short(), "no orders")
	first, second := f.place(t), f.place(t)
	require.True(t, short(), "no riders")
	f.free(t, 1)
	require.True(t, short(), "one rider, two orders")
	require.NotEmpty(t, f.offered(t, first))
	f.free(t, 1)
	require.False(t, short())
	require.NotEmpty(t, f.offered(t, second))
}

func TestADeclinedOrderGoesToTheNextNearest(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	first, second := f.free(t, 1), f.free(t, 2)
	id := f.place(t)
	f.dispatch(t)
	f.declines(t, first, id)
	require.Equal(t, second, f.offered(t, id), "in the transaction of the decline")
	f.declines(t, second, second)
	require.Empty(t, f.offered(t, id))
	f.dispatch(t)
	require.Empty(t, f.offered(t, id), "who declined is not asked again")
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where key = $1 and type = 'order.status'
		and payload->>'from' = 'pending' and payload->>'to' = 'pending' and payload->>'reason' = 'offer_declined'
		and payload->'deliveryPartnerId' #>> '{}' is null and payload->>'actorRole' = 'system'`, id))
	history, err := f.orders.History(ordertest.Admin(t.Context()), id)
	require.NoError(t, err)
	require.Len(t, history.History, 1, "offers are not shown as history")
	third := f.free(t, 9)
	f.dispatch(t)
	require.Equal(t, third, f.offered(t, id))
}

// Whom another decline is about to take is passed by; whose row is only busy, with a position that is being written, is
// waited for, because they are the nearest still.
func TestWhomAnotherDeclineTakesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for name, c := range map[string]struct {
		claim string // what the other transaction does to the nearest before it changes their row
		want  int    // who is asked next, counted outwards
	}{
		"claimed": {`select pg_advisory_xact_lock(hashtext('claimed rider'), hashtext($1::text))`, 2},
		"busy":    {`select $1::text`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			f.wipe(t)
			var riders []string
			for i := range 3 {
				riders = append(riders, f.free(t, float64(i)))
			}
			id := f.place(t)
			f.dispatch(t)
			require.Equal(t, riders[0], f.offered(t, id))
			other, err := f.DB(t, ordertest.City).Pool().Begin(t.Context())
			require.NoError(t, err)
			defer func() { _ = other.Rollback(context.Background()) }()
			for _, sql := range []string{c.claim, `update delivery.partners set updated_at = now() where id = $1`} {
				_, err := other.Exec(t.Context(), sql, riders[1])
				require.NoError(t, err)
			}
			answered := make(chan error, 1)
			go func() {
				_, err := f.decline(ordertest.Rider(t.Context(), riders[0]), delivery.OfferRequest{ID: id})
				answered <- err
			}()
			if name == "busy" {
				require.Eventually(t, func() bool {
					return f.count(t, `select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%claimed rider%'
						and datname = current_database()`) == 1
				}, soon, often)
				require.NoError(t, other.Commit(t.Context()))
			}
			require.NoError(t, <-answered)
			require.Equal(t, riders[c.want], f.offered(t, id))
		})
	}
}

// All who decline at once for one restaurant look for the same nearest rider: each order finds one of its own, and
// nobody is killed for a deadlock.
func TestManyDeclineAtOnce(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	const many = 16
	given := map[string]string{} // whom each order was offered to at first
	for i := range many {
		rider := f.free(t, float64(i)/10)
		id := f.place(t)
		f.dispatch(t)
		given[id] = rider
		require.Equal(t, rider, f.offered(t, id))
	}
	for i := range 2 * many {
		f.free(t, 3+float64(i)/10)
	}
	var all sync.WaitGroup
	for id, rider := range given {
		all.Go(func() {
			if _, err := f.decline(ordertest.Rider(t.Context(), rider), delivery.OfferRequest{ID: id}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	asked := map[string]string{}
	for id, rider := range given {
		next := f.offered(t, id)
		require.NotEmpty(t, next)
		require.NotEqual(t, rider, next)
		require.NotContains(t, asked, next, "one order a rider")
		asked[next] = id
	}
	requireSound(t, f)
	require.Zero(t, f.count(t, `select deadlocks from pg_stat_database where datname = current_database()`))
}

func TestWhoLetsItExpireIsAskedAfterAllOthers(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	first, second := f.free(t, 1), f.free(t, 2)
	id := f.place(t)
	f.dispatch(t)
	f.lapse(t, id)
	require.Equal(t, second, f.offered(t, id))
	third := f.free(t, 10)
	f.lapse(t, id)
	require.Equal(t, third, f.offered(t, id), "the far one has not been asked yet")
	f.declines(t, third, id)
	require.Equal(t, first, f.offered(t, id), "now the nearest of those who let it expire")
	f.lapse(t, id)
	require.Equal(t, second, f.offered(t, id), "who let it expire less often")
	f.dispatch(t)
	require.Equal(t, second, f.offered(t, id))
}

func TestThreeExpiriesInARowEndTheShift(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider := f.free(t, 1)
	for range 2 { // the row is broken by an answer
		id := f.place(t)
		f.dispatch(t)
		f.lapse(t, id)
		f.dispatch(t)
		f.lapse(t, id)
		f.dispatch(t)
		require.True(t, f.record(t, rider).IsAvailable)
		f.declines(t, rider, id)
		require.True(t, f.record(t, rider).IsAvailable)
	}
	id := f.place(t)
	for range 3 {
		f.dispatch(t)
		require.Equal(t, rider, f.offered(t, id))
		f.lapse(t, id)
	}
	require.False(t, f.record(t, rider).IsAvailable)
	f.dispatch(t)
	require.Empty(t, f.offered(t, id))
	require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where key = $1 and type = 'order.status' and payload->>'reason' = 'offer_expired'
		and (payload->>'seq')::int = (select seq from orders.orders where id::text = $1)`, id))
	f.setAvailable(t, rider, true)
	f.dispatch(t)
	f.lapse(t, id)
	require.True(t, f.record(t, rider).IsAvailable, "a new shift begins a new row")
}

func TestASilentRiderIsNotAsked(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rider := f.free(t, 1)
	hush := func() {
		f.Exec(t, `update delivery.partners set seen_at = now() - interval '6 minutes' where id = $1`, rider)
		f.pulses.forget(rider)
	}
	hush()
	id := f.place(t)
	f.dispatch(t)
	require.Empty(t, f.offered(t, id), "before anybody noticed")
	require.NoError(t, f.store.silence(t.Context(), home))
	require.Equal(t, 1, f.count(t, `select count(*) from delivery.partners where silent`))
	f.dispatch(t)
	require.Empty(t, f.offered(t, id))
	f.record(t, rider) // any request is a sign of life
	f.dispatch(t)
	require.Equal(t, rider, f.offered(t, id))

	f.declines(t, rider, id)
	other := f.place(t)
	hush()
	require.NoError(t, f.store.silence(t.Context(), home))
	_, err := f.position(ordertest.As(t.Context(), "service", "tracking"), positionOf(rider, 2))
	require.NoError(t, err)
	f.dispatch(t)
	require.Equal(t, rider, f.offered(t, other), "and so is a fix")
}

func TestManyOrdersAndManyRiders(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for i := range 45 {
		f.free(t, 0.1*float64(i+1))
	}
	var group sync.WaitGroup
	for range 50 {
		group.Go(func() {
			if _, err := f.orders.Create(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), ordertest.Request()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for range 3 { // several instances look at once
		group.Go(func() { f.dispatch(t) })
	}
	group.Wait()
	require.Equal(t, 45, f.count(t, `select count(distinct partner_id) from delivery.offers where status = 'offered'`))
	require.Equal(t, 0, f.count(t, `select count(*) from delivery.jobs w join delivery.jobs o on o.order_id > w.order_id
		where not w.offered and o.offered`), "those that wait are the youngest")
	requireSound(t, f)
}

// What the index finds is what a search of all riders would find.
func TestTheNearestIsTheNearest(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	rapid.Check(t, func(rt *rapid.T) {
		f.wipe(t)
		best, nearest := 15_000, ""
		for _, metres := range rapid.SliceOfNDistinct(rapid.IntRange(0, 20_000), 1, 6, rapid.ID).Draw(rt, "riders") {
			rider := f.free(t, float64(metres)/1000)
			if metres < best {
				best, nearest = metres, rider
			}
		}
		id := f.place(t)
		f.dispatch(t)
		require.Equal(rt, nearest, f.offered(t, id))
	})
}

// The loops themselves: nothing but requests and events, and every order finds its rider.
func TestARunningServiceNeedsNoHelp(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed, func(c *Config) { c.Poll = time.Hour }) // only wakes
	ordertest.Run(t, f.Server)
	ordertest.Run(t, newServer(t, bed)) // polls as well
	awaitOffer := func(id, rider string) {
		t.Helper()
		require.Eventually(t, func() bool { return f.offered(t, id) == rider }, soon, often)
	}
	waiting := f.place(t)
	near := f.free(t, 1)
	awaitOffer(waiting, near)
	f.accepts(t, near, waiting)
	f.moves(t, ordertest.Admin(t.Context()), waiting, order.Cancelled)
	next := f.place(t)
	awaitOffer(next, near)
	far := f.free(t, 5)
	f.Exec(t, `update delivery.offers set expires_at = now() where order_id = $1 and status = 'offered'`, next)
	awaitOffer(next, far)
}

// An order's offer does not wait for the relay and JetStream: the order service says at once that there is one, and
// that a rider was freed.
func TestDispatchIsToldBeforeTheEvents(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed, func(c *Config) { c.Poll = time.Hour }) // no relay runs on this bed either: only the bell is left
	ordertest.Run(t, f.Server)
	near := f.free(t, 1)
	first := f.place(t)
	require.Eventually(t, func() bool { return f.offered(t, first) == near }, soon, often)
	second := f.place(t)
	f.moves(t, ordertest.Admin(t.Context()), first, order.Cancelled)
	require.Eventually(t, func() bool { return f.offered(t, second) == near }, soon, often)
	_, err := f.wake(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), delivery.WakeRequest{Region: string(home)})
	require.ErrorIs(t, err, micro.Forbidden(""))
}

func TestWakesOfUnknownRegionsAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWakes([]shard.Region{home})
	w.wake("atlantis")
	w.wake(home)
	w.wake(home)
	require.Len(t, w[home], 1)
}

func TestMatchingGivesEachOrderItsBestFreeRider(t *testing.T) {
	t.Parallel()
	pairs, more := match([]candidate{{"1", "a"}, {"1", "b"}, {"2", "a"}, {"2", "c"}, {"3", "a"}})
	require.Equal(t, []candidate{{"1", "a"}, {"2", "c"}}, pairs)
	require.True(t, more, "the third order lost its only rider to another")
	pairs, more = match(nil)
	require.Empty(t, pairs)
	require.False(t, more)
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) candidate {
			return candidate{
				fmt.Sprintf("%03d", rapid.IntRange(0, 60).Draw(t, "order")), fmt.Sprint(rapid.IntRange(0, 60).Draw(t, "rider"))}
		})).Draw(t, "candidates")
		pairs, _ := match(list)
		orders, riders := map[string]bool{}, map[string]bool{}
		for _, p := range pairs {
			require.False(t, orders[p.order] || riders[p.partner])
			require.Contains(t, list, p)
			orders[p.order], riders[p.partner] = true, true
		}
		require.LessOrEqual(t, len(pairs), passJobs)
	})
}

func TestWhoWaitsIsTold(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	f := start(t, ordertest.New(t), func(c *Config) { c.Metrics = registry })
	// told counts and reads the gauge of the region, as a scrape does.
	told := func(name string) (value float64) {
		require.NoError(t, f.store.countWaiting(t.Context(), home))
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, family := range families {
			if family.GetName() == name {
				require.Len(t, family.GetMetric(), 1)
				value = family.GetMetric()[0].GetGauge().GetValue()
			}
		}
		return value
	}
	require.Zero(t, told("tiffin_dispatch_waiting_orders"))
	f.place(t)
	f.place(t)
	require.Equal(t, 2.0, told("tiffin_dispatch_waiting_orders"))
	require.Positive(t, told("tiffin_dispatch_oldest_waiting_seconds"))
	f.free(t, 1)
	f.dispatch(t)
	require.Equal(t, 1.0, told("tiffin_dispatch_waiting_orders"), "one has an offer now")
	_, err := f.DB(t, ordertest.City).Pool().Exec(t.Context(), `insert into delivery.jobs (order_id, region, place)
		select gen_random_uuid(), $1, '(1, 0, 0)' from generate_series(1, $2)`, home, countMost)
	require.NoError(t, err)
	require.Equal(t, float64(countMost), told("tiffin_dispatch_waiting_orders"), "a backlog is not counted to its end")
}
