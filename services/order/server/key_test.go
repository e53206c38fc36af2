package server_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/services/order/server"
	"tiffin/services/restaurant"
)

func withKey(ctx context.Context, key string) context.Context {
	return micro.WithHeader(ctx, order.HeaderIdempotencyKey, key)
}

// count counts rows on the shard of a city.
func (f *fixture) count(t *testing.T, sql string, args ...any) (n int) {
	t.Helper()
	require.NoError(t, f.DB(t, ordertest.City).Pool().QueryRow(t.Context(), sql, args...).Scan(&n))
	return n
}

func TestARepeatedRequestIsAnsweredWithTheFirstOrder(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer := f.NewUser(ordertest.City)
	ctx := withKey(ordertest.Customer(t.Context(), customer), "key")
	first, err := f.orders.Create(ctx, ordertest.Request())
	require.NoError(t, err)
	require.False(t, first.Replayed)

	// Nothing that happens afterwards changes the answer: not the order's life, nor the restaurant's.
	_, err = f.orders.Status(ordertest.Admin(t.Context()), order.StatusRequest{ID: first.ID, Status: order.Confirmed})
	require.NoError(t, err)
	f.Menu.Change(func(r *restaurant.Restaurant) { r.IsActive = false })
	again, err := f.orders.Create(ctx, ordertest.Request())
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, first.Order, again.Order)
	require.Equal(t, 1, f.count(t, `select count(*) from orders.orders where customer_id = $1`, customer))
}

func TestAKeyWithAnotherBodyIsRefused(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	ctx := withKey(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), "key")
	_, err := f.orders.Create(ctx, ordertest.Request())
	require.NoError(t, err)
	other := ordertest.Request()
	other.Items[0].Quantity++
	_, err = f.orders.Create(ctx, other)
	require.Equal(t, micro.CodeInvalid, micro.CodeOf(err))
	require.Equal(t, order.TypeKeyMismatch, micro.From(err).Type)
	require.Empty(t, micro.From(err).Fields)
}

func TestKeysBelongToTheirUsers(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	seen := map[string]bool{}
	for range 3 {
		created, err := f.orders.Create(withKey(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), "key"), ordertest.Request())
		require.NoError(t, err)
		require.False(t, created.Replayed)
		seen[created.ID] = true
	}
	require.Len(t, seen, 3)
}

func TestKeysThatAreNoText(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer := ordertest.Customer(t.Context(), f.NewUser(ordertest.City))
	_, err := f.orders.Create(withKey(customer, strings.Repeat("k", 255)), ordertest.Request())
	require.NoError(t, err)
	for _, key := range []string{strings.Repeat("k", 256), "a\tb", "\xff"} {
		_, err := f.orders.Create(withKey(customer, key), ordertest.Request())
		require.Equal(t, micro.CodeMalformed, micro.CodeOf(err), "%q", key)
	}
}

func TestAKeyIsForgottenAfterADay(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	ctx := withKey(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), "key")
	first, err := f.orders.Create(ctx, ordertest.Request())
	require.NoError(t, err)
	f.Exec(t, `update orders.keys set created_at = created_at - interval '23 hours 59 minutes'`)
	again, err := f.orders.Create(ctx, ordertest.Request())
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	f.Exec(t, `update orders.keys set created_at = created_at - interval '2 minutes'`)
	other := ordertest.Request()
	other.Items[0].Quantity = 7
	fresh, err := f.orders.Create(ctx, other)
	require.NoError(t, err)
	require.False(t, fresh.Replayed)
	require.NotEqual(t, first.ID, fresh.ID)
}

func TestAFailedRequestLeavesItsKeyFree(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	ctx := withKey(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), "key")
	bad := ordertest.Request()
	bad.Items[0].MenuItemID = ordertest.GoneID
	_, err := f.orders.Create(ctx, bad)
	require.ErrorIs(t, err, micro.Conflict(""))
	created, err := f.orders.Create(ctx, ordertest.Request())
	require.NoError(t, err)
	require.False(t, created.Replayed)
}

// Twenty requests of one key at two instances at once are one order, and all but one of the answers say so.
func TestRacingDuplicatesAreOneOrder(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	f := start(t, bed)
	start(t, bed)
	for round := range 5 {
		customer := f.NewUser(ordertest.City)
		ctx := withKey(ordertest.Customer(t.Context(), customer), "round "+strconv.Itoa(round))
		results := make([]order.Created, 20)
		var group sync.WaitGroup
		for i := range results {
			group.Go(func() {
				var err error
				results[i], err = f.orders.Create(ctx, ordertest.Request())
				if err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		fresh := 0
		for _, r := range results {
			require.Equal(t, results[0].ID, r.ID)
			if !r.Replayed {
				fresh++
			}
		}
		require.Equal(t, 1, fresh)
		require.Equal(t, 1, f.count(t, `select count(*) from orders.orders where customer_id = $1`, customer))
		require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where key = $1`, results[0].ID))
	}
}

// One key with many bodies, for many regions, at once: one of them wins, wherever it leads, and all others are told.
func TestRacingBodiesOfOneKeyAreOneOrder(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.NewThree(t))
	cities := []string{"San Francisco", "Boston", "Guadalajara", "Toronto", "Houston", "Chicago"}
	for range 5 {
		customer := f.NewUser("Boston")
		ctx := withKey(ordertest.Customer(t.Context(), customer), uuid.NewString())
		errs := make([]error, 2*len(cities))
		var group sync.WaitGroup
		for i := range errs {
			group.Go(func() { _, errs[i] = f.orders.Create(ctx, ordertest.RequestIn(cities[i%len(cities)])) })
		}
		group.Wait()
		placed := 0
		for _, err := range errs {
			if err == nil {
				placed++
				continue
			}
			require.Equal(t, order.TypeKeyMismatch, micro.From(err).Type, "%v", err)
		}
		list, err := f.orders.List(ordertest.Customer(t.Context(), customer), order.ListRequest{})
		require.NoError(t, err)
		require.Len(t, list.Orders, 1, "%d of the requests were answered with an order", placed)
		require.Equal(t, 2, placed, "the two of the body that won")
	}
}

// The first request stands still inside its transaction: the second waits for a while and is then told to come back.
func TestADuplicateWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer := f.NewUser(ordertest.City)
	pool := f.DB(t, ordertest.City).Pool()
	const claim = `insert into orders.keys (region, customer_id, key, fingerprint) values ('us-west', $1, 'key', '')`

	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	// Twice is once: it only matters when the test fails before, whose pool would wait for the transaction for ever.
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), claim, customer)
	require.NoError(t, err)
	ctx := withKey(ordertest.Customer(t.Context(), customer), "key")
	_, err = f.orders.Create(ctx, ordertest.Request())
	require.ErrorIs(t, err, micro.Conflict(""), "the first is still running")

	answer := make(chan error, 1)
	go func() {
		_, err := f.orders.Create(ctx, ordertest.Request())
		answer <- err
	}()
	require.Eventually(t, func() bool {
		return f.count(t, `select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`) > 0
	}, soon, often)
	require.NoError(t, tx.Rollback(t.Context()))
	require.NoError(t, <-answer, "the first failed, so the second is the first")
}

// The connection dies when the transaction was sent: the client must not be told that nothing happened, nor get two orders.
func TestAnUnknownCommitIsLookedUp(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	proxy := ordertest.NewCutter(t, bed.Config.Shards[0].URL)
	shards := bed.Through(t, proxy)
	f := start(t, bed, func(c *server.Config) { c.Shards = shards })
	for i := range 10 {
		customer := f.NewUser(ordertest.City)
		ctx := ordertest.Customer(t.Context(), customer)
		if i%2 == 1 {
			ctx = withKey(ctx, "key")
		}
		request := ordertest.Request()
		proxy.Arm(request.RestaurantID)
		created, err := f.orders.Create(ctx, request)
		require.NoError(t, err)
		require.False(t, created.Replayed, "it is this request's own order")
		require.True(t, proxy.Cut(), "the connection was not cut")
		require.Equal(t, 1, f.count(t, `select count(*) from orders.orders where customer_id = $1`, customer))
		require.Equal(t, 1, f.count(t, `select count(*) from outbox.events where key = $1`, created.ID))
	}
}
