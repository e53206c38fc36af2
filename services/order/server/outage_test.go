package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/services/order/server"
)

func TestADeadShardCostsItsRegionsOnly(t *testing.T) {
	t.Parallel()
	bed := ordertest.NewThree(t)
	var local, foreign string
	t.Run("while all are well", func(t *testing.T) {
		f := start(t, bed)
		local, foreign = f.NewUser("Boston"), f.NewUser("Chicago")
		f.placeIn(t, local, "Boston")
		f.placeIn(t, foreign, "Chicago")
		f.placeIn(t, foreign, "Guadalajara")
	})
	f := start(t, bed.WithDead(t, "c"))
	_, err := f.orders.Create(ordertest.Customer(t.Context(), local), ordertest.RequestIn("Houston"))
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))
	f.placeIn(t, local, "San Francisco")

	require.Len(t, f.walk(t, ordertest.Customer(t.Context(), local), order.ListRequest{}), 2, "who never ordered there does not need it")
	_, err = f.orders.List(ordertest.Customer(t.Context(), foreign), order.ListRequest{})
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err), "a list with a hole would be a lie")
	require.Len(t, f.walk(t, ordertest.Customer(t.Context(), foreign), order.ListRequest{City: "Chicago"}), 1)
	_, err = f.orders.List(ordertest.Admin(t.Context()), order.ListRequest{})
	require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err))

	overview, err := f.orders.Overview(ordertest.Admin(t.Context()))
	require.NoError(t, err)
	require.Equal(t, []string{"c"}, overview.Unavailable)
	require.Equal(t, int64(3), overview.Orders[order.Pending])
	require.NotContains(t, overview.Shards, "c", "what nobody counted is not zero")
}

// A kitchen looks at its restaurant's orders all day: a shard where its owner has none must not close it.
func TestADeadShardElsewhereDoesNotCloseAKitchen(t *testing.T) {
	t.Parallel()
	bed := ordertest.NewThree(t)
	owner := ordertest.As(t.Context(), "restaurant_owner", bed.Owner) // at home in San Francisco
	t.Run("while all are well", func(t *testing.T) {
		f := start(t, bed)
		customer := f.NewUser("Boston")
		f.placeIn(t, customer, "San Francisco")
		f.placeIn(t, customer, "Boston")
		require.Len(t, f.walk(t, owner, order.ListRequest{}), 2, "also what is away from the owner's home")
	})
	t.Run("nothing is there", func(t *testing.T) {
		require.Len(t, start(t, bed.WithDead(t, "c")).walk(t, owner, order.ListRequest{Status: order.Pending}), 2)
	})
	t.Run("something is there", func(t *testing.T) {
		_, err := start(t, bed.WithDead(t, "b")).orders.List(owner, order.ListRequest{})
		require.Equal(t, micro.CodeUnavailable, micro.CodeOf(err), "a list with a hole would be a lie")
	})
}

// A customer's home shard is away: they order elsewhere all the same, and find the order in their list when it is back.
func TestADeadHomeDoesNotCostOrdersElsewhere(t *testing.T) {
	t.Parallel()
	bed := ordertest.NewThree(t)
	customer := bed.NewUser("Guadalajara")
	ctx := withKey(ordertest.Customer(t.Context(), customer), "key")
	var placed order.Created
	t.Run("home is away", func(t *testing.T) {
		f := start(t, bed.WithDead(t, "c"))
		var err error
		placed, err = f.orders.Create(ctx, ordertest.RequestIn("Boston"))
		require.NoError(t, err)
		again, err := f.orders.Create(ctx, ordertest.RequestIn("Boston"))
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, placed.ID, again.ID)
	})
	f := start(t, bed)
	require.Eventually(t, func() bool {
		page, err := f.orders.List(ordertest.Customer(t.Context(), customer), order.ListRequest{})
		return err == nil && len(page.Orders) == 1 && page.Orders[0].ID == placed.ID
	}, soon, often)
	require.Eventually(t, func() bool {
		var left int
		err := f.DB(t, "Boston").Pool().QueryRow(t.Context(), `select count(*) from orders.letters`).Scan(&left)
		return err == nil && left == 0
	}, soon, often)
}

func TestTheOverviewCountsAndFindsWhatIsStuck(t *testing.T) {
	t.Parallel()
	bed := ordertest.NewThree(t)
	f := start(t, bed, func(c *server.Config) { c.Shards = bed.Shards })
	for _, role := range []string{"customer", "restaurant_owner", "delivery_partner", "anonymous"} {
		_, err := f.orders.Overview(ordertest.As(t.Context(), role, f.NewUser("Boston")))
		require.ErrorIs(t, err, micro.Forbidden(""), role)
	}
	customer := f.NewUser("Boston")
	for _, city := range []string{"San Francisco", "Boston", "Guadalajara", "San Francisco"} {
		f.placeIn(t, customer, city)
	}
	stuck := f.placeIn(t, customer, "San Francisco")
	_, err := f.move(ordertest.Admin(t.Context()), stuck.ID, order.Confirmed)
	require.NoError(t, err)
	f.Exec(t, `update orders.orders set updated_at = now() - interval '31 minutes' where id = $1`, stuck.ID)
	overview, err := f.orders.Overview(ordertest.Admin(t.Context()))
	require.NoError(t, err)
	require.Equal(t, int64(4), overview.Orders[order.Pending])
	require.Equal(t, int64(1), overview.Orders[order.Confirmed])
	require.Len(t, overview.Orders, len(order.Statuses()), "every state is present")
	require.Equal(t, int64(1), overview.StuckTotal)
	require.Equal(t, stuck.ID, overview.Stuck[0].OrderID)
	require.Empty(t, overview.Unavailable)

	require.Len(t, overview.Shards, 3)
	for id, want := range map[string][3]int64{"a": {2, 1, 1}, "b": {1, 0, 0}, "c": {1, 0, 0}} {
		got := overview.Shards[id]
		require.Equal(t, want, [3]int64{got.Orders[order.Pending], got.Orders[order.Confirmed], got.StuckTotal}, id)
		require.Len(t, got.Orders, len(order.Statuses()), "every state is present")
	}
}
