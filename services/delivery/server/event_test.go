package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
