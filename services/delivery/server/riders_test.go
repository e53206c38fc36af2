package server

import (
	"slices"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"tiffin/services/delivery"
	"tiffin/services/geo"
	"tiffin/services/order/ordertest"
	"tiffin/wire"
)

func idsOf(riders []delivery.Rider) []string {
	ids := make([]string, len(riders))
	for i, r := range riders {
		ids[i] = r.ID
	}
	return ids
}

// Pages over three shards hold every rider at work once, and nobody else, whatever the size of a page.
func TestRidersAtWorkArePagedOverShards(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.NewThree(t))
	admin := ordertest.Admin(t.Context())
	empty, err := f.riders(admin, delivery.RidersRequest{})
	require.NoError(t, err)
	encoded, err := wire.Encode(empty)
	require.NoError(t, err)
	require.JSONEq(t, `{"riders":[],"unavailableShards":[]}`, string(encoded))

	var working []string
	for i, city := range []string{"San Francisco", "Boston", "Guadalajara", "Houston", "Boston", "Toronto", "San Francisco"} {
		id := f.NewRiderIn(t, city, geo.Point{Latitude: 20 + float64(i), Longitude: -100})
		f.setAvailable(t, id, true)
		working = append(working, id)
		f.NewRiderIn(t, city, geo.Point{Latitude: 20, Longitude: -100}) // at home
	}
	slices.Sort(working)
	for size := 1; size <= len(working)+1; size++ {
		var all []string
		for cursor := ""; ; {
			page, err := f.riders(admin, delivery.RidersRequest{Limit: size, Cursor: cursor})
			require.NoError(t, err)
			require.LessOrEqual(t, len(page.Riders), size)
			all = append(all, idsOf(page.Riders)...)
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		require.Equal(t, working, all, size)
	}
}

func TestTheMapShowsWhatRidersDo(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	carrying := f.free(t, 1)
	first := f.place(t)
	f.dispatch(t)
	f.accepts(t, carrying, first)
	offered := f.free(t, 2)
	second := f.place(t)
	f.dispatch(t)
	free, silent := f.free(t, 16), f.free(t, 3)
	f.Exec(t, `update delivery.partners set seen_at = now() - interval '1 hour' where id = $1`, silent)

	page, err := f.riders(ordertest.Admin(t.Context()), delivery.RidersRequest{})
	require.NoError(t, err)
	require.Empty(t, page.Unavailable)
	states, orders := map[string]delivery.RiderState{}, map[string]string{}
	for _, r := range page.Riders {
		states[r.ID] = r.State
		if r.OrderID != nil {
			orders[r.ID] = *r.OrderID
		}
		require.Equal(t, ordertest.City, r.City)
		require.InDelta(t, ordertest.Latitude, r.Latitude, 1)
		require.False(t, r.SeenAt.IsZero())
	}
	require.Equal(t, map[string]delivery.RiderState{
		carrying: delivery.RiderCarrying, offered: delivery.RiderOffered, free: delivery.RiderFree, silent: delivery.RiderSilent,
	}, states)
	require.Equal(t, map[string]string{carrying: first, offered: second}, orders)
}

func TestRidersOfNoCursorOfOurs(t *testing.T) {
	t.Parallel()
	f := start(t, ordertest.New(t))
	for _, cursor := range []string{"x", "0", "../", uuid.NewString() + "0"} {
		_, err := f.riders(ordertest.Admin(t.Context()), delivery.RidersRequest{Cursor: cursor})
		require.ErrorAs(t, err, &wire.Invalid{}, cursor)
	}
	for _, limit := range []int{-1, 101} {
		require.Error(t, delivery.RidersRequest{Limit: limit}.Validate())
	}
	require.NoError(t, delivery.RidersRequest{Limit: 100}.Validate())
}
