package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/wire"
)

func TestAnOrderIsPlacedAtTheMenusPrices(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	customer, placed := f.place(t)
	require.Equal(t, order.Pending, placed.Status)
	require.Equal(t, wire.Money(2500), placed.TotalAmount)
	got, err := f.orders.Get(ordertest.Customer(t.Context(), customer), placed.ID)
	require.NoError(t, err)
	require.Equal(t, placed, got)
}
