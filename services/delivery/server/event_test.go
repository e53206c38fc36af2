package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/delivery"
	"tiffin/services/order"
	"tiffin/services/order/ordertest"
	"tiffin/shard/outbox"
)

// relay publishes a bed's outbox until the test ends.
func relay(t *testing.T, bed *ordertest.Bed) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	r := outbox.NewRelay(outbox.RelayConfig{DB: bed.Shards.ByShard("a"), JS: bed.NATS.JS()})
	go func() { done <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			require.NoError(t, err)
		}
	})
}

// Nobody polls: what wakes dispatch is the event of a new order, and the event of an order that ended and freed a rider.
func TestEventsWakeDispatch(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	relay(t, bed)
	f := start(t, bed, func(c *Config) { c.Poll = time.Hour })
	rider := f.free(t, 1)
	<-f.wakes[home] // the bell the rider rang
	ordertest.Run(t, f.Server)
	first := f.place(t)
	require.Eventually(t, func() bool { return f.offered(t, first) == rider }, soon, often)
	f.accepts(t, rider, first)
	second := f.place(t)
	require.Empty(t, f.offered(t, second))
	f.moves(t, ordertest.Admin(t.Context()), first, order.Cancelled)
	require.Eventually(t, func() bool { return f.offered(t, second) == rider }, soon, often)
	requireSound(t, f)
}

// An event that comes twice, or late, only rings the bell again: what dispatch does follows from the rows.
func TestAnEventThatComesTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	bed := ordertest.New(t)
	relay(t, bed)
	f := start(t, bed, func(c *Config) { c.Poll = time.Hour })
	rider := f.free(t, 1)
	<-f.wakes[home]
	ordertest.Run(t, f.Server)
	first := f.place(t)
	require.Eventually(t, func() bool { return f.offered(t, first) == rider }, soon, often)
	story := func() []delivery.Offer {
		list, err := f.Server.offers(ordertest.Admin(t.Context()), delivery.OffersRequest{OrderID: first})
		require.NoError(t, err)
		return list.Offers
	}
	before := story()
	require.Len(t, before, 1)

	// Without its durable the service is given every event once more, from the first on.
	js := bed.NATS.JS()
	require.NoError(t, js.DeleteConsumer(t.Context(), micro.StreamEvents, delivery.ServiceName))
	require.Eventually(t, func() bool {
		consumer, err := js.Consumer(t.Context(), micro.StreamEvents, delivery.ServiceName)
		if err != nil {
			return false
		}
		info := consumer.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0 && info.AckFloor.Consumer > 0
	}, soon, often)
	require.Equal(t, before, story(), "the same offer, once")
	requireSound(t, f)
}
