package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
	"tiffin/micro"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

// TestNoAddressIsStoredInPlainText looks at every table of every shard: orders,
// history, outbox, keys, jobs.
func TestNoAddressIsStoredInPlainText(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	req := ordertest.Request()
	req.DeliveryAddress = "77 Secret Garden Lane"
	ctx := micro.WithHeader(ordertest.Customer(t.Context(), f.NewUser(ordertest.City)), order.HeaderIdempotencyKey, "k")
	created, err := f.orders.Create(ctx, req)
	require.NoError(t, err)
	require.Equal(t, req.DeliveryAddress, created.DeliveryAddress)
	again, err := f.orders.Create(ctx, req)
	require.NoError(t, err)
	require.True(t, again.Replayed)
	require.Equal(t, created.Order, again.Order)
	list, err := f.orders.List(ctx, order.ListRequest{})
	require.NoError(t, err)
	require.Equal(t, req.DeliveryAddress, list.Orders[0].DeliveryAddress)

	for _, db := range f.Shards.All() {
		text, err := testenv.Dump(t.Context(), db.Pool())
		require.NoError(t, err)
		require.NotContains(t, text, "Secret Garden")
	}

	// Rows from before there was a key, and rows whose key is missing.
	db, err := f.Shards.ByID(created.ID)
	require.NoError(t, err)
	_, err = db.Pool().Exec(t.Context(), `update orders.orders set address = '1 Old Street' where id = $1`, created.ID)
	require.NoError(t, err)
	got, err := f.orders.Get(ctx, created.ID)
	require.NoError(t, err)
	require.Equal(t, "1 Old Street", got.DeliveryAddress)
	_, err = db.Pool().Exec(t.Context(), `update orders.orders set address = E'\x01lost:QUJD' where id = $1`, created.ID)
	require.NoError(t, err)
	_, err = f.orders.Get(ctx, created.ID)
	require.ErrorIs(t, err, micro.E(micro.CodeInternal, ""))
	require.NotContains(t, err.Error(), "lost", "clients do not learn of keys")
}
