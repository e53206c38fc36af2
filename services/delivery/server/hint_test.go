package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/delivery"
	"tiffin/services/order/ordertest"
)

func TestTrackingIsToldOfAnAcceptance(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	hints := ordertest.ServeHints(t, bed)
	f := start(t, bed)
	rider := f.free(t, 1)
	id := f.place(t)
	f.dispatch(t)
	f.accepts(t, rider, id)
	f.accepts(t, rider, id)
	require.Equal(t, []string{"carry accepted " + id + " " + rider}, hints.Said(), "once, before the answer")
}

func TestATrackingServiceThatHangsCostsNoAcceptance(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	hints := ordertest.ServeHints(t, bed)
	hints.Hang()
	f := start(t, bed)
	rider := f.free(t, 1)
	id := f.place(t)
	f.dispatch(t)
	require.Equal(t, delivery.Accepted, f.accepts(t, rider, id).Status)
	require.Len(t, hints.Said(), 1)
}
