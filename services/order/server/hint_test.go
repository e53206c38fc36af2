package server_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/order"
	"tiffin/services/order/ordertest"
)

func TestTrackingIsToldWhoCarriesAndWhoDoesNot(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	hints := ordertest.ServeHints(t, bed)
	f := start(t, bed)
	_, placed := f.place(t)
	rider := f.bind(t, placed.ID, true)
	for _, to := range []order.Status{order.Confirmed, order.Preparing, order.Ready, order.PickedUp, order.PickedUp, order.Delivered, order.Delivered} {
		_, err := f.move(ordertest.Admin(t.Context()), placed.ID, to)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"carry picked_up " + placed.ID + " " + rider, "release " + placed.ID + " " + rider}, hints.Said(),
		"once each, before the answer")

	_, asked := f.place(t)
	f.bind(t, asked.ID, false)
	_, err := f.move(ordertest.Admin(t.Context()), asked.ID, order.Cancelled)
	require.NoError(t, err)
	require.Len(t, hints.Said(), 2, "who was merely asked was never shown")
}

func TestATrackingServiceThatHangsCostsNoRequest(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	hints := ordertest.ServeHints(t, bed)
	hints.Hang()
	f := start(t, bed)
	_, placed := f.place(t)
	f.bind(t, placed.ID, true)
	got, err := f.move(f.owner(t.Context()), placed.ID, order.Cancelled)
	require.NoError(t, err)
	require.Equal(t, order.Cancelled, got.Status)
	require.Len(t, hints.Said(), 1)
}
